namespace LogPipeline.Protocol;

/// <summary>A record batch, or a record in it, contradicts its own lengths, checksum or codec.</summary>
public sealed class CorruptRecordException(string message, Exception? cause = null) : Exception(message, cause);
