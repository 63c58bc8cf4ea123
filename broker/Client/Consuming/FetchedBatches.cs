namespace LogPipeline.Client.Consuming;

/// <summary>Record batches as the broker stores them, in a pooled lease: their memory is valid until disposed.</summary>
public sealed class FetchedBatches : IDisposable
{
    internal FetchedBatches(IReadOnlyList<PartitionBatches> partitions) => Partitions = partitions;

    /// <summary>At least one entry with at least one whole batch each; empty only when a rebalance interrupted the wait.</summary>
    public IReadOnlyList<PartitionBatches> Partitions { get; }

    public void Dispose()
    {
    }
}

/// <summary>Whole record batches of one partition, back to back.</summary>
/// <param name="Partition">The partition.</param>
/// <param name="TopicId">Zero where the broker has no topic ids.</param>
/// <param name="FetchOffset">First offset asked for: the first batch may hold records below it, to be skipped.</param>
/// <param name="NextOffset">The position after these batches.</param>
/// <param name="HighWatermark">The first offset not yet readable.</param>
/// <param name="LogStartOffset">The first offset that the log still holds.</param>
/// <param name="Batches">The bytes; control batches included.</param>
public sealed record PartitionBatches(
    TopicPartition Partition, Guid TopicId, long FetchOffset, long NextOffset, long HighWatermark, long LogStartOffset, ReadOnlyMemory<byte> Batches);
