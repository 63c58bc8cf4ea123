using LogPipeline.EndToEnd.Harness;
using LogPipeline.Testing;
using Npgsql;

namespace LogPipeline.EndToEnd.Story;

/// <summary>A table gets another parser while an agent writes, and the sink that rebuilds it is killed with -9 in the midst.</summary>
public sealed class RebuildStoryTests : IDisposable
{
    private static readonly StorySize Size = new(Lines: 40_000, LinesPerSecond: 2_000, Renames: 1, KillsOfEach: 2, Seed: 7, DrainTime: TimeSpan.FromMinutes(2));
    private static readonly string[] Stages = ["ShadowCreated", "Filling", "CaughtUp", "Verified", "Swapped"];

    private readonly Workspace _workspace = new();

    public void Dispose() => _workspace.Dispose();

    [RequiresPostgresFact]
    public async Task Each_line_is_a_row_once_in_the_new_table_and_after_a_rollback_in_the_old_one()
    {
        await using PostgresServer postgres = await PostgresServer.StartAsync();
        int port = Ports.Free(2);
        _workspace.Configure($$"""
            broker: { data: ./broker, listen: 127.0.0.1:{{port}}, settings: { num.partitions: 2 } }
            agent: { bootstrap: 127.0.0.1:{{port}}, state: ./agent, inputs: [{ paths: ["./access.log*"], topic: web_log }] }
            sinks:
              - { name: web_log, bootstrap: 127.0.0.1:{{port}}, topics: [web_log], parser: none, postgres: { connection: "{{postgres.Connection()}}", table: web_log } }
            """);
        await using RealProcess broker = await StartAsync("broker");
        await using RealProcess agent = await StartAsync("agent");
        RealProcess sink = await StartAsync("sink");
        Task writing = new Feeder(_workspace.File("access.log"), WebLines.Make(Size.Seed), Size).RunAsync();
        await Deadline.UntilAsync(Size.DrainTime, async () => await ScalarAsync(postgres, "SELECT count(*) FROM web_log_rows") > 4_000, () => sink.Errors);
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
        await AllOnceAsync(postgres, sink);
        Assert.Equal(Size.Lines, await ScalarAsync(postgres, "SELECT count(status) FROM web_log"));

        (int status, string output, string errors) = await _workspace.RunAsync("rebuild", "web_log", "--rollback");
        Assert.True(status == 0, output + errors);
        await AllOnceAsync(postgres, sink);
        (status, output, errors) = await _workspace.RunAsync("rebuild", "web_log", "--drop-old");
        Assert.True(status == 0, output + errors);
        (status, _, errors) = await _workspace.RunAsync("replay", "web_log", "--from", "7d");
        Assert.Equal(2, status);
        Assert.Contains("`logpipe rebuild web_log --from 7d`", errors, StringComparison.Ordinal);
        await sink.DisposeAsync();
    }

    private async Task<RealProcess> StartAsync(string verb)
    {
        RealProcess process = _workspace.Start(verb, "--log-level", "warning");
        await process.ReadyAsync();
        return process;
    }

    private async Task AllOnceAsync(PostgresServer postgres, RealProcess sink)
    {
        await Deadline.UntilAsync(Size.DrainTime, async () => await ScalarAsync(postgres, "SELECT count(*) FROM web_log_rows") >= Size.Lines, () => sink.Errors);
        Assert.Equal(0, await ScalarAsync(postgres, $"""
            SELECT count(*) FROM generate_series(0, {Size.Lines - 1}) s(n)
            FULL JOIN (SELECT substring(line from '[?]n=([0-9]+) ')::bigint n, count(*) count FROM web_log GROUP BY 1) r ON r.n = s.n
            WHERE r.count IS DISTINCT FROM 1 OR s.n IS NULL
            """));
        (int status, string output, string errors) = await _workspace.RunAsync("verify", "web_log");
        Assert.True(status == 0, output + errors);
    }

    private static async Task<long> ScalarAsync(PostgresServer postgres, string sql)
    {
        await using var source = NpgsqlDataSource.Create(postgres.Connection());
        await using NpgsqlCommand command = source.CreateCommand(sql);
        return (long)(await command.ExecuteScalarAsync())!;
    }
}
