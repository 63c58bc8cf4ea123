using System.Net;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Compression;
using LogPipeline.Protocol.Messages;
using LogPipeline.Protocol.Records;
using LogPipeline.Protocol.Wire;

namespace LogPipeline.Compare;

/// <summary>
/// One broker as the questions find it. Topic t has two partitions, t-0 five records in two batches of which the first one is deleted;
/// timely takes timestamps within a second only, compacted wants keys; empty has no records, a.b is there for names that collide with it, doomed for what is removed. Group g has committed t-0 at 2.
/// </summary>
internal sealed class Scene(IPEndPoint endpoint) : IDisposable
{
    public const long Time = 1_767_225_600_000; // 2026-01-01

    // Retention must not take what the questions ask for.
    private static readonly (string Name, string Value) Forever = ("retention.ms", "-1");

    private Link? _link;

    /// <summary>Ids of the topics that were prepared.</summary>
    public Dictionary<string, Guid> Ids { get; } = [];

    public async Task PrepareAsync()
    {
        await CreateAsync("t", 2, Forever);
        await CreateAsync("empty", 1, Forever);
        await CreateAsync("a.b", 1);
        await CreateAsync("stamped", 1, Forever, ("message.timestamp.type", "LogAppendTime"));
        await CreateAsync("compacted", 1, Forever, ("cleanup.policy", "compact"));
        await CreateAsync("timely", 1, Forever, ("message.timestamp.before.max.ms", "1000"), ("message.timestamp.after.max.ms", "1000"));
        await ProduceAsync("t", Batch(2));
        await ProduceAsync("t", Batch(3));
        await AskAsync<DeleteRecordsRequest, DeleteRecordsResponse>(
            new() { TimeoutMs = 5000, Topics = [new() { Name = "t", Partitions = [new() { Offset = 1 }] }] }, 2);
        await UntilAsync(async () => await AskAsync<InitProducerIdRequest, InitProducerIdResponse>(new(), 4) is { ErrorCode: ErrorCode.None });
        await UntilAsync(async () => (await AskAsync<FindCoordinatorRequest, FindCoordinatorResponse>(
            new() { Key = "g" }, 2)) is { ErrorCode: ErrorCode.None });
        await UntilAsync(async () => (await AskAsync<OffsetCommitRequest, OffsetCommitResponse>(
            new() { GroupId = "g", Topics = [new() { Name = "t", Partitions = [new() { CommittedOffset = 2, CommittedMetadata = "m" }] }] }, 8))
            is { } commit && commit.Topics[0].Partitions[0].ErrorCode == ErrorCode.None);
    }

    /// <summary>Creates a topic and waits until it can be written to.</summary>
    public async Task CreateAsync(string name, int partitions, params (string Name, string Value)[] configs)
    {
        await AskAsync<CreateTopicsRequest, CreateTopicsResponse>(
            new()
            {
                Topics = [new()
                {
                    Name = name, NumPartitions = partitions, ReplicationFactor = 1,
                    Configs = [.. configs.Select(static config => new CreateTopicsRequest.Topic.Config { Name = config.Name, Value = config.Value })],
                }],
            },
            7);
        await UntilAsync(async () => await FindAsync(name) is { ErrorCode: ErrorCode.None } topic && topic.Partitions.TrueForAll(static one => one.ErrorCode == ErrorCode.None));
        Ids[name] = (await FindAsync(name))!.TopicId;
    }

    public async Task ProduceAsync(string topic, byte[] batch) =>
        await UntilAsync(async () => (await AskAsync<ProduceRequest, ProduceResponse>(Produce(topic, batch), 9))
            is { } response && response.Responses[0].PartitionResponses[0].ErrorCode == ErrorCode.None);

    public static ProduceRequest Produce(string topic, byte[] batch, int partition = 0, short acks = -1) => new()
    {
        Acks = acks,
        TimeoutMs = 5000,
        TopicData = [new() { Name = topic, PartitionData = [new() { Index = partition, Records = new RecordSet(batch) }] }],
    };

    public static byte[] Batch(int records, CompressionCodec codec = CompressionCodec.None, long time = Time)
    {
        using var builder = new RecordBatchBuilder(codec, 1 << 20);
        for (int i = 0; i < records; i++)
        {
            builder.TryAppend(time + i, new byte[20]);
        }
        return builder.Build().ToArray();
    }

    /// <summary>The answer; null when the connection was closed. The next request then opens another.</summary>
    public async Task<TResponse?> AskAsync<TRequest, TResponse>(TRequest request, short version)
        where TRequest : class, IRequest<TResponse>
        where TResponse : class, IWireStruct, new()
    {
        _link ??= await Link.OpenAsync(endpoint);
        TResponse? response = await _link.AskAsync<TRequest, TResponse>(request, version);
        if (response is null)
        {
            _link.Dispose();
            _link = null;
        }
        return response;
    }

    public void Dispose() => _link?.Dispose();

    private async Task<MetadataResponse.Topic?> FindAsync(string name) =>
        (await AskAsync<MetadataRequest, MetadataResponse>(new() { Topics = [new() { Name = name }], AllowAutoTopicCreation = false }, 12))?.Topics[0];

    private async Task UntilAsync(Func<Task<bool>> condition)
    {
        for (int tries = 0; !await condition(); tries++)
        {
            if (tries == 100)
            {
                throw new IOException($"The scene cannot be prepared: {endpoint} answers otherwise.");
            }
            await Task.Delay(TimeSpan.FromMilliseconds(100));
        }
    }
}
