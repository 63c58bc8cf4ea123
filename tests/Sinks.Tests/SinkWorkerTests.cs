using System.Globalization;
using LogPipeline.Contract;
using LogPipeline.Sinks.Query;
using LogPipeline.Sinks.Query.Language;
using LogPipeline.Sinks.Verification;
using LogPipeline.Testing;

namespace LogPipeline.Sinks.Tests;

[Collection("postgres")]
public sealed class SinkWorkerTests(PostgresFixture postgres)
{
    private static IEnumerable<string> Lines(int from, int count) => Enumerable.Range(from, count).Select(n =>
        $"""1.2.3.4 - - [21/Nov/2026:00:00:00 +0000] "GET /p?n={n} HTTP/1.1" {(n % 10 == 0 ? 503 : 200)} {n} "-" "agent {n}" """.Trim());

    [Fact]
    public async Task Records_become_rows_once_over_restarts_and_a_removed_and_a_repeated_row_are_named()
    {
        await using SinkScene scene = await SinkScene.StartAsync();
        SinkOptions options = scene.Sqlite();
        await scene.SendAsync(0, Lines(0, 500));
        await scene.SendAsync(1, Lines(1000, 500));
        await SinkScene.RunAsync(options, 1000);
        Assert.Equal(1000, await SinkScene.CountAsync(options));
        await scene.SendFenceAsync(0);
        await scene.SendAsync(0, "again", 0, 5, PositionFlags.Again);
        await scene.SendAsync(0, Lines(500, 250));
        await SinkScene.RunAsync(options, 1250);
        Assert.Equal(1250, await SinkScene.CountAsync(options));
        Assert.Equal(1250L, await SinkScene.ScalarAsync(options, "SELECT count(DISTINCT query) FROM web_log"));
        VerifyReport report = await SinkScene.VerifyAsync(options);
        Assert.Empty(report.Findings);
        Assert.Equal(1250, report.RowsCompared);
        Assert.All(report.Generations, g => Assert.Equal((g.TopicRecords, g.TopicBytes, g.TopicHash), (g.TableRows, g.TableBytes, g.TableHash)));

        await SinkScene.ScalarAsync(options, "DELETE FROM web_log_rows WHERE line LIKE '%n=17 %'");
        await SinkScene.ScalarAsync(options, "INSERT INTO web_log_rows SELECT * FROM web_log_rows WHERE line LIKE '%n=1033 %'");
        VerifyReport broken = await SinkScene.VerifyAsync(options);
        Assert.False(broken.Passed);
        Assert.Equal(
            [(FindingSide.TableMissing, 0, 17L), (FindingSide.TableRepeated, 1, 33L)],
            broken.Findings.OrderBy(f => f.Side).Select(f => (f.Side, f.Partition, f.LogOffset)));
    }

    [Fact]
    public async Task A_database_that_is_killed_and_comes_back_gets_every_row_once()
    {
        await using PostgresServer server = await PostgresServer.StartAsync("fsync=on");
        await using SinkScene scene = await SinkScene.StartAsync();
        SinkOptions options = scene.Postgres(server.Connection());
        var events = new RecordedEvents();
        await scene.SendAsync(0, Lines(0, 300));
        await SinkScene.RunAsync(options, 900, async () =>
        {
            server.Kill();
            await scene.SendAsync(1, Lines(1000, 600));
            await events.Paused.WaitAsync(TimeSpan.FromSeconds(60));
            await server.StartAgainAsync();
        }, events);
        Assert.Equal(900, await SinkScene.CountAsync(options));
        Assert.Empty((await SinkScene.VerifyAsync(options)).Findings);
        Npgsql.NpgsqlConnection.ClearAllPools();
    }

    [Fact]
    public async Task Queries_filter_order_and_join_and_a_tail_misses_nothing()
    {
        await using SinkScene scene = await SinkScene.StartAsync();
        foreach (SinkOptions? options in new[] { scene.Sqlite(), scene.Postgres(await postgres.NewDatabaseAsync()) with { Name = "second" } })
        {
            await using ILogReader reader = SinkStores.CreateReader(options, TimeProvider.System);
            bool isFirst = options.Sqlite is not null;
            int total = isFirst ? 100 : 300;
            if (isFirst)
            {
                await scene.SendAsync(0, Lines(0, 100));
                await scene.SendAsync(1, "first ", 0, 6, PositionFlags.Cut, part: 1, lineBegin: 0);
                await scene.SendAsync(1, "second", 6, 13, PositionFlags.Cut, part: 2, lineBegin: 0);
            }
            LogQuery Query(string text) => new() { Filter = QueryParser.Parse(text, reader.Fields, DateTimeOffset.UnixEpoch) };
            async Task<List<LogRow>> Ask(LogQuery query)
            {
                var rows = new List<LogRow>();
                await foreach (LogRow row in reader.QueryAsync(query, default))
                {
                    rows.Add(row);
                }
                return rows;
            }
            async Task<long> Count()
            {
                long count = 0L;
                await foreach (LogRow row in reader.QueryAsync(new LogQuery { Limit = 0 }, default))
                {
                    count++;
                }
                return count;
            }
            await SinkScene.RunAsync(options, Count, total + 1);
            Assert.Equal(total / 10, (await Ask(Query("status>=500"))).Count);
            Assert.Equal([$"n={total - 1}", $"n={total - 2}"], (await Ask(Query("method=GET") with { Descending = true, Limit = 2 }))
                .Select(r => (string)r.Columns[5]!));
            Assert.Equal("first second", Assert.Single(await Ask(Query("secon"))).Line);
            Assert.Equal("agent 42", Assert.Single(await Ask(Query("\"n=42 \""))).Columns[10]);
            Assert.Throws<QuerySyntaxException>(() => Query("colour=red"));
            Assert.Throws<QuerySyntaxException>(() => Query("status>high"));
            if (isFirst)
            {
                await TailAsync(scene, options, reader);
            }
        }
    }

    private static async Task TailAsync(SinkScene scene, SinkOptions options, ILogReader reader)
    {
        using var stop = new CancellationTokenSource();
        var seen = new List<string>();
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var tail = Task.Run(async () =>
        {
            await foreach (LogRow row in reader.TailAsync(new LogQuery(), 3, stop.Token))
            {
                seen.Add(row.Line!.Split("n=")[^1].Split(' ')[0]);
                if (seen.Count is 3 or 203)
                {
                    (seen.Count == 3 ? begun : done).SetResult();
                }
            }
        });
        // The tail begins where the table ends when it starts, and reads that before it shows the last rows.
        await await Task.WhenAny(begun.Task, tail).WaitAsync(TimeSpan.FromSeconds(60));
        await SinkScene.RunAsync(options, () => Task.FromResult(done.Task.IsCompleted ? 1L : 0), 1, () => scene.SendAsync(0, Lines(100, 200)));
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => tail);
        Assert.Equal(Enumerable.Range(100, 200).Select(n => n.ToString(CultureInfo.InvariantCulture)), seen.Skip(3));
    }
}
