using LogPipeline.EndToEnd.Harness;
using LogPipeline.Testing;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace LogPipeline.EndToEnd.Story;

/// <summary>A table gets another parser while an agent writes, and the sink that rebuilds it is killed with -9 in the midst.</summary>
public sealed class RebuildStoryTests : IDisposable
{
    private static readonly StorySize Size = new(Lines: 40_000, LinesPerSecond: 2_000, Renames: 1, KillsOfEach: 2, Seed: 7, DrainTime: TimeSpan.FromMinutes(2));
    private static readonly string[] Stages = ["ShadowCreated", "Filling", "CaughtUp", "Verified", "Swapped"];

    private readonly Workspace _workspace = new();
    private readonly int _port = Ports.Free(2);

    public void Dispose()
    {
        SqliteConnection.ClearAllPools();
        _workspace.Dispose();
    }

    [RequiresPostgresFact]
    public async Task In_PostgreSQL_each_line_is_a_row_once_in_the_new_table_and_after_a_rollback_in_the_old_one()
    {
        await using PostgresServer postgres = await PostgresServer.StartAsync();
        await RebuildAsync($$"""postgres: { connection: "{{postgres.Connection()}}", table: web_log }""", async sql =>
        {
            await using var source = NpgsqlDataSource.Create(postgres.Connection());
            await using NpgsqlCommand command = source.CreateCommand(sql);
            return (long)(await command.ExecuteScalarAsync())!;
        }, $"""
            SELECT count(*) FROM generate_series(0, {Size.Lines - 1}) s(n)
            FULL JOIN (SELECT substring(line from '[?]n=([0-9]+) ')::bigint n, count(*) count FROM web_log GROUP BY 1) r ON r.n = s.n
            WHERE r.count IS DISTINCT FROM 1 OR s.n IS NULL
            """);
    }

    [Fact]
    public Task In_SQLite_each_line_is_a_row_once_in_the_new_table_and_after_a_rollback_in_the_old_one() => RebuildAsync(Sqlite, SqliteAsync, WrongInSqlite(Size.Lines));

    /// <summary>The process is killed while the transaction of a step is open, once in each step.</summary>
    [Fact]
    public async Task In_SQLite_a_process_that_is_killed_in_the_midst_of_any_step_is_followed_by_one_that_takes_it()
    {
        const int lines = 6_000;
        Configure(Sqlite);
        await using RealProcess broker = await StartAsync("broker");
        await using RealProcess agent = await StartAsync("agent");
        StorySize size = Size with { Lines = lines, LinesPerSecond = 400 };
        Task writing = new Feeder(_workspace.File("access.log"), WebLines.Make(size.Seed), size).RunAsync();
        await using (RealProcess first = await StartAsync("sink"))
        {
            await Deadline.UntilAsync(size.DrainTime, async () => await SqliteAsync("SELECT count(*) FROM web_log_rows") > 1_000, () => first.Errors);
        }
        (int status, string output, string errors) = await _workspace.RunAsync("rebuild", "web_log", "--parser", "combined", "--no-wait");
        Assert.True(status == 0, output + errors);
        await SqliteAsync("CREATE VIEW forever AS WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT n FROM c");
        foreach (string stage in Stages.Prepend("Requested").SkipLast(1))
        {
            await SqliteAsync($"CREATE TRIGGER hold AFTER UPDATE ON logpipe_rebuilds WHEN OLD.stage = '{stage}' AND NEW.stage <> OLD.stage BEGIN SELECT count(*) FROM forever; END");
            await using (RealProcess held = _workspace.Start("sink", "--log-level", "warning"))
            {
                await Deadline.UntilAsync(size.DrainTime, async () => await SqliteAsync($"SELECT count(*) FROM logpipe_rebuilds WHERE stage = '{stage}'") == 1 && IsHeld(), () => held.Errors);
            }
            await SqliteAsync("DROP TRIGGER hold");
        }
        await using RealProcess sink = await StartAsync("sink");
        await Deadline.UntilAsync(size.DrainTime, async () => await SqliteAsync("SELECT count(*) FROM logpipe_rebuilds WHERE stage = 'Swapped'") == 1, () => sink.Errors);
        await writing;
        await AllOnceAsync(lines, SqliteAsync, WrongInSqlite(lines), sink);
        Assert.Equal(lines, await SqliteAsync("SELECT count(status) FROM web_log"));
    }

    private const string Sqlite = "sqlite: { file: ./logs.db, table: web_log }";

