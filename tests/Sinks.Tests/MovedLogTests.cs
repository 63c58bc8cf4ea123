using LogPipeline.Contract;
using LogPipeline.Protocol.Records;
using LogPipeline.Sinks.Events;
using LogPipeline.Sinks.Verification;
using LogPipeline.Testing.Logging;

namespace LogPipeline.Sinks.Tests;

/// <summary>Logs, ledgers and owners that change under a sink.</summary>
[Collection("postgres")]
public sealed class MovedLogTests(PostgresFixture postgres)
{
    private static string Line(int n) => $"line {n:D4}"; // 9 bytes, 10 with its end

    private static IEnumerable<string> Lines(int from, int count) => Enumerable.Range(from, count).Select(Line);

    private static Task<object?> AskAsync(SinkOptions options, string sql) => SinkScene.ScalarAsync(options, sql);

    [Fact]
    public async Task A_log_that_lost_its_tail_is_gone_back_to_and_what_is_sent_again_is_known()
    {
        await using SinkScene scene = await SinkScene.StartAsync();
        SinkOptions options = scene.Sqlite() with { Parser = "none" };
        var events = new RecordedEvents();
        for (int n = 0; n < 10; n++)
        {
            await scene.SendAsync(0, Lines(n * 10, 10));
        }
        await SinkScene.RunAsync(options, 100);

        await scene.RestartBrokerAsync(directory => CutInHalf(Path.Combine(directory, "web_log-0")));
        int end = (int)await scene.EndAsync(0);
        Assert.InRange(end, 10, 90);
        // The agent sends its lost tail again, marked, and goes on: soon the log is longer than the ledger says, with other records.
        foreach (int n in Enumerable.Range(end, 100 - end))
        {
            await scene.SendAsync(0, Line(n), n * 10, n * 10 + 10, PositionFlags.Again);
        }
        await scene.SendAsync(0, Lines(100, 50));
        await SinkScene.RunAsync(options, 150, events: events);

        Assert.Equal(150L, await AskAsync(options, "SELECT count(DISTINCT line) FROM web_log"));
        Assert.Equal(150L, await SinkScene.CountAsync(options));
        TruncationFound found = Assert.Single(events.All.OfType<TruncationFound>());
        Assert.Equal((100L, (long)end), (found.Stored, found.End));
        Assert.Empty((await SinkScene.VerifyAsync(options)).Findings);
    }

    [Theory]
    [InlineData(true, "claiming again", "given up")]
    [InlineData(false, "given up", "claiming again")]
    public async Task A_ledger_row_that_nobody_has_is_claimed_at_once_and_a_rivals_later(bool isFree, string told, string notTold)
    {
        await using SinkScene scene = await SinkScene.StartAsync();
        SinkOptions options = scene.Sqlite() with { Parser = "none" };
        var log = new WarningLog();
        await scene.SendAsync(0, Lines(0, 10));
        await SinkScene.RunAsync(options, 20, async () =>
        {
            while (await SinkScene.CountAsync(options) < 10)
            {
                await Task.Delay(10);
            }
            await AskAsync(options, $"UPDATE logpipe_logs SET owner = '{(isFree ? Guid.Empty : new Guid(7, 0, 0, new byte[8]))}'");
            await scene.SendAsync(0, Lines(10, 10));
        }, logger: log);
        Assert.Contains(log.Lines, line => line.Contains(told, StringComparison.Ordinal));
        Assert.DoesNotContain(log.Lines, line => line.Contains(notTold, StringComparison.Ordinal));
        Assert.Equal(20L, await AskAsync(options, "SELECT count(DISTINCT line) FROM web_log"));
    }

