namespace LogPipeline.Storage;

/// <summary>What retention needs to know of one segment of a log.</summary>
/// <param name="BaseOffset">Its first offset.</param>
/// <param name="EndOffset">The offset behind its last one.</param>
/// <param name="SizeBytes">Bytes of batches in it.</param>
/// <param name="Time">How new it is, in milliseconds since 1970, by the log's <see cref="RetentionClock"/>.</param>
/// <param name="IsActive">Whether batches are still appended to it.</param>
public readonly record struct SegmentInfo(long BaseOffset, long EndOffset, long SizeBytes, long Time, bool IsActive);
