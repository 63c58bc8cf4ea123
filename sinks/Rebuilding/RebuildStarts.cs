using LogPipeline.Client;
using LogPipeline.Client.Admin;
using LogPipeline.Client.Connections;
using LogPipeline.Client.Metadata;
using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Query;

namespace LogPipeline.Sinks.Rebuilding;

/// <summary>A log as it is at the broker, and where a rebuild begins in it.</summary>
/// <param name="Log">The log, as the shadow sink's.</param>
/// <param name="LogStart">The first offset that the broker has.</param>
/// <param name="First">The first that is stored.</param>
internal sealed record RebuildStart(LogIdentity Log, long LogStart, long First)
{
    /// <summary>Whether a ledger row, of whichever sink, is of this log.</summary>
    public bool IsOf(LedgerEnd row) => (row.TopicId, row.Topic, row.Partition) == (Log.TopicId, Log.Topic, Log.Partition);
}

/// <summary>Asks the broker where the logs of a sink begin.</summary>
internal sealed class RebuildStarts(SinkOptions options, IConnector connector, SinkEnvironment environment)
{
    public async Task<IReadOnlyList<RebuildStart>> FindAsync(string sink, long? fromOffset, DateTimeOffset? fromTime, CancellationToken cancellation)
    {
        var client = new ClientOptions { Bootstrap = [.. options.Bootstrap.Split(',', StringSplitOptions.TrimEntries)], ClientId = "logpipe-rebuild", AutoCreateTopics = false };
        await using var cluster = new ClusterClient(client, connector, environment.Time, new Random(environment.Random.Next()));
        var admin = new AdminClient(cluster);
        string clusterId = (await admin.DescribeClusterAsync(cancellation)).ClusterId;
        IReadOnlyList<TopicMetadata> topics = await admin.ListTopicsAsync(cancellation);
        IReadOnlyList<string> wanted = TopicPatterns.Of(options.Topics).Among(topics.Select(topic => topic.Name));
        var starts = new List<RebuildStart>();
        foreach (TopicMetadata topic in topics.Where(topic => wanted.Contains(topic.Name)))
        {
            foreach (PartitionMetadata at in topic.Partitions)
            {
                var partition = new TopicPartition(topic.Name, at.Index);
                long logStart = (await admin.OffsetAsync(partition, OffsetSpec.Earliest, cancellation)).Offset;
                long end = (await admin.OffsetAsync(partition, OffsetSpec.Latest, cancellation)).Offset;
                long first = fromOffset ?? (fromTime is { } time ? (await admin.OffsetAsync(partition, OffsetSpec.At(time), cancellation)).Offset is >= 0 and var found ? found : end : logStart);
                starts.Add(new RebuildStart(new LogIdentity(sink, clusterId, topic.TopicId, topic.Name, at.Index), logStart, Math.Clamp(first, logStart, end)));
            }
        }
        return starts;
    }
}
