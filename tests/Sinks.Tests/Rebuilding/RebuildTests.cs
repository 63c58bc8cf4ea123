using LogPipeline.Files;
using LogPipeline.Sinks.Query.Language;
using LogPipeline.Sinks.Rebuilding;
using LogPipeline.Sinks.Verification;

namespace LogPipeline.Sinks.Tests.Rebuilding;

/// <summary>A table is made anew from the log while it serves.</summary>
[Collection("postgres")]
public sealed class RebuildTests(PostgresFixture postgres)
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_table_is_rebuilt_with_another_parser_while_lines_come_and_each_is_there_once(bool isPostgres)
    {
        await using RebuildScene scene = await RebuildScene.StartAsync(postgres, isPostgres);
        await using RunningSink running = await RunningSink.StartAsync(scene.Options);
        scene.GoOnWriting();
        await scene.RequestAsync("combined");
        await scene.UntilAsync(RebuildStage.Swapped);
        await scene.EnoughAsync();
        Assert.Equal(0L, await scene.ScalarAsync("SELECT count(*) FROM web_log WHERE status IS DISTINCT FROM 200"));
        Assert.Equal(2L, await scene.ScalarAsync("SELECT count(*) FROM logpipe_logs WHERE sink = 'web_log' AND table_name = 'web_log'"));
        Assert.Equal(0L, await scene.ScalarAsync("SELECT count(*) FROM logpipe_logs WHERE sink <> 'web_log' AND table_name = 'web_log'"));
        Assert.Equal(0L, await scene.ScalarAsync("SELECT count(*) FROM logpipe_logs WHERE table_name LIKE 'web_log_rebuild%'"));
        Assert.True((long)(await scene.ScalarAsync("SELECT count(*) FROM web_log_before"))! >= 40);
        // SQLite renames no index.
        string prefix = isPostgres ? "web_log" : "web_log_rebuild1";
        await RebuildScene.UntilAsync(async () => await scene.IndexesAsync("web_log_rows") is [var time, var named]
            && time == $"{prefix}_rows_time" && named.StartsWith($"{prefix}_x", StringComparison.Ordinal));
        Assert.Null(running.Sink.Problem);
        Assert.Equal(await scene.CountAsync(), await scene.CountAsync("status:200"));
        RebuildRefusedException refused = await Assert.ThrowsAsync<RebuildRefusedException>(() => scene.Kept.DropAsync(default));
        Assert.StartsWith("the configuration says parser none still, and web_log is filled by combined", refused.Message, StringComparison.Ordinal);
    }

    /// <summary>The step's effect is made and its commit is under way when the process and all its connections die.</summary>
    [Theory]
    [InlineData(RebuildStage.Requested)]
    [InlineData(RebuildStage.ShadowCreated)]
    [InlineData(RebuildStage.Filling)]
    [InlineData(RebuildStage.CaughtUp)]
    [InlineData(RebuildStage.Verified)]
    public async Task A_rebuild_that_was_killed_in_any_stage_is_ended_by_the_next_process(RebuildStage stage)
    {
        await using RebuildScene scene = await RebuildScene.StartAsync(postgres);
        await scene.RequestAsync("combined");
        await scene.ExecuteAsync($"""
            CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(1000); RETURN NEW; END';
            CREATE TRIGGER hold BEFORE UPDATE ON logpipe_rebuilds FOR EACH ROW WHEN (OLD.stage = '{stage}' AND NEW.stage <> OLD.stage) EXECUTE FUNCTION hold();
            """);
        scene.GoOnWriting();
        await using (await RunningSink.BeginAsync(scene.Options)) // a step that is held may hold up its store
        {
            await scene.UntilHeldAsync(stage);
            Assert.Equal(stage, (await scene.Rebuilds.FindAsync(null, default))!.Stage);
            await scene.ExecuteAsync("""
                SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE (application_name LIKE 'logpipe sink %' OR (application_name LIKE 'logpipe rebuild %' AND state <> 'idle')) AND datname = current_database()
                """);
        }
        await scene.ExecuteAsync("DROP TRIGGER hold ON logpipe_rebuilds");
        await using RunningSink again = await RunningSink.StartAsync(scene.Options);
        await scene.UntilAsync(RebuildStage.Swapped);
        await scene.EnoughAsync();
        Assert.Equal(0L, await scene.ScalarAsync("SELECT count(*) FROM web_log WHERE status IS DISTINCT FROM 200"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_rollback_brings_the_table_before_back_with_all_that_came_since(bool isPostgres)
    {
        await using RebuildScene scene = await RebuildScene.StartAsync(postgres, isPostgres);
        await using RunningSink running = await RunningSink.StartAsync(scene.Options);
        await scene.RequestAsync("combined");
        await scene.UntilAsync(RebuildStage.Swapped);
        await scene.SendAsync(20);
        await scene.AllStoredAsync();
        RebuildRefusedException refused = await Assert.ThrowsAsync<RebuildRefusedException>(() => scene.RequestAsync("json"));
        Assert.Contains("--drop-old", refused.Message, StringComparison.Ordinal);
        Assert.Contains("--rollback", refused.Message, StringComparison.Ordinal);
        scene.GoOnWriting();
        Assert.Contains("web_log_undone", await scene.Kept.RollBackAsync(false, default), StringComparison.Ordinal);
        await scene.EnoughAsync();
        Assert.DoesNotContain("status", await scene.ColumnsAsync("web_log"), StringComparison.Ordinal);
        await Assert.ThrowsAsync<QuerySyntaxException>(() => scene.CountAsync("status:200"));
        refused = await Assert.ThrowsAsync<RebuildRefusedException>(() => scene.RequestAsync("json"));
        Assert.DoesNotContain("--rollback", refused.Message, StringComparison.Ordinal);
        await scene.Kept.DropAsync(default);
        Assert.False(await scene.HasTableAsync("web_log_undone_rows"));
        await Assert.ThrowsAsync<RebuildRefusedException>(() => scene.Kept.DropAsync(default));
        await scene.RequestAsync("combined");
        await scene.UntilAsync(RebuildStage.Swapped);
        await scene.AllStoredAsync();
        Assert.Equal(0L, await scene.ScalarAsync("SELECT count(*) FROM logpipe_sources WHERE sink NOT IN ('web_log', 'web_log.before.2')"));
        Assert.Equal(2L, await scene.ScalarAsync("SELECT count(DISTINCT sink) FROM logpipe_sources"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_people_removed_since_the_swap_stays_removed_in_a_rollback_or_is_told(bool isPostgres)
    {
        await using RebuildScene scene = await RebuildScene.StartAsync(postgres, isPostgres);
        await using RunningSink running = await RunningSink.StartAsync(scene.Options);
        await scene.RequestAsync("combined");
        await scene.UntilAsync(RebuildStage.Swapped);
        await scene.SendAsync(20);
        await scene.AllStoredAsync();
        // Items 3 were there before the swap, items 23 came since.
        await scene.ExecuteAsync("""
            INSERT INTO logpipe_repairs SELECT log, log_offset, log_offset + 1 FROM web_log_rows WHERE path LIKE '%/3' OR path LIKE '%/23';
            DELETE FROM web_log_rows WHERE path LIKE '%/3' OR path LIKE '%/23';
            """);
        Assert.Contains(" 2 records that came since the swap, and that you removed, will be stored again", await scene.Kept.RollBackAsync(false, default), StringComparison.Ordinal);
        await RebuildScene.UntilAsync(async () => await scene.CountAsync() == 58);
        Assert.Equal(0L, await scene.ScalarAsync("SELECT count(*) FROM web_log WHERE line LIKE '%/item/_/3 %'"));
        VerifyReport report = await SinkScene.VerifyAsync(scene.Options);
        Assert.True(report.Passed, string.Join('\n', report.Findings.Select(finding => finding.Text)));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Rows_that_the_log_no_longer_has_go_only_when_that_was_said(bool isPostgres)
    {
        await using RebuildScene scene = await RebuildScene.StartAsync(postgres, isPostgres);
        await scene.Topic.RestartBrokerAsync(static directory => SinkScene.RaiseStart(directory, 7));
        await using RunningSink running = await RunningSink.StartAsync(scene.Options);
        await scene.RequestAsync("combined");
        Rebuild aborted = await scene.UntilAsync(RebuildStage.Aborted);
        Assert.StartsWith("7 rows of web_log are from before the records", aborted.Note, StringComparison.Ordinal);
        Assert.False(await scene.HasTableAsync("web_log_rebuild1_rows"));
        await scene.RequestAsync("combined", fromOffset: 10, leavesOlder: true);
        await scene.UntilAsync(RebuildStage.Swapped);
        await RebuildScene.UntilAsync(async () => await scene.CountAsync() == 20);
        VerifyReport report = await SinkScene.VerifyAsync(scene.Options);
        Assert.True(report.Passed, string.Join('\n', report.Findings.Select(finding => finding.Text)));
        Assert.Contains("web_log-1: offsets 0 to 9 were left out by a rebuild", report.Notes);
    }

    [Theory]
    [InlineData(true, false, "7 rows of web_log are of records that went from the log before the new table had them.")]
    [InlineData(false, false, "7 rows of web_log are of records that went from the log before the new table had them.")]
    [InlineData(true, true, "the log of web_log-0, web_log-1 is gone since the rebuild began")]
    [InlineData(false, true, "the log of web_log-0, web_log-1 is gone since the rebuild began")]
    public async Task A_rebuild_that_the_log_does_not_wait_for_is_given_up(bool isPostgres, bool isMadeAnew, string reason)
    {
        await using RebuildScene scene = await RebuildScene.StartAsync(postgres, isPostgres);
        await scene.RequestAsync("combined");
        await scene.HoldBackFromAsync(RebuildStage.CaughtUp);
        await using (await RunningSink.StartAsync(scene.Options))
        {
            await scene.UntilAsync(RebuildStage.Filling);
        }
        // As if the process had ended before the shadow had anything.
        await scene.ExecuteAsync("""
            DELETE FROM web_log_rebuild1_rows;
            DELETE FROM logpipe_sources WHERE sink <> 'web_log';
            UPDATE logpipe_logs SET next_offset = 0 WHERE sink <> 'web_log';
            """);
        await (isMadeAnew ? scene.Topic.MakeTopicAnewAsync() : scene.Topic.RestartBrokerAsync(static directory => SinkScene.RaiseStart(directory, 7)));
        await scene.ReleaseAsync();
        await using RunningSink running = await RunningSink.StartAsync(scene.Options);
        Rebuild aborted = await scene.UntilAsync(RebuildStage.Aborted);
        Assert.StartsWith(reason, aborted.Note, StringComparison.Ordinal);
        Assert.Equal(40, await scene.CountAsync());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_came_since_of_a_topic_that_was_made_anew_goes_in_a_rollback_only_when_that_was_said(bool isPostgres)
    {
        await using RebuildScene scene = await RebuildScene.StartAsync(postgres, isPostgres);
        await using RunningSink running = await RunningSink.StartAsync(scene.Options);
        await scene.RequestAsync("combined");
        await scene.UntilAsync(RebuildStage.Swapped);
        await scene.SendAsync(20);
        await scene.AllStoredAsync();
        await scene.Topic.MakeTopicAnewAsync();
        RebuildRefusedException refused = await Assert.ThrowsAsync<RebuildRefusedException>(() => scene.Kept.RollBackAsync(false, default));
        Assert.Contains("no longer has 20 records that came since", refused.Message, StringComparison.Ordinal);
        Assert.Equal(60, await scene.CountAsync());
        await scene.Kept.RollBackAsync(true, default);
        Assert.Equal(40, await scene.CountAsync());
    }

    [Fact]
    public async Task What_people_removed_stays_removed_and_what_they_built_on_the_view_stays()
    {
        await using RebuildScene scene = await RebuildScene.StartAsync(postgres);
        await scene.ExecuteAsync("""
            WITH gone AS (DELETE FROM web_log_rows WHERE line LIKE '%/item/0/3 %' RETURNING log, log_offset)
            INSERT INTO logpipe_repairs SELECT log, log_offset, log_offset + 1 FROM gone;
            CREATE VIEW latest AS SELECT line FROM web_log;
            CREATE ROLE reader_of_rebuilds;
            GRANT SELECT ON web_log TO reader_of_rebuilds;
            """);
        await using RunningSink running = await RunningSink.StartAsync(scene.Options);
        await scene.RequestAsync("none");
        await scene.UntilAsync(RebuildStage.Swapped);
        Assert.Equal(39, await scene.CountAsync());
        Assert.True((await SinkScene.VerifyAsync(scene.Options)).Passed);
        await scene.ExecuteAsync("DROP VIEW web_log_before; DROP TABLE web_log_before_rows");
        await scene.Kept.DropAsync(default);
        await scene.SendAsync(2);
        await RebuildScene.UntilAsync(async () => (long)(await scene.ScalarAsync("SELECT count(*) FROM latest"))! == 41);
        // With other columns in the middle the view is another one: it gets the rights, and what reads the old one is in the way.
        await scene.RequestAsync("combined");
        await RebuildScene.UntilAsync(async () => (await scene.Rebuilds.FindAsync(null, default))!.Note?.Contains("latest would go on reading", StringComparison.Ordinal) == true);
        await scene.ExecuteAsync("DROP VIEW latest");
        await scene.UntilAsync(RebuildStage.Swapped);
        Assert.Equal(41, await scene.CountAsync());
        Assert.True((bool)(await scene.ScalarAsync("SELECT has_table_privilege('reader_of_rebuilds', 'web_log', 'SELECT')"))!);
        await scene.ExecuteAsync("DROP OWNED BY reader_of_rebuilds; DROP ROLE reader_of_rebuilds");
    }

    [Fact]
    public async Task Triggers_and_publications_of_the_live_table_are_in_the_way_of_the_swap()
    {
        await using RebuildScene scene = await RebuildScene.StartAsync(postgres);
        await scene.ExecuteAsync("""
            CREATE FUNCTION watch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
            CREATE TRIGGER watch AFTER INSERT ON web_log_rows FOR EACH ROW EXECUTE FUNCTION watch();
            CREATE PUBLICATION everywhere FOR TABLE web_log_rows;
            """);
        await using RunningSink running = await RunningSink.StartAsync(scene.Options);
        await scene.RequestAsync("combined");
        const string remedy = "DROP TRIGGER watch ON web_log_rows; ALTER PUBLICATION everywhere DROP TABLE web_log_rows";
        await RebuildScene.UntilAsync(async () => (await scene.Rebuilds.FindAsync(null, default))!.Note?.Contains(remedy, StringComparison.Ordinal) == true);
        await scene.ExecuteAsync(remedy);
        await scene.UntilAsync(RebuildStage.Swapped);
    }

    [Fact]
    public async Task In_SQLite_views_read_the_new_table_and_what_would_stay_with_the_old_one_is_in_the_way()
    {
        await using RebuildScene scene = await RebuildScene.StartAsync(postgres, isPostgres: false, parser: "combined");
        await scene.ExecuteAsync("""
            INSERT INTO logpipe_repairs SELECT log, log_offset, log_offset + 1 FROM web_log_rows WHERE line LIKE '%/item/0/3 %';
            DELETE FROM web_log_rows WHERE line LIKE '%/item/0/3 %';
            CREATE VIEW latest AS SELECT line FROM web_log;
            CREATE VIEW codes AS SELECT status FROM web_log;
            CREATE TABLE seen (line TEXT);
            CREATE TRIGGER watch AFTER INSERT ON web_log_rows BEGIN INSERT INTO seen VALUES (NEW.line); END;
            """);
        await using RunningSink running = await RunningSink.StartAsync(scene.Options);
        await scene.RequestAsync("none");
        await InTheWayAsync("trigger watch would stay with the table that is swapped out");
        await scene.ExecuteAsync("DROP TRIGGER watch");
        await InTheWayAsync("view codes could not read the new table");
        await scene.ExecuteAsync("DROP VIEW codes");
        await scene.UntilAsync(RebuildStage.Swapped);
        await scene.SendAsync(2);
        await RebuildScene.UntilAsync(async () => 41L.Equals(await scene.ScalarAsync("SELECT count(*) FROM latest")));
        Assert.Equal((39L, 39L), (await scene.ScalarAsync("SELECT count(*) FROM web_log_before"), await scene.ScalarAsync("SELECT count(status) FROM web_log_before")));
        Assert.True((await SinkScene.VerifyAsync(scene.Options)).Passed);

        Task InTheWayAsync(string what) => RebuildScene.UntilAsync(async () => (await scene.Rebuilds.FindAsync(null, default))!.Note?.Contains(what, StringComparison.Ordinal) == true);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_rebuild_that_is_given_up_leaves_nothing_behind(bool isPostgres)
    {
        await using RebuildScene scene = await RebuildScene.StartAsync(postgres, isPostgres);
        await scene.RequestAsync("combined");
        await scene.HoldBackFromAsync(RebuildStage.CaughtUp);
        await using RunningSink running = await RunningSink.StartAsync(scene.Options);
        await scene.UntilAsync(RebuildStage.Filling);
        Assert.Contains("given up", await scene.Kept.AbortAsync("by alice@web-1", default), StringComparison.Ordinal);
        await scene.SendAsync(10);
        await scene.AllStoredAsync();
        // What the shadow sink did until it was stopped goes with its end.
        await RebuildScene.UntilAsync(async () => !await scene.HasTableAsync("web_log_rebuild1_rows") && 0L.Equals(await scene.ScalarAsync("""
            SELECT (SELECT count(*) FROM logpipe_sources WHERE sink <> 'web_log') + (SELECT count(*) FROM logpipe_logs WHERE sink <> 'web_log')
            """)));
        await scene.ReleaseAsync();
        await scene.RequestAsync("combined");
        await scene.UntilAsync(RebuildStage.Swapped);
    }

    /// <summary>A start asks which parser the table has, and then opens it: a swap may come in between.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_store_that_is_opened_just_behind_a_swap_does_not_take_the_table_back(bool isPostgres)
    {
        await using RebuildScene scene = await RebuildScene.StartAsync(postgres, isPostgres);
        await using (await RunningSink.StartAsync(scene.Options))
        {
            await scene.RequestAsync("combined");
            await scene.UntilAsync(RebuildStage.Swapped);
        }
        await using (ISinkStore late = SinkStores.Create(scene.Options, new OsFileSystem(), TimeProvider.System, new Random(3)))
        {
            await Assert.ThrowsAsync<TableReplacedException>(async () => await late.OpenAsync(default));
        }
        await using RunningSink running = await RunningSink.StartAsync(scene.Options);
        await scene.SendAsync(20);
        await scene.AllStoredAsync();
        Assert.Equal(0L, await scene.ScalarAsync("SELECT count(*) FROM web_log WHERE status IS NULL"));
        Assert.Null(running.Sink.Problem);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_table_that_got_another_parser_meanwhile_is_not_swapped_out(bool isPostgres)
    {
        await using RebuildScene scene = await RebuildScene.StartAsync(postgres, isPostgres);
        await scene.RequestAsync("combined");
        await scene.HoldBackFromAsync(RebuildStage.CaughtUp);
        await using (await RunningSink.StartAsync(scene.Options))
        {
            await scene.UntilAsync(RebuildStage.Filling);
        }
        await scene.ReleaseAsync();
        await using RunningSink changed = await RunningSink.StartAsync(scene.Options with { Parser = "json" });
        await RebuildScene.UntilAsync(async () => (await scene.Rebuilds.FindAsync(null, default))!.Note?.Contains("web_log was taken over to parser json since the rebuild began", StringComparison.Ordinal) == true);
        await scene.Kept.AbortAsync("by alice@web-1", default);
        Assert.Equal(40, await scene.CountAsync());
        Assert.Null(changed.Sink.Problem);
    }

    [Fact]
    public void What_cannot_be_rebuilt_says_what_to_do()
    {
        var options = new SinkOptions { Name = "web", Topics = ["web_log"] };
        Assert.Contains("writes files, which are not swapped", Refusal(options with { Files = new FilesOptions { Directory = "/nowhere" } }), StringComparison.Ordinal);

        static string Refusal(SinkOptions options) => Assert.Throws<SinkConfigurationException>(() => new RebuildTable(options)).Message;
    }
}
