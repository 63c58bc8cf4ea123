using LogPipeline.Client.Connections;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;

namespace LogPipeline.Client.Metadata;

/// <summary>Requests that only a partition's leader answers, repeated while leadership moves.</summary>
internal static class PartitionQueries
{
    /// <param name="cluster">The cluster.</param>
    /// <param name="partition">Whose offset.</param>
    /// <param name="spec">Which one.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <param name="readCommitted">Whether open transactions bound the latest offset.</param>
    public static ValueTask<OffsetFound> OffsetAsync(
        this ClusterClient cluster, TopicPartition partition, OffsetSpec spec, CancellationToken ct, bool readCommitted = false) =>
        cluster.AskLeaderAsync(
            partition,
            async (leader, inner) =>
            {
                var request = new ListOffsetsRequest
                {
                    ReplicaId = -1,
                    IsolationLevel = (sbyte)(readCommitted ? 1 : 0),
                    TimeoutMs = (int)cluster.Options.RequestTimeout.TotalMilliseconds,
                    Topics =
                    [
                        new() { Name = partition.Topic, Partitions = [new() { PartitionIndex = partition.Partition, Timestamp = spec.Timestamp, MaxNumOffsets = 1 }] },
                    ],
                };
                ListOffsetsResponse answer = await leader.SendAsync<ListOffsetsRequest, ListOffsetsResponse>(request, inner);
                ListOffsetsResponse.Topic.Partition found = Only(answer.Topics.SelectMany(t => t.Partitions), partition);
                Check(found.ErrorCode, $"{partition}: its offset");
                return new OffsetFound(found.OldStyleOffsets.Count > 0 ? found.OldStyleOffsets[0] : found.Offset, found.Timestamp, found.LeaderEpoch);
            },
            ct);

    public static ValueTask<EpochEnd> EpochEndAsync(this ClusterClient cluster, TopicPartition partition, int leaderEpoch, CancellationToken ct) =>
        cluster.AskLeaderAsync(
            partition,
            async (leader, inner) =>
            {
                var request = new OffsetForLeaderEpochRequest
                {
                    ReplicaId = -1,
                    Topics = [new() { Name = partition.Topic, Partitions = [new() { Index = partition.Partition, LeaderEpoch = leaderEpoch }] }],
                };
                OffsetForLeaderEpochResponse answer = await leader.SendAsync<OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse>(request, inner);
                OffsetForLeaderEpochResponse.Topic.Partition found = Only(answer.Topics.SelectMany(t => t.Partitions), partition);
                Check(found.ErrorCode, $"{partition}: the end of epoch {leaderEpoch}");
                return new EpochEnd(found.LeaderEpoch, found.EndOffset);
            },
            ct);

    public static ValueTask<IReadOnlyList<ActiveProducer>> ProducersAsync(this ClusterClient cluster, TopicPartition partition, CancellationToken ct) =>
        cluster.AskLeaderAsync<IReadOnlyList<ActiveProducer>>(
            partition,
            async (leader, inner) =>
            {
                var request = new DescribeProducersRequest { Topics = [new() { Name = partition.Topic, PartitionIndexes = [partition.Partition] }] };
                DescribeProducersResponse answer = await leader.SendAsync<DescribeProducersRequest, DescribeProducersResponse>(request, inner);
                DescribeProducersResponse.Topic.Partition found = Only(answer.Topics.SelectMany(t => t.Partitions), partition);
                Check(found.ErrorCode, $"{partition}: its producers");
                return
                [
                    .. found.ActiveProducers
                        .Select(p => new ActiveProducer(p.ProducerId, p.ProducerEpoch, p.LastSequence, p.LastTimestamp))
                        .OrderBy(p => p.ProducerId),
                ];
            },
            ct);

    public static ValueTask<long> DeleteRecordsAsync(this ClusterClient cluster, TopicPartition partition, long offset, CancellationToken ct) =>
        cluster.AskLeaderAsync(
            partition,
            async (leader, inner) =>
            {
                var request = new DeleteRecordsRequest
                {
                    TimeoutMs = (int)cluster.Options.RequestTimeout.TotalMilliseconds,
                    Topics = [new() { Name = partition.Topic, Partitions = [new() { PartitionIndex = partition.Partition, Offset = offset }] }],
                };
                DeleteRecordsResponse answer = await leader.SendAsync<DeleteRecordsRequest, DeleteRecordsResponse>(request, inner);
                DeleteRecordsResponse.Topic.Partition deleted = Only(answer.Topics.SelectMany(t => t.Partitions), partition);
                Check(deleted.ErrorCode, $"{partition}: its records before offset {offset}");
                return deleted.LowWatermark;
            },
            ct);

    private static ValueTask<T> AskLeaderAsync<T>(
        this ClusterClient cluster, TopicPartition partition, Func<BrokerConnection, CancellationToken, ValueTask<T>> ask, CancellationToken ct) =>
        cluster.Retry.RunAsync(
            async (attempt, inner) =>
            {
                if (attempt > 0)
                {
                    cluster.Invalidate(partition.Topic);
                }
                return await ask(await cluster.LeaderAsync(partition, 0, inner), inner);
            },
            cluster.Options.LookupTimeout,
            ct);

    private static T Only<T>(IEnumerable<T> answers, TopicPartition partition) =>
        answers.FirstOrDefault() ?? throw new InvalidDataException($"the broker's answer leaves out {partition}");

    private static void Check(ErrorCode code, string what)
    {
        if (code != ErrorCode.None)
        {
            throw new BrokerErrorException(code, $"{what}: {code}");
        }
    }
}
