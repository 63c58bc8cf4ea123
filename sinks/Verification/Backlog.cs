using LogPipeline.Client;
using LogPipeline.Client.Admin;
using LogPipeline.Client.Metadata;

namespace LogPipeline.Sinks.Verification;

/// <summary>Offsets of a partition that its sink has not stored yet.</summary>
/// <param name="From">Where the sink is.</param>
/// <param name="To">The offset behind the last of them.</param>
/// <param name="Partition">The partition.</param>
internal readonly record struct UnstoredOffsets(TopicPartition Partition, long From, long To)
{
    public long Count => To - From;
}

/// <summary>What a sink's topics have beyond the ledger.</summary>
internal sealed class Backlog(ClusterClient cluster, SinkOptions options)
{
    private readonly AdminClient _admin = new(cluster);

    /// <param name="stored">The ledger. A partition that it does not have is not stored at all, unless the sink begins at the end.</param>
    /// <param name="before">Leaves out what follows the first record of that time; null = nothing.</param>
    /// <param name="cancellation">Ends it.</param>
    public async Task<IReadOnlyList<UnstoredOffsets>> FindAsync(IReadOnlyList<PinnedLog> stored, DateTimeOffset? before, CancellationToken cancellation)
    {
        Dictionary<string, TopicMetadata> topics = (await _admin.ListTopicsAsync(cancellation)).ToDictionary(topic => topic.Name);
        var found = new List<UnstoredOffsets>();
        foreach (TopicMetadata topic in TopicPatterns.Of(options.Topics).Among(topics.Keys).Where(topics.ContainsKey).Select(name => topics[name]))
        {
            foreach (TopicPartition partition in topic.Partitions.Select(partition => new TopicPartition(topic.Name, partition.Index)))
            {
                PinnedLog? log = stored.FirstOrDefault(log => log.TopicId == topic.TopicId && log.Partition == partition.Partition);
                if (log is null && options.StartFrom == "latest")
                {
                    continue;
                }
                long end = await EndAsync(partition, before, cancellation);
                if ((log?.NextOffset ?? 0) < end)
                {
                    long start = (await _admin.OffsetAsync(partition, OffsetSpec.Earliest, cancellation)).Offset;
                    found.Add(new UnstoredOffsets(partition, Math.Max(log?.NextOffset ?? 0, start), end));
                }
            }
        }
        found.RemoveAll(offsets => offsets.Count <= 0);
        return found;
    }

    private async Task<long> EndAsync(TopicPartition partition, DateTimeOffset? before, CancellationToken cancellation)
    {
        long at = before is { } time ? (await _admin.OffsetAsync(partition, OffsetSpec.At(time), cancellation)).Offset : -1;
        return at >= 0 ? at : (await _admin.OffsetAsync(partition, OffsetSpec.Latest, cancellation)).Offset;
    }
}