    private static string WrongInSqlite(int lines) => $"""
        WITH r(n, count) AS (SELECT CAST(substr(line, instr(line, '?n=') + 3) AS INTEGER), count(*) FROM web_log GROUP BY 1)
        SELECT {lines} - count(*) FILTER (WHERE count = 1 AND n BETWEEN 0 AND {lines - 1}) + count(*) FILTER (WHERE count <> 1 OR n NOT BETWEEN 0 AND {lines - 1}) FROM r
        """;

    private async Task RebuildAsync(string store, Func<string, Task<long>> scalar, string wrong)
    {
        Configure(store);
        await using RealProcess broker = await StartAsync("broker");
        await using RealProcess agent = await StartAsync("agent");
        RealProcess sink = await StartAsync("sink");
        Task writing = new Feeder(_workspace.File("access.log"), WebLines.Make(Size.Seed), Size).RunAsync();
        await Deadline.UntilAsync(Size.DrainTime, async () => await scalar("SELECT count(*) FROM web_log_rows") > 4_000, () => sink.Errors);
        await using RealProcess rebuild = _workspace.Start("rebuild", "web_log", "--parser", "combined");
        foreach (string stage in Stages[..Size.KillsOfEach])
        {
            // The display may pass a stage over.
            await rebuild.LineAsync(Stages.Skip(Array.IndexOf(Stages, stage)).Contains, Size.DrainTime);
            await sink.DisposeAsync();
            sink = await StartAsync("sink");
        }
        Assert.True(await rebuild.ExitAsync(Size.DrainTime) == 0, string.Join('\n', rebuild.Output) + rebuild.Errors);
        Assert.Contains("Swapped", rebuild.Output);
        await writing;
        await AllOnceAsync(Size.Lines, scalar, wrong, sink);
        Assert.Equal(Size.Lines, await scalar("SELECT count(status) FROM web_log"));

        (int status, string output, string errors) = await _workspace.RunAsync("rebuild", "web_log", "--rollback");
        Assert.True(status == 0, output + errors);
        await AllOnceAsync(Size.Lines, scalar, wrong, sink);
        (status, output, errors) = await _workspace.RunAsync("rebuild", "web_log", "--drop-old");
        Assert.True(status == 0, output + errors);
        (status, _, errors) = await _workspace.RunAsync("replay", "web_log", "--from", "7d");
        Assert.Equal(2, status);
        Assert.Contains("`logpipe rebuild web_log --from 7d`", errors, StringComparison.Ordinal);
        await sink.DisposeAsync();
    }

    private void Configure(string store) => _workspace.Configure($$"""
        broker: { data: ./broker, listen: 127.0.0.1:{{_port}}, settings: { num.partitions: 2 } }
        agent: { bootstrap: 127.0.0.1:{{_port}}, state: ./agent, inputs: [{ paths: ["./access.log*"], topic: web_log }] }
        sinks:
          - { name: web_log, bootstrap: 127.0.0.1:{{_port}}, topics: [web_log], parser: none, {{store}} }
        """);

    private async Task<RealProcess> StartAsync(string verb)
    {
        RealProcess process = _workspace.Start(verb, "--log-level", "warning");
        await process.ReadyAsync();
        return process;
    }

    private async Task AllOnceAsync(int lines, Func<string, Task<long>> scalar, string wrong, RealProcess sink)
    {
        await Deadline.UntilAsync(Size.DrainTime, async () => await scalar("SELECT count(*) FROM web_log_rows") >= lines, () => sink.Errors);
        Assert.Equal(0, await scalar(wrong));
        (int status, string output, string errors) = await _workspace.RunAsync("verify", "web_log");
        Assert.True(status == 0, output + errors);
    }

    private async Task<long> SqliteAsync(string sql)
    {
        await using var connection = new SqliteConnection($"Data Source={_workspace.File("logs.db")}");
        await connection.OpenAsync();
        await using SqliteCommand command = connection.CreateCommand();
        command.CommandText = sql;
        return await command.ExecuteScalarAsync() as long? ?? 0;
    }

    /// <summary>Whether one transaction goes on for longer than any flush.</summary>
    private bool IsHeld()
    {
        using var connection = new SqliteConnection($"Data Source={_workspace.File("logs.db")};Default Timeout=3");
        connection.Open();
        try
        {
            connection.BeginTransaction().Dispose();
            return false;
        }
        catch (SqliteException error) when (error.SqliteErrorCode == SQLitePCL.raw.SQLITE_BUSY)
        {
            return true;
        }
    }
}
