namespace LogPipeline.Broker.Partitions;

/// <summary>What the cluster has decided about a partition. Immutable: a new decision is a new state with a higher leader epoch.</summary>
/// <param name="Leader">Node id of the leader.</param>
/// <param name="LeaderEpoch">Rises with every change of leader and every start of it, so that clients notice both.</param>
/// <param name="Replicas">Node ids of all that keep a copy.</param>
/// <param name="InSync">Node ids of those whose copy is as long as the leader's; the leader is one of them.</param>
internal sealed record PartitionState(int Leader, int LeaderEpoch, IReadOnlyList<int> Replicas, IReadOnlyList<int> InSync)
{
    /// <summary>A partition with one copy.</summary>
    public static PartitionState Single(int node, int leaderEpoch) => new(node, leaderEpoch, [node], [node]);
}
