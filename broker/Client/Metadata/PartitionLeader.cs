using LogPipeline.Client.Connections;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;
using LogPipeline.Protocol.Wire;

namespace LogPipeline.Client.Metadata;

/// <summary>
/// What a partition's leader is sent and asked, over one connection, each once: repeating it, and finding the leader again, is the caller's
/// (<see cref="PartitionQueries"/>, or the agent, which settles what is under way before it goes on). Throws when no answer came; a refusal
/// is a <see cref="BrokerErrorException"/>, but for <see cref="ProduceAsync"/>, which returns it.
/// </summary>
/// <param name="connection">The connection to the leader.</param>
/// <param name="partition">The partition.</param>
/// <param name="topicId">The topic's id; empty where it is not known or not needed.</param>
/// <param name="requestTimeout">How long an answer may take, and how long the leader may wait for others before it gives one.</param>
public sealed class PartitionLeader(BrokerConnection connection, TopicPartition partition, Guid topicId, TimeSpan requestTimeout)
{
    /// <summary>The last version of Produce that names topics; later ones know them by id.</summary>
    public const short LastProduceByName = 12;

    /// <summary>All in-sync replicas.</summary>
    private const short AcksAll = -1;

    private const short LastFetchByName = 12;
    private const int FetchBytes = 4 << 20;
    private static readonly TimeSpan FetchWait = TimeSpan.FromMilliseconds(100);

    public BrokerEndpoint Endpoint => connection.Endpoint;

    public bool IsBroken => connection.IsBroken;

    /// <summary>Ends when the connection is broken.</summary>
    public Task WhenBroken => connection.WhenBroken;

    /// <summary>Whether it can be asked for a partition's producers (KIP-664).</summary>
    public bool CanDescribeProducers => connection.Speaks(DescribeProducersRequest.Api);

    /// <summary>Whether it can be asked where a leader epoch ends (KIP-101).</summary>
    public bool KnowsEpochs => connection.Speaks(OffsetForLeaderEpochRequest.Api);

    /// <summary>Sends one batch as it is, with acks=all, and returns what the broker says of it.</summary>
    /// <param name="batch">The encoded batch; it must stay as it is until the task ends.</param>
    /// <param name="ct">Ends the wait, not the request.</param>
    public async Task<ProduceAnswer> ProduceAsync(ReadOnlyMemory<byte> batch, CancellationToken ct)
    {
        var request = new ProduceRequest
        {
            Acks = AcksAll,
            TimeoutMs = TimeoutMs,
            TopicData =
            [
                new() { Name = partition.Topic, TopicId = topicId, PartitionData = [new() { Index = partition.Partition, Records = new RecordSet(batch) }] },
            ],
        };
        short cap = HasTopicId ? short.MaxValue : LastProduceByName;
        ProduceResponse response = await connection.SendAsync<ProduceRequest, ProduceResponse>(request, cap, requestTimeout, ct);
        ProduceResponse.Response.PartitionResponse answer =
            Only(response.Responses.SelectMany(t => t.PartitionResponses).Where(p => p.Index == partition.Partition));
        return new ProduceAnswer(answer.ErrorCode, answer.BaseOffset, answer.ErrorMessage ?? "");
    }

    /// <summary>The producers that the partition remembers, by id.</summary>
    public async Task<IReadOnlyList<ActiveProducer>> ProducersAsync(CancellationToken ct)
    {
        var request = new DescribeProducersRequest { Topics = [new() { Name = partition.Topic, PartitionIndexes = [partition.Partition] }] };
        DescribeProducersResponse answer = await AskAsync<DescribeProducersRequest, DescribeProducersResponse>(request, ct);
        DescribeProducersResponse.Topic.Partition found = Only(answer.Topics.SelectMany(t => t.Partitions));
        Check(found.ErrorCode, "its producers");
        return
        [
            .. found.ActiveProducers
                .Select(p => new ActiveProducer(p.ProducerId, p.ProducerEpoch, p.LastSequence, p.LastTimestamp))
                .OrderBy(p => p.ProducerId),
        ];
    }

    /// <summary>The producer as the partition remembers it; null when it does not.</summary>
    public async Task<ActiveProducer?> ProducerAsync(long producerId, CancellationToken ct)
    {
        foreach (ActiveProducer producer in await ProducersAsync(ct))
        {
            if (producer.ProducerId == producerId)
            {
                return producer;
            }
        }
        return null;
    }

