using System.Globalization;
using LogPipeline.Sinks.Events;
using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Parsing;
using LogPipeline.Sinks.Postgres;
using LogPipeline.Sinks.Rows;
using LogPipeline.Sinks.Verification;
using Npgsql;

namespace LogPipeline.Sinks.Tests.Postgres.Partitions;

/// <summary>Retention takes whole partitions and notes what was in them, wherever it is killed, and `verify` agrees.</summary>
[Collection("postgres")]
public sealed class RetentionTests(PostgresFixture postgres)
{
    private static readonly LogIdentity Log = new("web", "cluster", Guid.Empty, "web_log", 0);
    private static readonly DateTimeOffset Today = new(DateTimeOffset.UtcNow.UtcDateTime.Date, TimeSpan.Zero);

    private string _connection = "";

    private static string Line(DateTimeOffset time, string path = "/") => string.Create(CultureInfo.InvariantCulture,
        $"10.0.0.1 - - [{time.ToString("dd'/'MMM'/'yyyy:HH:mm:ss +0000", CultureInfo.InvariantCulture)}] \"GET {path} HTTP/1.1\" 200 7 \"-\" \"-\"");

    private PostgresStore Store(int days = 30) =>
        new("web", new PostgresOptions { Connection = _connection, Retention = TimeSpan.FromDays(days) }, LineParsers.Named("combined"), TimeProvider.System, new Random(1));

    private Task<List<object?[]>> AskAsync(string sql) => PostgresFixture.RowsAsync(_connection, sql);

    private async Task<long> CountAsync(string of = "web_log_rows") => (long)(await AskAsync($"SELECT count(*) FROM {of}"))[0][0]!;

    /// <summary>A store with 3 rows of today, 2 of 70 days ago and 1 of 105 days ago, whose partitions are the months'.</summary>
    private async Task<(PostgresStore Store, LedgerEntry Entry)> FilledAsync()
    {
        _connection = await postgres.NewDatabaseAsync();
        PostgresStore store = Store();
        await store.OpenAsync(default);
        await store.CreateAsync([new LedgerStart(Log, 0)], default);
        LedgerEntry entry = (await store.ClaimAsync(Log, OwnerToken.New(new Random(5)), default))!;
        await StoreAsync(store, entry, 10, Today, Today.AddDays(-70), Today, Today.AddDays(-70), Today.AddDays(-105), Today);
        return (store, entry);
    }

    private static async Task StoreAsync(PostgresStore store, LedgerEntry entry, long offset, params DateTimeOffset[] times)
    {
        using RowBatch rows = TestRows.Batch(offset, [.. times.Select(time => Line(time))]);
        rows.Parse(store.Parser);
        await store.PrepareAsync(rows, default);
        await using ISinkFlush flush = await store.BeginAsync(default);
        IReadOnlyList<SourceState> sources = await flush.ReadSourcesAsync(rows.Sources, default);
        await flush.CopyRowsAsync(entry.Id, rows, [.. sources.Select(s => s.Id)], default);
        await flush.CommitAsync(default);
    }

    private async Task AssertOnlyTodayIsLeftAsync()
    {
        Assert.Equal(3L, await CountAsync());
        Assert.Equal([3L, "{[11,12),[13,15)}"], (await AskAsync("SELECT (SELECT sum(rows)::bigint FROM logpipe_expired), (SELECT range_agg(r)::text FROM logpipe_expired, unnest(offsets) AS r)"))[0]);
        Assert.Equal(0L, await CountAsync("logpipe_retention WHERE done IS NULL"));
        Assert.Equal(0L, await CountAsync($"pg_class c WHERE relname LIKE 'web_log_{Today.AddDays(-70):yyyyMM}%' OR relname LIKE 'web_log_{Today.AddDays(-105):yyyyMM}%'"));
    }

    [Fact]
    public async Task What_is_too_old_goes_and_its_totals_are_noted_by_log()
    {
        (PostgresStore store, LedgerEntry entry) = await FilledAsync();
        await using PostgresStore _ = store;
        IReadOnlyList<ExpiredPart> removed = await store.TendAsync(default);
        Assert.Equal([1L, 2L], removed.Select(part => part.Rows));
        await AssertOnlyTodayIsLeftAsync();
        Assert.Equal((long)(Line(Today).Length * 3), (await AskAsync("SELECT sum(bytes)::bigint FROM logpipe_expired"))[0][0]);
        Assert.Empty(await store.TendAsync(default));
        // A late line is stored, and goes with the next round.
        await StoreAsync(store, entry, 20, Today.AddDays(-70));
        Assert.Equal(4L, await CountAsync());
        Assert.Equal([1L], (await store.TendAsync(default)).Select(part => part.Rows));
        Assert.Equal(3L, await CountAsync());
    }

