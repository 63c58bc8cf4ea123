namespace LogPipeline.Broker.Cluster;

/// <summary>What the cluster has decided about a partition. Immutable: a new decision is a new state.</summary>
/// <param name="Leader">Node id of the leader; <see cref="NoLeader"/> when no replica can lead.</param>
/// <param name="LeaderEpoch">Rises with every change of leader and every start of it, so that clients notice both.</param>
/// <param name="PartitionEpoch">Rises with every change.</param>
/// <param name="Replicas">Node ids of all that keep a copy, the preferred leader first.</param>
/// <param name="InSync">Node ids of those whose copy is as long as the leader's; the leader is one of them.</param>
internal sealed record PartitionState(
    int Leader, int LeaderEpoch, int PartitionEpoch, IReadOnlyList<int> Replicas, IReadOnlyList<int> InSync)
{
    public const int NoLeader = -1;

    /// <summary>A partition with one copy.</summary>
    public static PartitionState Single(int node, int leaderEpoch) => new(node, leaderEpoch, 0, [node], [node]);
}
