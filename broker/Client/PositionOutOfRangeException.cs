namespace LogPipeline.Client;

/// <summary>The position is outside the partition's log and the policy is to say so.</summary>
public sealed class PositionOutOfRangeException(TopicPartition partition, long position, long logStartOffset, long highWatermark)
    : Exception($"{partition}: position {position} is outside the log, which holds {logStartOffset} to {highWatermark}")
{
    public TopicPartition Partition { get; } = partition;

    public long Position { get; } = position;

    public long LogStartOffset { get; } = logStartOffset;

    public long HighWatermark { get; } = highWatermark;
}
