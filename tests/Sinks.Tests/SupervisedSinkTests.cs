using LogPipeline.Client.Connections;
using LogPipeline.Files;

namespace LogPipeline.Sinks.Tests;

/// <summary>What becomes of a sink that its database refuses.</summary>
[Collection("postgres")]
public sealed class SupervisedSinkTests(PostgresFixture postgres)
{
    private static async Task UntilAsync(Func<Task<bool>> holds)
    {
        using var late = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!await holds())
        {
            await Task.Delay(50, late.Token);
        }
    }

    [Fact]
    public async Task A_refused_sink_says_why_and_goes_on_by_itself_when_that_is_mended()
    {
        await using SinkScene scene = await SinkScene.StartAsync();
        SinkOptions options = scene.Sqlite() with { Parser = "none" };
        await SinkScene.ScalarAsync(options, "CREATE TABLE web_log (x)");
        await scene.SendAsync(0, ["line 1", "line 2"]);
        var sink = new SupervisedSink(options, new TcpConnector(), inUse => SinkStores.Create(inUse, new OsFileSystem(), TimeProvider.System, new Random(1)),
            new SinkEnvironment { Random = new Random(2) });
        using var stop = new CancellationTokenSource();
        Task running = sink.RunAsync(stop.Token);
        await UntilAsync(() => Task.FromResult(sink.Problem?.Contains("web_log is there and is not a view", StringComparison.Ordinal) == true));
        Assert.False(sink.Ready.IsCompleted);
        await SinkScene.ScalarAsync(options, "DROP TABLE web_log");
        await sink.Ready.WaitAsync(TimeSpan.FromSeconds(60));
        await UntilAsync(async () => await SinkScene.CountAsync(options) == 2);
        await UntilAsync(() => Task.FromResult(sink.Problem is null));
        await stop.CancelAsync();
        await running;
    }

    [Fact]
    public async Task A_sink_that_was_renamed_does_not_store_the_same_lines_beside_those_of_its_old_name()
    {
        await using SinkScene scene = await SinkScene.StartAsync();
        await scene.SendAsync(0, ["line 1", "line 2"]);
        foreach (SinkOptions options in new[] { scene.Sqlite(), scene.Postgres(await postgres.NewDatabaseAsync()) with { Name = "second" } })
        {
            await SinkScene.RunAsync(options with { Parser = "none" }, 2);
            SinkOptions renamed = options with { Parser = "none", Name = "access_" + options.Name };
            StoreRefusedException refused = await Assert.ThrowsAsync<StoreRefusedException>(() => SinkScene.RunAsync(renamed, 4));
            Assert.Contains($"table web_log_rows holds rows of sink {options.Name}", refused.Message, StringComparison.Ordinal);
            Assert.Equal(2, await SinkScene.CountAsync(options));
        }
    }

    [Fact]
    public async Task A_table_that_refuses_all_rows_alike_stops_its_sink_and_throws_none_aside()
    {
        await using SinkScene scene = await SinkScene.StartAsync();
        SinkOptions options = scene.Sqlite() with { Parser = "none" };
        await SinkScene.RunAsync(options, 0);
        await SinkScene.ScalarAsync(options, "CREATE TRIGGER refuse BEFORE INSERT ON web_log_rows BEGIN SELECT RAISE(ABORT, 'closed'); END");
        await scene.SendAsync(0, Enumerable.Range(0, 2000).Select(n => $"line {n}"));
        StoreRefusedException refused = await Assert.ThrowsAsync<StoreRefusedException>(() => SinkScene.RunAsync(options, 1));
        Assert.Contains("rows alike: closed", refused.Message, StringComparison.Ordinal);
        Assert.Equal(0L, await SinkScene.ScalarAsync(options, "SELECT count(*) FROM logpipe_dead_letters"));
        await SinkScene.ScalarAsync(options, "DROP TRIGGER refuse");
        await SinkScene.RunAsync(options, 2000);
    }
}
