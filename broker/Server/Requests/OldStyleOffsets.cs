using LogPipeline.Broker.Partitions;

namespace LogPipeline.Broker.Requests;

/// <summary>
/// What ListOffsets version 0 tells: where those segments begin that were last appended to at or before a time, and where the log ends, as Apache
/// Kafka 3.9 does.
/// </summary>
internal static class OldStyleOffsets
{
    private const long Latest = -1;
    private const long Earliest = -2;

    /// <summary>Offsets in descending order, beginning with the latest that fits the time.</summary>
    /// <param name="partition">Of which partition.</param>
    /// <param name="timestamp">Milliseconds since 1970; -1 from the log's end on, -2 its start alone.</param>
    /// <param name="countMax">Most offsets told.</param>
    /// <param name="now">Milliseconds since 1970: the time of the log's end.</param>
    public static List<long> Before(Partition partition, long timestamp, int countMax, long now)
    {
        long start = partition.LogStartOffset;
        long end = partition.HighWatermark;
        if (timestamp == Earliest)
        {
            return countMax > 0 ? [start] : [];
        }
        bool IsBefore(long time) => timestamp == Latest || time <= timestamp;
        IEnumerable<long> offsets = partition.Log!.SegmentStarts()
            .Where(segment => IsBefore(segment.AppendedTime))
            .Select(segment => Math.Clamp(segment.BaseOffset, start, end));
        offsets = IsBefore(now) ? offsets.Prepend(end) : offsets;
        return [.. offsets.Distinct().OrderDescending().Take(Math.Max(0, countMax))];
    }
}