    [Fact]
    public async Task A_log_whose_start_passed_the_ledger_is_a_gap_recorded_and_told()
    {
        await using SinkScene scene = await SinkScene.StartAsync();
        SinkOptions options = scene.Sqlite() with { Parser = "none" };
        var events = new RecordedEvents();
        await scene.SendAsync(0, Lines(0, 100));
        await SinkScene.RunAsync(options, 100);
        await scene.SendAsync(0, Lines(100, 100));
        await scene.RestartBrokerAsync(directory => SinkScene.RaiseStart(directory, 150));
        await SinkScene.RunAsync(options, 150, events: events);

        Assert.Equal(Line(150), await AskAsync(options, "SELECT line FROM web_log WHERE log_offset > 99 ORDER BY log_offset"));
        Assert.Equal("100-150", await AskAsync(options, "SELECT from_offset || '-' || to_offset FROM logpipe_gaps"));
        GapFound found = Assert.Single(events.All.OfType<GapFound>());
        Assert.Equal((100L, 150L), (found.From, found.To));
        Assert.True(SinkNotice.Of(found).IsAlert);
        VerifyReport report = await SinkScene.VerifyAsync(options);
        Assert.Empty(report.Findings);
        Assert.Contains(report.Notes, note => note.Contains("100 to 149", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Latest_counts_at_the_first_start_only_and_what_was_before_is_not_missing(bool isPostgres)
    {
        await using SinkScene scene = await SinkScene.StartAsync();
        SinkOptions options = (isPostgres ? scene.Postgres(await postgres.NewDatabaseAsync()) : scene.Sqlite()) with { Parser = "none", StartFrom = "latest" };
        await scene.SendAsync(0, Lines(0, 100));
        await SinkScene.RunAsync(options, 50, async () =>
        {
            while ((long)(await AskAsync(options, "SELECT count(*) FROM logpipe_logs"))! < 2)
            {
                await Task.Delay(20);
            }
            await scene.SendAsync(0, Lines(100, 50));
        });
        await scene.SendAsync(0, Lines(150, 50));
        await SinkScene.RunAsync(options, 100);
        Assert.Equal(Line(100), await AskAsync(options, "SELECT min(line) FROM web_log"));
        Assert.Equal(100L, await SinkScene.CountAsync(options));
        VerifyReport report = await SinkScene.VerifyAsync(options);
        Assert.Empty(report.Findings);
        Assert.Equal(["web_log-0: offsets 0 to 99 were there before the sink, which began at the end (start_from: latest)"], report.Notes);
    }

    [Fact]
    public async Task Another_database_under_the_same_sink_stops_it_with_the_reason()
    {
        await using SinkScene scene = await SinkScene.StartAsync();
        SinkOptions options = scene.Sqlite() with { Parser = "none" };
        await scene.SendAsync(0, Lines(0, 10));
        await SinkScene.RunAsync(options, 10);
        SinkOptions other = options with { Sqlite = options.Sqlite! with { File = options.Sqlite.File + ".other" } };
        StoreRefusedException error = await Assert.ThrowsAsync<StoreRefusedException>(() => SinkScene.RunAsync(other, 10));
        Assert.Contains("Point the sink at the store it used before", error.Message, StringComparison.Ordinal);
        Assert.Equal(0L, await SinkScene.CountAsync(other));
        await scene.SendAsync(0, Lines(10, 10));
        await SinkScene.RunAsync(options, 20);
    }

    [Fact]
    public async Task An_owner_that_was_replaced_stores_nothing_and_claims_again()
    {
        await using SinkScene scene = await SinkScene.StartAsync();
        SinkOptions options = scene.Sqlite() with { Parser = "none" };
        await scene.SendAsync(0, Lines(0, 100));
        await SinkScene.RunAsync(options, 300, async () =>
        {
            while (await SinkScene.CountAsync(options) < 100)
            {
                await Task.Delay(20);
            }
            object? stolen = await AskAsync(options, "UPDATE logpipe_logs SET owner = 'ffffffff-ffff-ffff-ffff-ffffffffffff'; SELECT changes()");
            Assert.Equal(2L, stolen);
            await scene.SendAsync(0, Lines(100, 200));
        });
        Assert.Equal(300L, await AskAsync(options, "SELECT count(DISTINCT line) FROM web_log"));
        Assert.Equal(300L, await SinkScene.CountAsync(options));
        Assert.Empty((await SinkScene.VerifyAsync(options)).Findings);
    }

    [Fact]
    public async Task A_database_that_went_back_to_a_backup_under_a_quiet_sink_is_filled_again()
    {
        await using SinkScene scene = await SinkScene.StartAsync();
        SinkOptions options = scene.Sqlite() with { Parser = "none" };
        await scene.SendAsync(0, Lines(0, 100));
        bool restored = false;
        await SinkScene.RunAsync(options, async () => restored ? await SinkScene.CountAsync(options) : 0, 100, async () =>
        {
            while (await SinkScene.CountAsync(options) < 100)
            {
                await Task.Delay(20);
            }
            // The backup is of the sink's first moment: its claims are there, nothing that it stored.
            await AskAsync(options, "BEGIN; DELETE FROM web_log_rows; DELETE FROM logpipe_sources; UPDATE logpipe_logs SET next_offset = 0, leader_epoch = -1; COMMIT");
            restored = true;
        });
        Assert.Equal(100L, await AskAsync(options, "SELECT count(DISTINCT line) FROM web_log"));
        Assert.Empty((await SinkScene.VerifyAsync(options)).Findings);
    }

    private static void CutInHalf(string directory)
    {
        string segment = Directory.GetFiles(directory, "*.log").Single();
        foreach (string snapshot in Directory.GetFiles(directory, "*.snapshot"))
        {
            File.Delete(snapshot); // it would tell the broker what was there
        }
        using var file = new FileStream(segment, FileMode.Open, FileAccess.Write);
        file.SetLength(LogLength(segment) / 2);
    }

    /// <summary>Bytes of whole batches: a segment may be preallocated beyond them.</summary>
    private static long LogLength(string segment)
    {
        byte[] bytes = File.ReadAllBytes(segment);
        int length = 0;
        while (Protocol.Records.BatchHeader.TryParse(bytes.AsSpan(length), out BatchHeader header) && header.SizeInBytes <= bytes.Length - length)
        {
            length += header.SizeInBytes;
        }
        return length;
    }

    [Fact]
    public async Task A_second_sink_that_joins_and_leaves_under_load_repeats_and_loses_nothing()
    {
        await using SinkScene scene = await SinkScene.StartAsync();
        SinkOptions options = scene.Sqlite() with { Parser = "none" };
        int sent = 0;
        async Task FeedUntilAsync(Task done)
        {
            for (; !done.IsCompleted; sent += 100)
            {
                await scene.SendAsync(sent / 100 % 2, Lines(sent, 100));
                await Task.WhenAny(done, Task.Delay(20));
            }
            await done;
        }
        Task<object?> Owners() => AskAsync(options, "SELECT min(owner) || max(owner) FROM logpipe_logs");
        // One of the two partitions goes over to the second sink, so its owner changes; it comes back when that one leaves.
        async Task JoinAndLeaveAsync()
        {
            object? before = await Owners();
            await SinkScene.RunAsync(options, async () => Equals(await Owners(), before) ? 0L : 1L, 1);
        }
        await scene.SendAsync(0, Lines(9000, 1));
        await SinkScene.RunAsync(options, async () => sent > 0 ? await SinkScene.CountAsync(options) - sent : 0, 1, () => FeedUntilAsync(JoinAndLeaveAsync()));
        Assert.Equal(sent + 1L, await SinkScene.CountAsync(options));
        Assert.Empty((await SinkScene.VerifyAsync(options)).Findings);
    }
}
