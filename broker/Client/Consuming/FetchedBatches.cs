using LogPipeline.Client.Consuming.Fetching;
using LogPipeline.Protocol.Messages;

namespace LogPipeline.Client.Consuming;

/// <summary>Record batches as the broker stores them, in a pooled lease: their memory is valid until disposed.</summary>
public sealed class FetchedBatches : IDisposable
{
    private List<FetchedPartition>? _leases;

    internal FetchedBatches(List<FetchedPartition> fetched)
    {
        _leases = fetched;
        Partitions = [.. fetched.Select(f => f.Batches)];
    }

    /// <summary>At least one entry with at least one whole batch each, in order of arrival; a partition may have several.</summary>
    public IReadOnlyList<PartitionBatches> Partitions { get; }

    public void Dispose()
    {
        foreach (FetchedPartition fetched in Interlocked.Exchange(ref _leases, null) ?? [])
        {
            fetched.Lease.Release();
        }
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
    TopicPartition Partition, Guid TopicId, long FetchOffset, long NextOffset, long HighWatermark, long LogStartOffset, ReadOnlyMemory<byte> Batches)
{
    /// <summary>The aborted transactions that have records here; none unless committed ones alone are read.</summary>
    internal IReadOnlyList<FetchResponse.Response.Partition.AbortedTransaction> Aborted { get; init; } = [];
}