    [Fact]
    public async Task What_is_young_or_of_no_believable_time_stays()
    {
        (PostgresStore store, LedgerEntry entry) = await FilledAsync();
        await store.DisposeAsync();
        await using PostgresStore patient = Store(days: 366);
        await patient.OpenAsync(default);
        await StoreAsync(patient, entry, 20, DateTimeOffset.UnixEpoch);
        Assert.Empty(await patient.TendAsync(default));
        Assert.Equal(7L, await CountAsync());
    }

    /// <summary>The states that a kill leaves, each made by hand up to there.</summary>
    [Theory]
    [InlineData("noted")]
    [InlineData("detach under way")]
    [InlineData("detached")]
    public async Task A_round_goes_on_where_one_was_killed(string state)
    {
        (PostgresStore store, LedgerEntry _) = await FilledAsync();
        await using PostgresStore _store = store;
        // A round that notes one partition and is killed at its detach.
        await AskAsync("""
            CREATE FUNCTION die() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); END $$;
            CREATE EVENT TRIGGER die ON ddl_command_start WHEN TAG IN ('ALTER TABLE') EXECUTE FUNCTION die();
            """);
        await Assert.ThrowsAsync<StoreUnavailableException>(async () => await store.TendAsync(default));
        await AskAsync("DROP EVENT TRIGGER die");
        string partition = (string)(await AskAsync("SELECT partition FROM logpipe_retention WHERE done IS NULL"))[0][0]!;
        Assert.Equal(6L, await CountAsync());
        if (state == "detach under way")
        {
            await KillWhileDetachingAsync(partition);
            Assert.Equal(true, (await AskAsync($"SELECT inhdetachpending FROM pg_inherits WHERE inhrelid = '{partition}'::regclass"))[0][0]);
        }
        else if (state == "detached")
        {
            await AskAsync($"ALTER TABLE web_log_rows DETACH PARTITION {partition}");
        }
        await using PostgresStore next = Store();
        await next.OpenAsync(default);
        Assert.Equal(2, (await next.TendAsync(default)).Count);
        await AssertOnlyTodayIsLeftAsync();
    }

    [Fact]
    public async Task A_kill_at_the_drop_leaves_partition_and_note_and_nothing_is_counted_twice()
    {
        (PostgresStore store, LedgerEntry _) = await FilledAsync();
        await using PostgresStore _store = store;
        await AskAsync("""
            CREATE FUNCTION die() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); END $$;
            CREATE EVENT TRIGGER die ON sql_drop EXECUTE FUNCTION die();
            """);
        await Assert.ThrowsAsync<StoreUnavailableException>(async () => await store.TendAsync(default));
        await AskAsync("DROP EVENT TRIGGER die");
        Assert.Equal(0L, await CountAsync("logpipe_expired"));
        await store.TendAsync(default);
        await AssertOnlyTodayIsLeftAsync();
    }

