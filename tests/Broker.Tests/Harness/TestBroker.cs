using LogPipeline.Protocol;
using LogPipeline.Protocol.Compression;
using LogPipeline.Protocol.Messages;
using LogPipeline.Protocol.Records;
using LogPipeline.Protocol.Wire;
using LogPipeline.Testing.Files;
using LogPipeline.Testing.Logging;
using LogPipeline.Testing.Time;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Broker.Tests.Harness;

/// <summary>A broker on a disk in memory and a clock that the test moves; it can be stopped, killed and started again.</summary>
internal sealed class TestBroker : IAsyncDisposable
{
    private static readonly TimeSpan MaintenanceInterval = TimeSpan.FromMinutes(5);

    private readonly Dictionary<string, string> _settings;
    private int _seed = 1;

    public TestBroker(params (string Name, string Value)[] settings)
    {
        _settings = settings.ToDictionary(s => s.Name, s => s.Value);
        _settings.TryAdd("offsets.topic.num.partitions", "2");
        _settings.TryAdd("log.journal.bytes", "262144");
        _settings.TryAdd("log.retention.check.interval.ms", $"{MaintenanceInterval.TotalMilliseconds}");
        Disk = new MemoryDisk(Time);
        Start();
    }

    public ManualTime Time { get; } = new();

    public MemoryDisk Disk { get; }

    public MemoryFileSystem Files { get; private set; } = null!;

    /// <summary>Called before each call to the file system, from the next start on.</summary>
    public Action<FileCall>? BeforeFiles { get; set; }

    public BrokerCore Core { get; private set; } = null!;

    /// <summary>Why the broker could not go on; null while it can.</summary>
    public Exception? Fatal { get; private set; }

    /// <summary>Told instead of <see cref="Fatal"/>.</summary>
    public Action<Exception>? OnFatal { get; set; }

    /// <summary>Warnings and errors of all lives.</summary>
    public WarningLog Log { get; } = new();

    public TestClient Connect(string clientId = "test") => new(Core, Time) { ClientId = clientId };

    /// <summary>Stops cleanly and starts again.</summary>
    public async Task RestartAsync(Action? meanwhile = null)
    {
        await Core.CloseAsync();
        Core.Dispose();
        meanwhile?.Invoke();
        Start();
    }

    /// <summary>Cuts the power and starts again.</summary>
    public void Crash()
    {
        Files.Kill();
        Core.Groups.Close();
        Core.Maintenance.Dispose();
        Disk.LosePower(new Random(_seed));
        Start();
    }

    /// <summary>kill -9, and starts again.</summary>
    public void Kill()
    {
        Files.Kill();
        Core.Groups.Close();
        Core.Maintenance.Dispose();
        Start();
    }

    /// <summary>Lets time pass, and returns when a round of maintenance that began thereafter is over.</summary>
    public async Task MaintainAsync(TimeSpan wait)
    {
        await Core.Maintenance.CloseAsync(); // no rounds but those that the test asks for
        await Core.Scrub.CloseAsync();
        Time.Advance(wait);
        await Core.Maintenance.RoundAsync(CancellationToken.None);
    }

    public async ValueTask DisposeAsync()
    {
        if (Files.IsAlive)
        {
            await Core.CloseAsync();
            Core.Dispose();
        }
    }

    private void Start()
    {
        Files = new MemoryFileSystem(Disk) { Before = BeforeFiles };
        var options = new BrokerOptions { DataDirectory = "/data", Settings = _settings, LoggerFactory = new OneLogger(Log), OnFatal = e => (OnFatal ?? (fatal => Fatal = fatal))(e) };
        Core = BrokerCore.Open(options, Files, Time, new Random(_seed++));
    }
}

/// <summary>Hands the same logger to all.</summary>
internal sealed class OneLogger(ILogger logger) : ILoggerFactory
{
    public ILogger CreateLogger(string categoryName) => logger;

    public void AddProvider(ILoggerProvider provider)
    {
    }

    public void Dispose()
    {
    }
}

/// <summary>Requests that many tests need.</summary>
internal static class Ask
{
    public static byte[] Batch(int records, long producerId = -1, short epoch = -1, int sequence = -1, int size = 10)
    {
        using var builder = new RecordBatchBuilder(CompressionCodec.None, 16 << 20);
        for (int i = 0; i < records; i++)
        {
            builder.TryAppend(1_767_225_600_000 + i, new byte[size]);
        }
        return builder.Build(producerId, epoch, sequence).ToArray();
    }

    public static ProduceRequest Produce(string topic, byte[] batch, int partition = 0, short acks = -1) => new()
    {
        Acks = acks,
        TimeoutMs = 1000,
        TopicData = [new() { Name = topic, PartitionData = [new() { Index = partition, Records = new RecordSet(batch) }] }],
    };

    public static async Task<ProduceResponse.Response.PartitionResponse> ProduceAsync(
        this TestClient client, string topic, byte[] batch, int partition = 0, short acks = -1, short version = 9)
    {
        ProduceResponse response = await client.SendAsync<ProduceRequest, ProduceResponse>(Produce(topic, batch, partition, acks), version);
        return response.Responses[0].PartitionResponses[0];
    }

    public static async Task<CreateTopicsResponse.Topic> CreateTopicAsync(
        this TestClient client, string topic, int partitions = 1, short replicas = 1, params (string Name, string? Value)[] configs)
    {
        var request = new CreateTopicsRequest
        {
            Topics = [new()
            {
                Name = topic, NumPartitions = partitions, ReplicationFactor = replicas,
                Configs = [.. configs.Select(c => new CreateTopicsRequest.Topic.Config { Name = c.Name, Value = c.Value })],
            }],
        };
        return (await client.SendAsync<CreateTopicsRequest, CreateTopicsResponse>(request)).Topics[0];
    }

    public static async Task CreatedAsync(this TestClient client, string topic, int partitions = 1) =>
        Assert.Equal(ErrorCode.None, (await client.CreateTopicAsync(topic, partitions)).ErrorCode);

    public static async Task<MetadataResponse.Topic> MetadataAsync(this TestClient client, string topic, bool create = false, short version = 9)
    {
        var request = new MetadataRequest { Topics = [new() { Name = topic }], AllowAutoTopicCreation = create };
        return (await client.SendAsync<MetadataRequest, MetadataResponse>(request, version)).Topics[0];
    }

    public static FetchRequest Fetch(string topic, long offset, int maxWaitMs = 0, int minBytes = 1, int partition = 0) => new()
    {
        MaxWaitMs = maxWaitMs,
        MinBytes = minBytes,
        Topics = [new() { Name = topic, Partitions = [new() { Index = partition, FetchOffset = offset, PartitionMaxBytes = 1 << 20 }] }],
    };

    public static Task<FetchResponse> FetchAsync(this TestClient client, FetchRequest request, short version = 11) =>
        client.SendAsync<FetchRequest, FetchResponse>(request, version);

    /// <summary>Base offsets of the batches in a fetched partition.</summary>
    public static List<long> BaseOffsets(this FetchResponse.Response.Partition partition)
    {
        var offsets = new List<long>();
        for (ReadOnlyMemory<byte> rest = partition.Records.Memory; BatchHeader.TryParse(rest.Span, out BatchHeader header); rest = rest[header.SizeInBytes..])
        {
            Assert.True(RecordBatch.CrcIsValid(rest.Span[..header.SizeInBytes]));
            offsets.Add(header.BaseOffset);
        }
        return offsets;
    }
}
