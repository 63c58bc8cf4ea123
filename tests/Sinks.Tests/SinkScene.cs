using System.Text;
using LogPipeline.Broker;
using LogPipeline.Client;
using LogPipeline.Client.Connections;
using LogPipeline.Client.Metadata;
using LogPipeline.Client.Positions;
using LogPipeline.Client.Producing;
using LogPipeline.Files;
using LogPipeline.Sinks.Events;
using LogPipeline.Sinks.Verification;

namespace LogPipeline.Sinks.Tests;

/// <summary>A broker in process, a producer that speaks as an agent does, and sinks on it.</summary>
internal sealed class SinkScene : IAsyncDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("logpipe-scene-").FullName;
    private readonly Dictionary<int, long> _positions = [];
    private LogPipeline.Broker.Broker _broker = null!;
    private ClusterClient _cluster = null!;
    private Producer _producer = null!;

    public string Bootstrap => _broker.Endpoint.ToString();

    public static async Task<SinkScene> StartAsync()
    {
        var scene = new SinkScene();
        scene._broker = await LogPipeline.Broker.Broker.StartAsync(new BrokerOptions
        {
            DataDirectory = Path.Combine(scene._directory, "broker"),
            Listen = "127.0.0.1:0",
            Settings = new Dictionary<string, string> { ["num.partitions"] = "2" },
        });
        scene._cluster = new ClusterClient(new ClientOptions { Bootstrap = [scene.Bootstrap] }, new TcpConnector(), TimeProvider.System, new Random(1));
        scene._producer = new Producer(new ProducerOptions(), scene._cluster, TimeProvider.System, new Random(2));
        return scene;
    }

    /// <summary>Sends lines of one file a partition, each range following the one before.</summary>
    public async Task SendAsync(int partition, IEnumerable<string> lines)
    {
        var deliveries = new List<Task>();
        foreach (var line in lines)
        {
            var begin = _positions.GetValueOrDefault(partition);
            var end = begin + Encoding.UTF8.GetByteCount(line) + 1;
            _positions[partition] = end;
            deliveries.Add(SendAsync(partition, line, begin, end, PositionFlags.None));
            if (deliveries.Count == 1)
                await deliveries[0]; // only once the producer knows the partition do sends keep their order
        }
        await Task.WhenAll(deliveries);
    }

    public Task SendAsync(int partition, string line, long begin, long end, PositionFlags flags, int part = 0, long? lineBegin = null)
    {
        var position = new byte[RecordPosition.Size];
        new RecordPosition(flags, TestRows.Agent, (ulong)partition + 1, begin, lineBegin ?? begin, end, part, part == 0).Write(position);
        return _producer.SendAsync(new ProducerRecord
        {
            Topic = "web_log",
            Partition = partition,
            Value = Encoding.UTF8.GetBytes(line),
            Headers = [new("host", "web-1"u8.ToArray()), new("file", "/var/log/access.log"u8.ToArray()), new("pos", position)],
        }, default);
    }

    public Task SendFenceAsync(int partition)
    {
        var fence = new byte[FenceMarker.Size];
        new FenceMarker(TestRows.Agent, 7, 1).Write(fence);
        return _producer.SendAsync(new ProducerRecord { Topic = "web_log", Partition = partition, Headers = [new("fence", fence)] }, default);
    }

    public SinkOptions Sqlite() => Options() with { Sqlite = new SqliteOptions { File = Path.Combine(_directory, "logs.db") } };

    public SinkOptions Postgres(string connection) => Options() with { Postgres = new PostgresOptions { Connection = connection } };

    private SinkOptions Options() => new() { Name = "web_log", Bootstrap = Bootstrap, Topics = ["web_log"], Parser = "combined" };

    /// <summary>Runs a sink until its rows number this many, then stops it.</summary>
    public static async Task RunAsync(SinkOptions options, Func<Task<long>> countRows, long rows, Func<Task>? meanwhile = null, ISinkEvents? events = null)
    {
        using var stop = new CancellationTokenSource(TimeSpan.FromSeconds(90));
        var environment = new SinkEnvironment { Random = new Random(3), OnFatal = _ => { }, Events = events ?? new SilentSinkEvents() };
        await using var store = SinkStores.Create(options, new OsFileSystem(), TimeProvider.System, new Random());
        var worker = new SinkWorker(options, new TcpConnector(), store, environment);
        var running = worker.RunAsync(stop.Token);
        await worker.Ready.WaitAsync(TimeSpan.FromSeconds(60));
        if (meanwhile is not null)
            await meanwhile();
        while (await countRows() < rows && !running.IsCompleted)
            await Task.Delay(50, stop.Token);
        await stop.CancelAsync();
        await running;
    }

    public static Task<VerifyReport> VerifyAsync(SinkOptions options) =>
        new Verifier(options, new TcpConnector(), new OsFileSystem(), TimeProvider.System, new Random(4)).RunAsync(null, default);

    public async ValueTask DisposeAsync()
    {
        await _producer.DisposeAsync();
        await _cluster.DisposeAsync();
        await _broker.DisposeAsync();
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        Directory.Delete(_directory, recursive: true);
    }
}
