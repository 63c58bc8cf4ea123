using LogPipeline.Storage;

namespace LogPipeline.Broker.Maintenance;

/// <summary>How much of a log is kept.</summary>
/// <param name="Time">Records older than this go; null keeps them (retention.ms).</param>
/// <param name="Bytes">What is beyond this goes, the oldest first; null keeps all (retention.bytes).</param>
internal readonly record struct RetentionLimits(TimeSpan? Time, long? Bytes);

/// <summary>
/// Kafka's rule for what a log loses by age and size: whole segments, from the first one on, as long as one is too old or what is
/// left without it is still large enough. It decides and touches nothing.
/// </summary>
internal static class RetentionRule
{
    /// <summary>The offset from which a log is kept; null when all of it is.</summary>
    /// <param name="segments">The log's segments in offset order; looked at only up to the first that stays.</param>
    /// <param name="sizeBytes">Bytes of all of them.</param>
    /// <param name="startOffset">The log's start: what ends below it is dead already.</param>
    /// <param name="limits">What is kept.</param>
    /// <param name="highWatermark">Nothing beyond it goes: not all replicas have it.</param>
    /// <param name="now">Milliseconds since 1970.</param>
    public static long? FirstKept(
        IEnumerable<SegmentInfo> segments, long sizeBytes, long startOffset, RetentionLimits limits, long highWatermark, long now)
    {
        long? kept = null;
        long beyond = limits.Bytes is { } bytes ? sizeBytes - bytes : -1;
        foreach (SegmentInfo segment in segments)
        {
            bool isDead = segment.EndOffset <= startOffset;
            bool isOld = limits.Time is { } time && now - segment.Time > time.TotalMilliseconds;
            bool isBeyond = beyond >= segment.SizeBytes;
            if (segment.SizeBytes == 0 || segment.EndOffset > highWatermark || !(isDead || isOld || isBeyond))
            {
                break;
            }
            beyond -= segment.SizeBytes;
            kept = segment.EndOffset;
        }
        return kept;
    }
}
