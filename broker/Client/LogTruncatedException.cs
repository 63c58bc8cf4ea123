namespace LogPipeline.Client;

/// <summary>The log was cut below the position: the broker no longer has what was consumed from <paramref name="divergingOffset"/> on.</summary>
public sealed class LogTruncatedException(TopicPartition partition, long position, long divergingOffset)
    : Exception($"{partition}: the log was cut to {divergingOffset}, below the position {position}")
{
    public TopicPartition Partition { get; } = partition;

    public long Position { get; } = position;

    /// <summary>First offset at which the log may differ from what was consumed.</summary>
    public long DivergingOffset { get; } = divergingOffset;
}
