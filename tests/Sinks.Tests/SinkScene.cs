using System.Data.Common;
using System.Text;
using LogPipeline.Broker;
using LogPipeline.Client;
using LogPipeline.Client.Admin;
using LogPipeline.Client.Connections;
using LogPipeline.Client.Metadata;
using LogPipeline.Contract;
using LogPipeline.Client.Producing;
using LogPipeline.Files;
using LogPipeline.Protocol.Compression;
using LogPipeline.Protocol.Records;
using LogPipeline.Sinks.Events;
using LogPipeline.Sinks.Verification;
using LogPipeline.Storage;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

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

    /// <summary>What the records say of their origin.</summary>
    public string Host { get; init; } = "web-1";

    public string File { get; init; } = "/var/log/access.log";

    /// <summary>How its producer compresses.</summary>
    public CompressionCodec Codec { get; init; }

    private string BrokerDirectory => Path.Combine(_directory, "broker");

    public static async Task<SinkScene> StartAsync(string? host = null, string? file = null, CompressionCodec codec = CompressionCodec.None)
    {
        var scene = new SinkScene { Host = host ?? "web-1", File = file ?? "/var/log/access.log", Codec = codec };
        await scene.StartBrokerAsync("127.0.0.1:0");
        return scene;
    }

    /// <summary>Stops the broker, does something to its data, and starts it again where it was.</summary>
    public async Task RestartBrokerAsync(Action<string> whileDown)
    {
        string listen = Bootstrap;
        await StopBrokerAsync();
        whileDown(BrokerDirectory);
        await StartBrokerAsync(listen);
    }

    /// <summary>Deletes the topic and makes one of the same name.</summary>
    public async Task MakeTopicAnewAsync()
    {
        var admin = new AdminClient(_cluster);
        await admin.DeleteTopicsAsync(["web_log"], default);
        await admin.CreateTopicsAsync([new NewTopic("web_log", 2)], default);
        await RestartBrokerAsync(static _ => { });
    }

    /// <summary>Removes the first records of partition 0, as retention does.</summary>
    public static void RaiseStart(string brokerDirectory, long offset)
    {
        var data = DataDirectory.Open(new OsFileSystem(), brokerDirectory, new DataDirectoryOptions(), TimeProvider.System, new Random(1), NullLogger.Instance);
        data.DeleteRecords([(data.Logs.Single(log => log is { Topic: "web_log", Partition: 0 }), offset)]);
        data.CloseAsync().GetAwaiter().GetResult();
    }

    private async Task StartBrokerAsync(string listen)
    {
        _broker = await LogPipeline.Broker.Broker.StartAsync(new BrokerOptions
        {
            DataDirectory = BrokerDirectory,
            Listen = listen,
            Settings = new Dictionary<string, string> { ["num.partitions"] = "2" },
        });
        _cluster = new ClusterClient(new ClientOptions { Bootstrap = [Bootstrap] }, new TcpConnector(), TimeProvider.System, new Random(1));
        _producer = new Producer(new ProducerOptions { Compression = Codec }, _cluster, TimeProvider.System, new Random(2));
    }

    private async Task StopBrokerAsync()
    {
        await _producer.DisposeAsync();
        await _cluster.DisposeAsync();
        await _broker.DisposeAsync();
    }

    /// <summary>Sends lines of one file a partition, each range following the one before.</summary>
    public async Task SendAsync(int partition, IEnumerable<string> lines)
    {
        var deliveries = new List<Task>();
        foreach (string line in lines)
        {
            long begin = _positions.GetValueOrDefault(partition);
            long end = begin + Encoding.UTF8.GetByteCount(line) + 1;
            _positions[partition] = end;
            deliveries.Add(SendAsync(partition, line, begin, end, PositionFlags.None));
            if (deliveries.Count == 1)
            {
                await deliveries[0]; // only once the producer knows the partition do sends keep their order
            }
        }
        await Task.WhenAll(deliveries);
    }

    public Task SendAsync(int partition, string line, long begin, long end, PositionFlags flags, int part = 0, long? lineBegin = null, Guid? agent = null)
    {
        byte[] position = new byte[RecordPosition.Size];
        new RecordPosition(flags, agent ?? TestRows.Agent, (ulong)partition + 1, begin, lineBegin ?? begin, end, part, part == 0).Write(position);
        return _producer.SendAsync(new ProducerRecord
        {
            Topic = "web_log",
            Partition = partition,
            Value = Encoding.UTF8.GetBytes(line),
            Headers = [new("host", Encoding.UTF8.GetBytes(Host)), new("file", Encoding.UTF8.GetBytes(File)), new("pos", position)],
        }, default);
    }

    /// <summary>A record as other producers send it, which is of no file.</summary>
    public Task SendPlainAsync(int partition, string line) =>
        _producer.SendAsync(new ProducerRecord { Topic = "web_log", Partition = partition, Value = Encoding.UTF8.GetBytes(line) }, default);

    public Task SendFenceAsync(int partition)
    {
        byte[] fence = new byte[FenceMarker.Size];
        new FenceMarker(TestRows.Agent, 7, 1).Write(fence);
        return _producer.SendAsync(new ProducerRecord { Topic = "web_log", Partition = partition, Headers = [new("fence", fence)] }, default);
    }

    /// <summary>Changes a stored batch of partition 0 in place, under the running broker.</summary>
    public void ChangeBatch(long baseOffset, Action<byte[]> change)
    {
        string segment = Directory.GetFiles(Path.Combine(BrokerDirectory, "web_log-0"), "*.log").Single();
        using var file = new FileStream(segment, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        byte[] bytes = new byte[file.Length];
        file.ReadExactly(bytes);
        for (int at = 0; BatchHeader.TryParse(bytes.AsSpan(at), out BatchHeader header); at += header.SizeInBytes)
        {
            if (header.BaseOffset != baseOffset)
            {
                continue;
            }
            byte[] batch = bytes[at..(at + header.SizeInBytes)];
            change(batch);
            file.Position = at;
            file.Write(batch);
            return;
        }
        throw new InvalidOperationException($"no batch begins at offset {baseOffset}");
    }

    /// <summary>The log's end.</summary>
    public async Task<long> EndAsync(int partition) =>
        (await new AdminClient(_cluster).OffsetAsync(new TopicPartition("web_log", partition), OffsetSpec.Latest, default)).Offset;

    public SinkOptions Sqlite(string file = "logs.db") => Options() with { Sqlite = new SqliteOptions { File = Path.Combine(_directory, file) } };

    public SinkOptions Postgres(string connection) => Options() with { Postgres = new PostgresOptions { Connection = connection } };

    /// <summary>Where a file sink of the scene writes.</summary>
    public string Output => Path.Combine(_directory, "out");

    public SinkOptions Files(string format = "raw", string compress = "none", string path = "{topic}/{partition}") =>
        Options() with { Parser = "none", Files = new FilesOptions { Directory = Output, Format = format, Compress = compress, Path = path, Publish = format == "parquet" ? new PublishOptions { BytesMax = 64 << 10 } : null } };

    private SinkOptions Options() => new() { Name = "web_log", Bootstrap = Bootstrap, Topics = ["web_log"], Parser = "combined" };

    // Two sinks that draw alike would claim with the same owner token, and neither would notice the other.
    private static int _seed;

    /// <summary>Runs a sink until its rows number this many, then stops it.</summary>
    public static async Task RunAsync(SinkOptions options, Func<Task<long>> countRows, long rows, Func<Task>? meanwhile = null, ISinkEvents? events = null, ILogger? logger = null, Action<SinkWorker>? starting = null)
    {
        using var stop = new CancellationTokenSource(TimeSpan.FromSeconds(90));
        var environment = new SinkEnvironment { Random = new Random(Interlocked.Increment(ref _seed)), Events = events ?? new SilentSinkEvents(), Logger = logger ?? NullLogger.Instance };
        await using ISinkStore store = SinkStores.Create(options, new OsFileSystem(), TimeProvider.System, new Random());
        var worker = new SinkWorker(options, new TcpConnector(), store, environment);
        starting?.Invoke(worker);
        Task running = worker.RunAsync(stop.Token);
        await worker.Ready.WaitAsync(TimeSpan.FromSeconds(60));
        if (meanwhile is not null)
        {
            await meanwhile();
        }
        while (await countRows() < rows && !running.IsCompleted)
        {
            await Task.Delay(50, stop.Token);
        }
        await stop.CancelAsync();
        await running;
    }

    /// <summary>One value from the sink's database.</summary>
    public static async Task<object?> ScalarAsync(SinkOptions options, string sql)
    {
        await using DbConnection connection = options.Postgres is { } postgres
            ? new NpgsqlConnection(postgres.Connection) : new SqliteConnection($"Data Source={options.Sqlite!.File}");
        await connection.OpenAsync();
        await using DbCommand command = connection.CreateCommand();
        command.CommandText = sql;
        return await command.ExecuteScalarAsync();
    }

    public static async Task<long> CountAsync(SinkOptions options) => (long)(await ScalarAsync(options, "SELECT count(*) FROM web_log"))!;

    /// <summary>Runs a sink until its table has so many rows, then stops it.</summary>
    public static Task RunAsync(SinkOptions options, long rows, Func<Task>? meanwhile = null, ISinkEvents? events = null, ILogger? logger = null, Action<SinkWorker>? starting = null) =>
        RunAsync(options, () => CountAsync(options), rows, meanwhile, events, logger, starting);

    /// <summary>Runs a sink that writes files until it has stored the topic's ends, then stops it.</summary>
    public async Task RunFilesAsync(SinkOptions options, Func<Task>? meanwhile = null)
    {
        await RunAsync(options, async () =>
        {
            long ends = await EndAsync(0) + await EndAsync(1);
            return LogPipeline.Sinks.Files.FileStore.Committed(new OsFileSystem(), options.Files!.Directory)!.Logs.Sum(log => log.NextOffset) - ends;
        }, 0, meanwhile);
    }

    public static Task<VerifyReport> VerifyAsync(SinkOptions options) =>
        new Verifier(options, new TcpConnector(), new OsFileSystem(), TimeProvider.System, new Random(4)).RunAsync(null, default);

    public async ValueTask DisposeAsync()
    {
        await StopBrokerAsync();
        SqliteConnection.ClearAllPools();
        Directory.Delete(_directory, recursive: true);
    }
}