    /// <param name="spec">Which offset.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <param name="readCommitted">Whether open transactions bound the latest offset.</param>
    public async Task<OffsetFound> OffsetAsync(OffsetSpec spec, CancellationToken ct, bool readCommitted = false)
    {
        var request = new ListOffsetsRequest
        {
            ReplicaId = -1,
            IsolationLevel = (sbyte)(readCommitted ? 1 : 0),
            TimeoutMs = TimeoutMs,
            Topics = [new() { Name = partition.Topic, Partitions = [new() { PartitionIndex = partition.Partition, Timestamp = spec.Timestamp, MaxNumOffsets = 1 }] }],
        };
        ListOffsetsResponse answer = await AskAsync<ListOffsetsRequest, ListOffsetsResponse>(request, ct);
        ListOffsetsResponse.Topic.Partition found = Only(answer.Topics.SelectMany(t => t.Partitions));
        Check(found.ErrorCode, "its offset");
        return new OffsetFound(found.OldStyleOffsets.Count > 0 ? found.OldStyleOffsets[0] : found.Offset, found.Timestamp, found.LeaderEpoch);
    }

    /// <summary>Where a leader epoch ended: at the end of the log if it lasts.</summary>
    public async Task<EpochEnd> EpochEndAsync(int leaderEpoch, CancellationToken ct)
    {
        var request = new OffsetForLeaderEpochRequest
        {
            ReplicaId = -1,
            Topics = [new() { Name = partition.Topic, Partitions = [new() { Index = partition.Partition, LeaderEpoch = leaderEpoch }] }],
        };
        OffsetForLeaderEpochResponse answer = await AskAsync<OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse>(request, ct);
        OffsetForLeaderEpochResponse.Topic.Partition found = Only(answer.Topics.SelectMany(t => t.Partitions));
        Check(found.ErrorCode, $"the end of epoch {leaderEpoch}");
        return new EpochEnd(found.LeaderEpoch, found.EndOffset);
    }

    /// <summary>Deletes the records before an offset and returns the log's new start.</summary>
    public async Task<long> DeleteRecordsAsync(long offset, CancellationToken ct)
    {
        var request = new DeleteRecordsRequest
        {
            TimeoutMs = TimeoutMs,
            Topics = [new() { Name = partition.Topic, Partitions = [new() { PartitionIndex = partition.Partition, Offset = offset }] }],
        };
        DeleteRecordsResponse answer = await AskAsync<DeleteRecordsRequest, DeleteRecordsResponse>(request, ct);
        DeleteRecordsResponse.Topic.Partition deleted = Only(answer.Topics.SelectMany(t => t.Partitions));
        Check(deleted.ErrorCode, $"its records before offset {offset}");
        return deleted.LowWatermark;
    }

    /// <summary>Returns batches from an offset on, back to back, the last perhaps cut; empty at the high watermark.</summary>
    public async Task<ReadOnlyMemory<byte>> FetchAsync(long offset, CancellationToken ct)
    {
        var asked = new FetchRequest.Topic.Partition { Index = partition.Partition, FetchOffset = offset, PartitionMaxBytes = FetchBytes };
        var request = new FetchRequest
        {
            MaxWaitMs = (int)FetchWait.TotalMilliseconds,
            MinBytes = 1,
            MaxBytes = FetchBytes,
            Topics = [new() { Name = partition.Topic, TopicId = topicId, Partitions = [asked] }],
        };
        short cap = HasTopicId ? short.MaxValue : LastFetchByName;
        FetchResponse response = await connection.SendAsync<FetchRequest, FetchResponse>(request, cap, requestTimeout, ct);
        Check(response.ErrorCode, $"fetching at {offset}");
        FetchResponse.Response.Partition answer = Only(response.Responses.SelectMany(t => t.Partitions));
        Check(answer.ErrorCode, $"fetching at {offset}");
        return answer.Records.Memory;
    }

    private bool HasTopicId => topicId != Guid.Empty;

    private int TimeoutMs => (int)requestTimeout.TotalMilliseconds;

    private Task<TResponse> AskAsync<TRequest, TResponse>(TRequest request, CancellationToken ct)
        where TRequest : class, IRequest<TResponse>
        where TResponse : class, IWireStruct, new() =>
        connection.SendAsync<TRequest, TResponse>(request, short.MaxValue, requestTimeout, ct);

    /// <summary>The answer for the one partition that was asked about.</summary>
    private T Only<T>(IEnumerable<T> answers) =>
        answers.FirstOrDefault() ?? throw new BrokerErrorException(ErrorCode.UnknownServerError, $"the broker's answer leaves out {partition}");

    private void Check(ErrorCode code, string what)
    {
        if (code != ErrorCode.None)
        {
            throw new BrokerErrorException(code, $"{partition}: {what}: {code}");
        }
    }
}

/// <summary>What a broker said of a batch.</summary>
/// <param name="Error">0 where it is stored.</param>
/// <param name="BaseOffset">The offset of its first record.</param>
/// <param name="Message">The broker's words, if it had any.</param>
public readonly record struct ProduceAnswer(ErrorCode Error, long BaseOffset, string Message);
