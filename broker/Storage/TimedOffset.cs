namespace LogPipeline.Storage;

/// <summary>A record found by its time.</summary>
/// <param name="Offset">The record's offset.</param>
/// <param name="Timestamp">The record's own, in milliseconds since 1970.</param>
/// <param name="LeaderEpoch">The epoch it was appended in.</param>
public readonly record struct TimedOffset(long Offset, long Timestamp, int LeaderEpoch);
