namespace LogPipeline.Protocol.Compression;

/// <summary>No codec has the number that the batch names; the message says which.</summary>
public sealed class UnsupportedCompressionException(string message, Exception? cause = null) : Exception(message, cause);
