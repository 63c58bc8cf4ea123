using System.Text;
using LogPipeline.Contract;
using LogPipeline.Files;
using LogPipeline.Sinks.DeadLetters;

namespace LogPipeline.Sinks.Tests;

/// <summary>Lines that the table refused, and what becomes of them.</summary>
[Collection("postgres")]
public sealed class DeadLetterTests(PostgresFixture postgres)
{
    private static async Task<RetriedLetters> RetryAsync(SinkOptions options, DeadLetterChoice choice)
    {
        await using ISinkStore store = SinkStores.Create(options, new OsFileSystem(), TimeProvider.System, new Random(5));
        return await DeadLetterTable.RetryAsync(store, choice, default);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_letter_is_tried_again_once_at_its_own_place_or_dropped_and_verify_agrees(bool isPostgres)
    {
        await using SinkScene scene = await SinkScene.StartAsync();
        SinkOptions options = (isPostgres ? scene.Postgres(await postgres.NewDatabaseAsync()) : scene.Sqlite()) with { Parser = "none" };
        var choice = new DeadLetterChoice(options.Name);
        await SinkScene.RunAsync(options, 0);
        await SinkScene.ScalarAsync(options, isPostgres
            ? "ALTER TABLE web_log_rows ADD CONSTRAINT sober CHECK (line NOT LIKE 'poison%')"
            : "CREATE TRIGGER sober BEFORE INSERT ON web_log_rows WHEN NEW.line LIKE 'poison%' BEGIN SELECT RAISE(ABORT, 'sober'); END");
        await scene.SendAsync(0, ["line 0", "poison 1", "line 2", "poison 3", "line 4"]);
        await SinkScene.RunAsync(options, 3);
        Assert.Empty((await SinkScene.VerifyAsync(options)).Findings);

        await using var letters = new DeadLetterTable(options);
        IReadOnlyList<ListedLetter> listed = await letters.ListAsync(choice, 10, default);
        Assert.Equal([("poison 1", 1L, true), ("poison 3", 3L, true)], listed.Select(l => (Encoding.UTF8.GetString(l.Value), l.Offset, l.MayBeRetried)));
        Assert.All(listed, l => Assert.Equal(("web_log", "web-1", "/var/log/access.log"), (l.Topic, l.Host, l.File)));
        Assert.Equal(2L, await SinkScene.ScalarAsync(options, "SELECT count(*) FROM web_log_dead_letters WHERE line LIKE 'poison%' AND sink = 'web_log'"));
        Assert.Equal(new RetriedLetters(0, 2), await RetryAsync(options, choice));
        Assert.Equal(2, (await letters.ListAsync(choice, 10, default)).Count);

        await SinkScene.ScalarAsync(options, isPostgres ? "ALTER TABLE web_log_rows DROP CONSTRAINT sober" : "DROP TRIGGER sober");
        Assert.Equal(new RetriedLetters(0, 0), await RetryAsync(options, choice with { State = "99999" }));
        Assert.Equal(new RetriedLetters(1, 0), await RetryAsync(options, choice with { Partition = 0, Offset = 1 }));
        Assert.Equal(new RetriedLetters(0, 0), await RetryAsync(options, choice with { Offset = 1 }));
        Assert.Equal(4, await SinkScene.CountAsync(options));
        Assert.Equal(7L, await SinkScene.ScalarAsync(options, "SELECT file_offset FROM web_log WHERE line = 'poison 1' AND log_offset = 1 AND host = 'web-1' AND part = 0"));
        Assert.Empty((await SinkScene.VerifyAsync(options)).Findings);

        Assert.Equal(1, await letters.DropAsync(choice, default));
        Assert.Empty(await letters.ListAsync(choice, 10, default));
        Assert.Empty((await SinkScene.VerifyAsync(options)).Findings);
        await scene.SendAsync(0, "poison 1", 7, 16, PositionFlags.Again);
        await scene.SendAsync(0, ["line 5"]);
        await SinkScene.RunAsync(options, 5);
        Assert.Equal(5, await SinkScene.CountAsync(options));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Large_letters_are_taken_some_at_a_time_and_all_are_stored(bool isPostgres)
    {
        await using SinkScene scene = await SinkScene.StartAsync();
        SinkOptions options = (isPostgres ? scene.Postgres(await postgres.NewDatabaseAsync()) : scene.Sqlite()) with { Parser = "none" };
        await scene.SendAsync(0, ["line"]);
        await SinkScene.RunAsync(options, 1);
        string value = isPostgres ? $"convert_to(repeat('x', {20 << 20}), 'UTF8')" : $"CAST(printf('%.{20 << 20}c', 'x') AS BLOB)";
        for (int offset = 1; offset < 4; offset++)
        {
            await SinkScene.ScalarAsync(options, $"""
                INSERT INTO logpipe_dead_letters (log, log_offset, time, state, reason, value, part, flags)
                SELECT id, {offset}, '2026-11-21 00:00:00Z', '23514', 'large', {value}, 0, 0 FROM logpipe_logs WHERE partition = 0
                """);
        }
        var choice = new DeadLetterChoice(options.Name);
        await using (ISinkStore store = SinkStores.Create(options, new OsFileSystem(), TimeProvider.System, new Random(6)))
        {
            await store.OpenAsync(default);
            await using var flush = (IDeadLetterFlush)await store.BeginAsync(default);
            Assert.Equal([1L, 2L], (await flush.TakeDeadLettersAsync(choice.Condition, (-1, -1), 10, default)).Select(letter => letter.Offset));
            await flush.RollbackAsync(default);
        }
        Assert.Equal(new RetriedLetters(3, 0), await RetryAsync(options, choice));
        Assert.Equal(4, await SinkScene.CountAsync(options));
    }

    [Fact]
    public async Task A_table_of_an_earlier_version_is_taken_over_and_its_letters_are_shown_but_not_tried()
    {
        await using SinkScene scene = await SinkScene.StartAsync();
        foreach (SinkOptions made in new[] { scene.Sqlite(), scene.Postgres(await postgres.NewDatabaseAsync()) with { Name = "second" } })
        {
            SinkOptions options = made with { Parser = "none" };
            await scene.SendAsync(0, ["line"]);
            await SinkScene.RunAsync(options, 1);
            await SinkScene.ScalarAsync(options, "DROP VIEW web_log_dead_letters");
            foreach (string column in new[] { "source", "file_offset", "part", "flags" })
            {
                await SinkScene.ScalarAsync(options, $"ALTER TABLE logpipe_dead_letters DROP COLUMN {column}");
            }
            await SinkScene.ScalarAsync(options, $"INSERT INTO logpipe_dead_letters SELECT id, 0, '2026-11-21 00:00:00Z', '22021', 'old', {(made.Sqlite is null ? "'x'::bytea" : "x'78'")} FROM logpipe_logs LIMIT 1");
            var choice = new DeadLetterChoice(options.Name);
            Assert.Equal(new RetriedLetters(0, 0), await RetryAsync(options, choice));
            await using var letters = new DeadLetterTable(options);
            Assert.False(Assert.Single(await letters.ListAsync(choice, 10, default)).MayBeRetried);
        }
    }
}
