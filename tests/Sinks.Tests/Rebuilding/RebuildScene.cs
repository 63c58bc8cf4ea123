using LogPipeline.Client.Connections;
using LogPipeline.Sinks.Rebuilding;
using LogPipeline.Sinks.Verification;
using Npgsql;

namespace LogPipeline.Sinks.Tests.Rebuilding;

/// <summary>A topic whose lines go on coming, and a table that is rebuilt meanwhile.</summary>
internal sealed class RebuildScene : IAsyncDisposable
{
    private readonly SinkScene _scene;
    private readonly CancellationTokenSource _enough = new();
    private Task _writing = Task.CompletedTask;
    private int _sent;

    private RebuildScene(SinkScene scene, SinkOptions options)
    {
        (_scene, Options) = (scene, options);
        Rebuilds = new RebuildTable(options);
    }

    public SinkOptions Options { get; }

    public RebuildTable Rebuilds { get; }

    public SinkScene Topic => _scene;

    public string Connection => Options.Postgres!.Connection;

    public KeptTable Kept => new(Rebuilds, Options, new TcpConnector(), new Random(9));

    /// <summary>Begins with some lines in both partitions, and a table of them.</summary>
    public static async Task<RebuildScene> StartAsync(PostgresFixture postgres, string parser = "none")
    {
        SinkScene topic = await SinkScene.StartAsync();
        SinkOptions options = topic.Postgres(await postgres.NewDatabaseAsync()) with { Parser = parser };
        var scene = new RebuildScene(topic, options with { Postgres = options.Postgres! with { Indexes = ["log_offset"] } });
        await scene.SendAsync(40);
        await SinkScene.RunAsync(scene.Options, 40);
        return scene;
    }

    public async Task SendAsync(int count)
    {
        foreach (int partition in new[] { 0, 1 })
        {
            string[] lines = [.. Enumerable.Range(_sent, count / 2).Select(n => $"10.0.0.{n % 250} - - [21/Nov/2026:08:30:00 +0000] \"GET /item/{partition}/{n} HTTP/1.1\" 200 {n} \"-\" \"curl\"")];
            await _scene.SendAsync(partition, lines);
        }
        _sent += count / 2;
    }

    /// <summary>Sends lines until <see cref="EnoughAsync"/>.</summary>
    public void GoOnWriting()
    {
        _writing = WriteAsync();

        async Task WriteAsync()
        {
            while (!_enough.IsCancellationRequested)
            {
                await SendAsync(10);
                await Task.Delay(20);
            }
        }
    }

    /// <summary>Ends the writing, waits until all lines are rows, and proves that each is there once.</summary>
    public async Task EnoughAsync()
    {
        await _enough.CancelAsync();
        await _writing;
        await AllStoredAsync();
    }

    public async Task AllStoredAsync()
    {
        await UntilAsync(async () => await CountAsync() >= _sent * 2);
        Assert.Equal((_sent * 2, _sent * 2), (await CountAsync(), (int)(long)(await ScalarAsync("SELECT count(DISTINCT line) FROM web_log"))!));
        VerifyReport report = await SinkScene.VerifyAsync(Options);
        Assert.True(report.Passed, string.Join('\n', report.Findings.Select(finding => finding.Text)));
        Assert.Equal(_sent * 2, report.RowsCompared);
    }

    public Task<Rebuild> RequestAsync(string parser, long? fromOffset = null, bool leavesOlder = false) =>
        Rebuilds.RequestAsync(new RebuildRequest(parser, fromOffset, null, leavesOlder, "alice@web-1"), default);

    public async Task<Rebuild> UntilAsync(RebuildStage stage)
    {
        Rebuild? now = null;
        await UntilAsync(async () =>
        {
            now = await Rebuilds.FindAsync(null, default);
            return now!.Stage == stage || !now.IsUnderWay;
        });
        Assert.True(now!.Stage == stage, $"{now.Stage}: {now.Note}");
        return now;
    }

    public static async Task UntilAsync(Func<Task<bool>> holds)
    {
        using var late = new CancellationTokenSource(TimeSpan.FromSeconds(120));
        while (!await holds())
        {
            await Task.Delay(50, late.Token);
        }
    }

    public async Task<object?> ScalarAsync(string sql) => await SinkScene.ScalarAsync(Options, sql) is var value && value is DBNull ? null : value;

    public async Task<int> CountAsync() => (int)await SinkScene.CountAsync(Options);

    public async Task ExecuteAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(Connection);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _enough.CancelAsync();
        await _writing;
        await Rebuilds.DisposeAsync();
        await _scene.DisposeAsync();
        _enough.Dispose();
    }
}