    [Fact]
    public async Task Time_outs_of_the_database_do_not_end_the_wait_for_queries_that_read_a_partition()
    {
        (PostgresStore store, LedgerEntry _) = await FilledAsync();
        await using PostgresStore _store = store;
        await AskAsync("DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET statement_timeout = 200', current_database()); EXECUTE format('ALTER DATABASE %I SET lock_timeout = 200', current_database()); END $$");
        await using var reader = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(_connection) { Options = "-c statement_timeout=0" }.ConnectionString);
        await reader.OpenAsync();
        await using var command = new NpgsqlCommand("SELECT count(*), pg_sleep(3) FROM web_log_rows", reader);
        Task reading = command.ExecuteNonQueryAsync();
        while ((long)(await AskAsync("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"))[0][0]! == 0)
        {
            await Task.Yield();
        }
        ValueTask<IReadOnlyList<ExpiredPart>> removing = store.TendAsync(default);
        await reading;
        Assert.Equal(2, (await removing).Count);
        await AssertOnlyTodayIsLeftAsync();
    }

    [Fact]
    public async Task Two_workers_take_each_partition_once()
    {
        (PostgresStore store, LedgerEntry _) = await FilledAsync();
        await using PostgresStore _store = store;
        await using PostgresStore other = Store();
        await other.OpenAsync(default);
        IReadOnlyList<ExpiredPart>[] removed = await Task.WhenAll(store.TendAsync(default).AsTask(), other.TendAsync(default).AsTask());
        IReadOnlyList<ExpiredPart> rest = await store.TendAsync(default);
        Assert.Equal(3L, removed.Append(rest).Sum(parts => parts.Sum(part => part.Rows)));
        await AssertOnlyTodayIsLeftAsync();
    }

    [Fact]
    public async Task Verify_agrees_with_what_is_left_and_says_what_went_also_in_the_middle_of_it()
    {
        _connection = await postgres.NewDatabaseAsync();
        await using SinkScene scene = await SinkScene.StartAsync();
        SinkOptions options = scene.Postgres(_connection);
        await scene.SendAsync(0, Enumerable.Range(0, 40).Select(i => Line(i % 3 == 0 ? Today.AddDays(-70) : Today, $"/{i}")));
        await scene.SendAsync(1, Enumerable.Range(0, 20).Select(i => Line(Today.AddDays(-70), $"/{i}")));
        await SinkScene.RunAsync(options, 60);
        Assert.True((await SinkScene.VerifyAsync(options)).Passed);
        // One is noted and detached, and its totals are not there yet.
        await using (var store = new PostgresStore("web_log", options.Postgres! with { Retention = TimeSpan.FromDays(30) }, LineParsers.Named("combined"), TimeProvider.System, new Random(1)))
        {
            await store.OpenAsync(default);
            await AskAsync("""
                CREATE FUNCTION die() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); END $$;
                CREATE EVENT TRIGGER die ON sql_drop EXECUTE FUNCTION die();
                """);
            await Assert.ThrowsAsync<StoreUnavailableException>(async () => await store.TendAsync(default));
            await AskAsync("DROP EVENT TRIGGER die");
        }
        Assert.Equal(26L, await CountAsync());
        await AssertVerifiedAsync(options);
        SinkOptions kept = options with { Postgres = options.Postgres! with { Retention = TimeSpan.FromDays(30) } };
        var events = new RecordedEvents();
        await SinkScene.RunAsync(kept, 26, async () =>
        {
            while (await CountAsync("pg_class WHERE relname = 'logpipe_expired'") == 0 || await CountAsync("logpipe_expired") < 2
                || events.All.OfType<RowsExpired>().Sum(expired => expired.Part.Rows) < 34) // which is told behind the commit
            {
                await Task.Delay(20);
            }
        }, events);
        Assert.Equal(34L, events.All.OfType<RowsExpired>().Sum(expired => expired.Part.Rows));
        await AssertVerifiedAsync(options);
        // A row that a person deletes is missing all the same.
        await AskAsync("DELETE FROM web_log_rows WHERE log_offset = 1");
        Finding missing = Assert.Single((await SinkScene.VerifyAsync(options)).Findings);
        Assert.Equal((FindingSide.TableMissing, 1L), (missing.Side, missing.LogOffset));
    }

    private static async Task AssertVerifiedAsync(SinkOptions options)
    {
        VerifyReport report = await SinkScene.VerifyAsync(options);
        Assert.Empty(report.Findings);
        Assert.Equal(2, report.Notes.Count(note => note.Contains("retention took", StringComparison.Ordinal) && note.Contains("are those of the topic's records", StringComparison.Ordinal)));
        Assert.Contains(report.Notes, note => note.Contains("retention took 14 rows", StringComparison.Ordinal));
        Assert.Contains(report.Notes, note => note.Contains("retention took 20 rows", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_partition_that_may_not_be_removed_is_named_and_lines_are_stored_all_the_same()
    {
        (PostgresStore store, LedgerEntry entry) = await FilledAsync();
        await store.DisposeAsync();
        string role = $"writer_{Guid.NewGuid():N}";
        await AskAsync($"CREATE ROLE {role} LOGIN; GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO {role}; REVOKE CREATE ON SCHEMA public FROM public");
        await using var limited = new PostgresStore("web", new PostgresOptions
        {
            Connection = new NpgsqlConnectionStringBuilder(_connection) { Username = role }.ConnectionString,
            Retention = TimeSpan.FromDays(30),
        }, LineParsers.Named("combined"), TimeProvider.System, new Random(1));
        await limited.OpenAsync(default);
        StoreRefusedException error = await Assert.ThrowsAsync<StoreRefusedException>(async () => await limited.TendAsync(default));
        Assert.Contains(role, error.Message, StringComparison.Ordinal);
        await StoreAsync(limited, entry, 20, Today);
        Assert.Equal(7L, await CountAsync());
    }

    /// <summary>Begins a detach that a query keeps waiting, and ends its backend.</summary>
    private async Task KillWhileDetachingAsync(string partition)
    {
        await using var reader = new NpgsqlConnection(_connection);
        await reader.OpenAsync();
        await using NpgsqlTransaction reading = await reader.BeginTransactionAsync();
        await using (var query = new NpgsqlCommand("SELECT count(*) FROM web_log_rows", reader, reading))
        {
            await query.ExecuteScalarAsync();
        }
        await using var detacher = new NpgsqlConnection(_connection);
        await detacher.OpenAsync();
        int backend = detacher.ProcessID;
        await using var detach = new NpgsqlCommand($"ALTER TABLE web_log_rows DETACH PARTITION {partition} CONCURRENTLY", detacher);
        Task<int> detaching = detach.ExecuteNonQueryAsync();
        while ((await AskAsync($"SELECT inhdetachpending FROM pg_inherits WHERE inhrelid = '{partition}'::regclass"))[0][0] is not true)
        {
            await Task.Delay(20);
        }
        await AskAsync($"SELECT pg_terminate_backend({backend})");
        await Assert.ThrowsAnyAsync<NpgsqlException>(() => detaching);
    }
}
