namespace LogPipeline.Protocol;

/// <summary>A record batch, or a record in it, contradicts its own lengths, checksum or codec.</summary>
public sealed class CorruptRecordException(string message, Exception? cause = null) : Exception(message, cause)
{
    /// <summary>The bytes may be sound, but unpack to more than the reader allows.</summary>
    public bool IsTooLong { get; init; }
}
