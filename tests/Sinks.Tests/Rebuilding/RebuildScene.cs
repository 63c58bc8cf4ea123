using LogPipeline.Client.Connections;
using LogPipeline.Sinks.Query;
using LogPipeline.Sinks.Query.Language;
using LogPipeline.Sinks.Rebuilding;
using LogPipeline.Sinks.Verification;

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

    public KeptTable Kept => new(Rebuilds, Options, new TcpConnector(), new Random(9));

    /// <summary>Begins with some lines in both partitions, and a table of them.</summary>
    public static async Task<RebuildScene> StartAsync(PostgresFixture postgres, bool isPostgres = true, string parser = "none")
    {
        SinkScene topic = await SinkScene.StartAsync();
        SinkOptions options = (isPostgres ? topic.Postgres(await postgres.NewDatabaseAsync()) : topic.Sqlite()) with { Parser = parser };
        string[] indexes = ["log_offset"];
        var scene = new RebuildScene(topic, isPostgres ? options with { Postgres = options.Postgres! with { Indexes = indexes } } : options with { Sqlite = options.Sqlite! with { Indexes = indexes } });
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

    /// <summary>Waits until the step that leads on from a stage sleeps in the trigger that holds it.</summary>
    public async Task UntilHeldAsync(RebuildStage stage)
    {
        Rebuild? now = null;
        try
        {
            await UntilAsync(async () =>
            {
                now = await Rebuilds.FindAsync(null, default);
                Assert.True(now!.IsUnderWay, $"{now.Stage}: {now.Note}");
                return (long)(await ScalarAsync("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"))! > 0;
            });
        }
        catch (OperationCanceledException)
        {
            Assert.Fail($"the step that leads on from {stage} is not held: {now?.Stage}: {now?.Note}");
        }
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

    /// <summary>Counts as a person's query does.</summary>
    public async Task<int> CountAsync(string query)
    {
        await using ILogReader reader = await SinkStores.OpenReaderAsync(Options, TimeProvider.System, default);
        QueryNode? filter = QueryParser.Parse(query, reader.Fields, TimeProvider.System.GetUtcNow(), ignoreCase: false);
        return (int)(await reader.CountAsync(new CountQuestion(new LogQuery { Filter = filter }), default).SingleAsync()).Rows;
    }

    public Task ExecuteAsync(string sql) => SinkScene.ScalarAsync(Options, sql);

    public async Task<bool> HasTableAsync(string name) =>
        await ScalarAsync(Options.Postgres is null ? $"SELECT name FROM sqlite_master WHERE name = '{name}'" : $"SELECT to_regclass('{name}')::text") is not null;

    /// <summary>The names of the columns of a table or view.</summary>
    public async Task<string> ColumnsAsync(string relation) => (string)(await ScalarAsync(Options.Postgres is null
        ? $"SELECT group_concat(name, ',') FROM (SELECT name FROM pragma_table_info('{relation}') ORDER BY cid)"
        : $"SELECT string_agg(attname, ',' ORDER BY attnum) FROM pg_attribute WHERE attrelid = '{relation}'::regclass AND attnum > 0 AND NOT attisdropped"))!;

    /// <summary>The names of a table's own indexes.</summary>
    public async Task<string[]> IndexesAsync(string table) => ((string)(await ScalarAsync(Options.Postgres is null
        ? $"SELECT group_concat(name, ',') FROM (SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = '{table}' ORDER BY name)"
        : $"SELECT string_agg(c.relname, ',' ORDER BY c.relname) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = '{table}'::regclass"))!).Split(',');

    /// <summary>Keeps rebuilds from a stage, until <see cref="ReleaseAsync"/>.</summary>
    public Task HoldBackFromAsync(RebuildStage stage) => ExecuteAsync(Options.Postgres is null
        ? $"CREATE TRIGGER hold BEFORE UPDATE ON logpipe_rebuilds WHEN NEW.stage = '{stage}' BEGIN SELECT RAISE(IGNORE); END"
        : $"""
            CREATE OR REPLACE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''not yet'' USING ERRCODE = ''53000''; END';
            CREATE TRIGGER hold BEFORE UPDATE ON logpipe_rebuilds FOR EACH ROW WHEN (NEW.stage = '{stage}') EXECUTE FUNCTION hold()
            """);

    public Task ReleaseAsync() => ExecuteAsync(Options.Postgres is null ? "DROP TRIGGER hold" : "DROP TRIGGER hold ON logpipe_rebuilds");

    public async ValueTask DisposeAsync()
    {
        await _enough.CancelAsync();
        await _writing;
        await Rebuilds.DisposeAsync();
        await _scene.DisposeAsync();
        _enough.Dispose();
    }
}
