namespace LogPipeline.Protocol.Records;

/// <summary>A batch or a record in it is not what its lengths or its codec say.</summary>
public sealed class CorruptRecordException(string message, Exception? cause = null) : Exception(message, cause);

/// <summary>No codec has the number that the batch names; the message says which.</summary>
public sealed class UnsupportedCompressionException(string message, Exception? cause = null) : Exception(message, cause);
