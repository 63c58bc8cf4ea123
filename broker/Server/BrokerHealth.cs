using LogPipeline.Broker.Cluster;
using LogPipeline.Broker.Partitions;
using LogPipeline.Broker.Topics;
using LogPipeline.Storage;

namespace LogPipeline.Broker;

/// <summary>What keeps a broker that runs from doing all it should. It only reads state, so any thread may ask at any time.</summary>
internal sealed class BrokerHealth(ClusterMetadata cluster, TopicRegistry topics, DataDirectory directory)
{
    /// <summary>One line; null when all is well.</summary>
    public string? Problem
    {
        get
        {
            List<string> problems = [];
            if (cluster.OfflineReason is { } reason)
            {
                problems.Add($"the metadata log is offline until the next start, nothing about topics or settings can be changed ({reason.Message})");
            }
            (Partition Partition, string Reason)[] offline = [.. Offline()];
            if (offline.Length > 0)
            {
                (Partition first, string cause) = offline[0];
                problems.Add($"{offline.Length} partitions are offline, the first is {first.Topic}-{first.Number} ({cause})");
            }
            if (directory.JournalProblem is { } why)
            {
                problems.Add($"the commit journal is off until the next start, small batches are slow ({why})");
            }
            (PartitionLog Log, DamagedBatch Batch)[] damaged = [.. directory.Logs.SelectMany(static log => log.DamagedBatches, static (log, batch) => (log, batch))];
            if (damaged.Length > 0)
            {
                (PartitionLog log, DamagedBatch batch) = damaged[0];
                problems.Add($"{damaged.Length} batches are damaged and not served, the first is {log.Topic}-{log.Partition} at offset {batch.FirstOffset}");
            }
            if (directory.IsShortOfSpace)
            {
                problems.Add("the disk is nearly full, producers are refused");
            }
            return problems.Count == 0 ? null : string.Join("; ", problems);
        }
    }

    private IEnumerable<(Partition Partition, string Reason)> Offline() =>
        from topic in topics.All
        from partition in topic.Partitions
        let reason = partition.WhyOffline
        where reason is not null
        select (partition, reason);
}
