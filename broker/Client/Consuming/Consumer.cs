using LogPipeline.Client.Metadata;

namespace LogPipeline.Client.Consuming;

/// <summary>Reads partitions, assigned by hand or shared in a group. One caller at a time polls.</summary>
public sealed class Consumer : IAsyncDisposable
{
    public Consumer(ConsumerOptions options, ClusterClient cluster, TimeProvider time, Random random) => throw new NotImplementedException();

    /// <summary>The partitions owned now, ordered.</summary>
    public IReadOnlyList<TopicPartition> Assignment => throw new NotImplementedException();

    /// <summary>Empty unless a member.</summary>
    public string MemberId => throw new NotImplementedException();

    /// <summary>Joins the group at the next poll.</summary>
    public void Subscribe(IReadOnlyList<string> topics, IRebalanceListener? listener = null) => throw new NotImplementedException();

    /// <summary>Takes these partitions without a group; begins at the committed offset where there is a group, else by the reset policy.</summary>
    public void Assign(IReadOnlyList<TopicPartition> partitions) => throw new NotImplementedException();

    /// <summary>Waits for whole record batches; drives joins and rebalances. Cancelling loses nothing.</summary>
    public ValueTask<FetchedBatches> PollBatchesAsync(CancellationToken ct) => throw new NotImplementedException();

    /// <summary>Waits for records; control records are left out.</summary>
    public ValueTask<IReadOnlyList<ConsumedRecord>> PollAsync(CancellationToken ct) => throw new NotImplementedException();

    /// <summary>Records one by one until cancelled. Leaving the loop leaves the position after the last record taken.</summary>
    public IAsyncEnumerable<ConsumedRecord> ConsumeAsync(CancellationToken ct) => throw new NotImplementedException();

    public void Pause(TopicPartition partition) => throw new NotImplementedException();

    public void Resume(TopicPartition partition) => throw new NotImplementedException();

    /// <summary>The next poll of the partition begins at the offset.</summary>
    public void Seek(TopicPartition partition, long offset, int leaderEpoch = -1) => throw new NotImplementedException();

    /// <summary>Begins at the first record not older than the time; at the end if there is none.</summary>
    public ValueTask SeekToTimeAsync(TopicPartition partition, DateTimeOffset time, CancellationToken ct) => throw new NotImplementedException();

    /// <summary>The next offset that a poll gives; -1 while unknown.</summary>
    public long Position(TopicPartition partition) => throw new NotImplementedException();

    /// <summary>High watermark less position; -1 while unknown.</summary>
    public long Lag(TopicPartition partition) => throw new NotImplementedException();

    /// <summary>Commits the positions of all owned partitions.</summary>
    public ValueTask CommitAsync(CancellationToken ct) => throw new NotImplementedException();

    /// <summary>Commits these points; throws <see cref="BrokerErrorException"/> with the first error.</summary>
    public ValueTask CommitAsync(IReadOnlyDictionary<TopicPartition, CommitPoint> points, CancellationToken ct) => throw new NotImplementedException();

    /// <summary>The group's committed points; partitions without one are left out.</summary>
    public ValueTask<IReadOnlyDictionary<TopicPartition, CommitPoint>> CommittedAsync(IReadOnlyList<TopicPartition> partitions, CancellationToken ct) => throw new NotImplementedException();

    /// <summary>Where the leader says the epoch ends (KIP-320).</summary>
    public ValueTask<EpochEnd> OffsetForLeaderEpochAsync(TopicPartition partition, int leaderEpoch, CancellationToken ct) => throw new NotImplementedException();

    /// <summary>Commits (if automatic), tells the listener, leaves the group.</summary>
    public ValueTask DisposeAsync() => throw new NotImplementedException();
}
