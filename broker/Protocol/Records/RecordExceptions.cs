namespace LogPipeline.Protocol.Records;

/// <summary>A batch or a record in it is not what its lengths or its codec say.</summary>
public sealed class CorruptRecordException(string message, Exception? cause = null) : Exception(message, cause);

/// <summary>The codec is unknown, not built in, or its library is not installed; the message says which and what to do.</summary>
public sealed class UnsupportedCompressionException(string message, Exception? cause = null) : Exception(message, cause);
