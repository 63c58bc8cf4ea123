namespace LogPipeline.Client.Metadata;

/// <summary>Asks a partition's leader, again while leadership moves.</summary>
internal static class PartitionQueries
{
    /// <param name="cluster">The cluster.</param>
    /// <param name="partition">Whose offset.</param>
    /// <param name="spec">Which one.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <param name="readCommitted">Whether open transactions bound the latest offset.</param>
    public static ValueTask<OffsetFound> OffsetAsync(
        this ClusterClient cluster, TopicPartition partition, OffsetSpec spec, CancellationToken ct, bool readCommitted = false) =>
        cluster.AskLeaderAsync(partition, (leader, inner) => leader.OffsetAsync(spec, inner, readCommitted), ct);

    public static ValueTask<EpochEnd> EpochEndAsync(this ClusterClient cluster, TopicPartition partition, int leaderEpoch, CancellationToken ct) =>
        cluster.AskLeaderAsync(partition, (leader, inner) => leader.EpochEndAsync(leaderEpoch, inner), ct);

    public static ValueTask<IReadOnlyList<ActiveProducer>> ProducersAsync(this ClusterClient cluster, TopicPartition partition, CancellationToken ct) =>
        cluster.AskLeaderAsync(partition, static (leader, inner) => leader.ProducersAsync(inner), ct);

    /// <summary>What the leader has stored of a producer, null for nothing, and which broker that was.</summary>
    public static ValueTask<(ActiveProducer? Producer, BrokerEndpoint Leader)> ProducerAsync(
        this ClusterClient cluster, TopicPartition partition, long producerId, CancellationToken ct) =>
        cluster.AskLeaderAsync(partition, async (leader, inner) => (await leader.ProducerAsync(producerId, inner), leader.Endpoint), ct);

    public static ValueTask<long> DeleteRecordsAsync(this ClusterClient cluster, TopicPartition partition, long offset, CancellationToken ct) =>
        cluster.AskLeaderAsync(partition, (leader, inner) => leader.DeleteRecordsAsync(offset, inner), ct);

    private static ValueTask<T> AskLeaderAsync<T>(
        this ClusterClient cluster, TopicPartition partition, Func<PartitionLeader, CancellationToken, Task<T>> ask, CancellationToken ct) =>
        cluster.Retry.RunAsync(
            async (attempt, inner) =>
            {
                if (attempt > 0)
                {
                    cluster.Invalidate(partition.Topic);
                }
                return await ask(new PartitionLeader(await cluster.LeaderAsync(partition, 0, inner), partition, Guid.Empty, cluster.Options.RequestTimeout), inner);
            },
            cluster.Options.LookupTimeout,
            ct);
}
