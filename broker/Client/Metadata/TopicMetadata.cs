using LogPipeline.Protocol;

namespace LogPipeline.Client.Metadata;

/// <summary>A topic as a broker last described it.</summary>
/// <param name="Name">The topic's name.</param>
/// <param name="TopicId">Zero where the broker has no topic ids.</param>
/// <param name="IsInternal">Whether it is the broker's own.</param>
/// <param name="Partitions">Ordered by number.</param>
public sealed record TopicMetadata(string Name, Guid TopicId, bool IsInternal, IReadOnlyList<PartitionMetadata> Partitions)
{
    /// <summary>The partition, or null where the topic has no such one.</summary>
    public PartitionMetadata? Find(int partition) =>
        partition >= 0 && partition < Partitions.Count && Partitions[partition].Index == partition
            ? Partitions[partition]
            : Partitions.FirstOrDefault(p => p.Index == partition);
}

/// <summary>A partition as a broker last described it.</summary>
/// <param name="Index">Its number.</param>
/// <param name="LeaderId">Node id of its leader, -1 for none.</param>
/// <param name="LeaderEpoch">-1 where the broker does not say.</param>
/// <param name="Replicas">Node ids of all replicas.</param>
/// <param name="InSyncReplicas">Node ids of the in-sync ones.</param>
/// <param name="Error">What keeps it from being used, if anything.</param>
public sealed record PartitionMetadata(
    int Index, int LeaderId, int LeaderEpoch, IReadOnlyList<int> Replicas, IReadOnlyList<int> InSyncReplicas, ErrorCode Error);

/// <summary>A broker of the cluster.</summary>
/// <param name="NodeId">Its node id.</param>
/// <param name="Endpoint">Where it listens.</param>
/// <param name="Rack">Where it stands, if it says.</param>
public sealed record BrokerNode(int NodeId, BrokerEndpoint Endpoint, string? Rack);
