using LogPipeline.Agent.State;
using LogPipeline.Client;
using LogPipeline.Client.Connections;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;
using LogPipeline.Protocol.Wire;

namespace LogPipeline.Agent.Shipping;

/// <summary>The questions an agent asks a log's leader, over one connection. Each throws when no answer came.</summary>
internal sealed class LogLink(BrokerConnection connection, string topic, LogIdentity identity, TimeSpan requestTimeout)
{
    private const int FetchBytes = 4 << 20;

    public LogIdentity Identity => identity;

    public bool IsBroken => connection.IsBroken;

    /// <summary>Ends when the connection is broken.</summary>
    public Task WhenBroken => connection.WhenBroken;

    public bool CanDescribeProducers => connection.Speaks(DescribeProducersRequest.Api);

    /// <summary>Sends one batch with acks=all; gives what the broker says of it.</summary>
    public async Task<ProduceAnswer> ProduceAsync(ReadOnlyMemory<byte> batch, CancellationToken cancellation)
    {
        var request = new ProduceRequest
        {
            Acks = -1,
            TimeoutMs = (int)requestTimeout.TotalMilliseconds,
            TopicData =
            [
                new() { Name = topic, TopicId = identity.TopicId, PartitionData = [new() { Index = identity.Partition, Records = new RecordSet(batch) }] },
            ],
        };
        ProduceResponse response = await connection.SendAsync<ProduceRequest, ProduceResponse>(request, cancellation);
        return response.Responses is [{ PartitionResponses: [{ } answer] }] && answer.Index == identity.Partition
            ? new ProduceAnswer(answer.ErrorCode, answer.BaseOffset, answer.ErrorMessage ?? "")
            : throw Odd();
    }

    /// <summary>The producer as the broker knows it; null when it does not.</summary>
    public async Task<ProducerSeen?> DescribeAsync(long producerId, CancellationToken cancellation)
    {
        var request = new DescribeProducersRequest { Topics = [new() { Name = topic, PartitionIndexes = [identity.Partition] }] };
        DescribeProducersResponse response =
            await connection.SendAsync<DescribeProducersRequest, DescribeProducersResponse>(request, cancellation);
        if (response.Topics is not [{ Partitions: [{ } partition] }])
        {
            throw Odd();
        }
        Check(partition.ErrorCode, "describing producers");
        return partition.ActiveProducers.Find(p => p.ProducerId == producerId) is { } found
            ? new ProducerSeen((short)found.ProducerEpoch, found.LastSequence)
            : null;
    }

    /// <summary>The high watermark and the epoch of the leader that says it.</summary>
    public Task<LogEnd> EndAsync(CancellationToken cancellation) => OffsetAsync(-1, cancellation);

    public async Task<long> StartAsync(CancellationToken cancellation) => (await OffsetAsync(-2, cancellation)).Offset;

    /// <summary>Where a leader epoch ended: the end of the log if it lasts; null when the broker cannot tell.</summary>
    public async Task<long?> EndOfEpochAsync(int leaderEpoch, CancellationToken cancellation)
    {
        if (leaderEpoch < 0 || !connection.Speaks(OffsetForLeaderEpochRequest.Api))
        {
            return null;
        }
        var request = new OffsetForLeaderEpochRequest
        {
            ReplicaId = -1,
            Topics = [new() { Name = topic, Partitions = [new() { Index = identity.Partition, LeaderEpoch = leaderEpoch }] }],
        };
        OffsetForLeaderEpochResponse response =
            await connection.SendAsync<OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse>(request, cancellation);
        return response.Topics is [{ Partitions: [{ ErrorCode: ErrorCode.None, EndOffset: >= 0 } partition] }] ? partition.EndOffset : null;
    }

    /// <summary>Batches from an offset on, back to back, the last perhaps cut; empty at the high watermark.</summary>
    public async Task<ReadOnlyMemory<byte>> FetchAsync(long offset, CancellationToken cancellation)
    {
        var partition = new FetchRequest.Topic.Partition { Index = identity.Partition, FetchOffset = offset, PartitionMaxBytes = FetchBytes };
        var request = new FetchRequest
        {
            MaxWaitMs = 100,
            MinBytes = 1,
            MaxBytes = FetchBytes,
            Topics = [new() { Name = topic, TopicId = identity.TopicId, Partitions = [partition] }],
        };
        FetchResponse response = await connection.SendAsync<FetchRequest, FetchResponse>(request, cancellation);
        Check(response.ErrorCode, "fetching");
        if (response.Responses is not [{ Partitions: [{ } answer] }])
        {
            throw Odd();
        }
        Check(answer.ErrorCode, "fetching");
        return answer.Records.Memory;
    }

    private async Task<LogEnd> OffsetAsync(long timestamp, CancellationToken cancellation)
    {
        var request = new ListOffsetsRequest
        {
            ReplicaId = -1,
            TimeoutMs = (int)requestTimeout.TotalMilliseconds,
            Topics = [new() { Name = topic, Partitions = [new() { PartitionIndex = identity.Partition, Timestamp = timestamp }] }],
        };
        ListOffsetsResponse response = await connection.SendAsync<ListOffsetsRequest, ListOffsetsResponse>(request, cancellation);
        if (response.Topics is not [{ Partitions: [{ } partition] }])
        {
            throw Odd();
        }
        Check(partition.ErrorCode, "listing offsets");
        return new LogEnd(partition.Offset, partition.LeaderEpoch);
    }

    private static void Check(ErrorCode code, string doing)
    {
        if (code != ErrorCode.None)
        {
            throw new BrokerErrorException(code, $"{doing}: {code}");
        }
    }

    private static BrokerErrorException Odd() =>
        new(ErrorCode.UnknownServerError, "the broker's answer does not name the partition that was asked about");
}

/// <summary>What a broker said of a batch.</summary>
internal readonly record struct ProduceAnswer(ErrorCode Error, long BaseOffset, string Message);

/// <summary>A producer as the broker knows it in a log.</summary>
internal readonly record struct ProducerSeen(short Epoch, int LastSequence);
