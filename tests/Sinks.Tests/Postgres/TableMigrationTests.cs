using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Parsing;
using LogPipeline.Sinks.Postgres;
using LogPipeline.Sinks.Rows;
using Npgsql;

namespace LogPipeline.Sinks.Tests.Postgres;

/// <summary>A table in PostgreSQL is taken over to another parser beside flushes, queries and other workers, and with kills at each step.</summary>
[Collection("postgres")]
public sealed class TableMigrationTests(PostgresFixture postgres)
{
    private static readonly LogIdentity Log = new("web", "cluster", Guid.Empty, "web_log", 0);

    private string _connection = "";

    private PostgresStore Store(ParserOptions parser, string? connection = null) =>
        new("web", new PostgresOptions { Connection = connection ?? _connection }, LineParsers.Named(parser), TimeProvider.System, new Random());

    private async Task<(PostgresStore Store, LedgerEntry Entry)> ReadyAsync()
    {
        _connection = await postgres.NewDatabaseAsync();
        PostgresStore store = Store("combined");
        await store.OpenAsync(default);
        await store.CreateAsync([new LedgerStart(Log, 0)], default);
        return (store, (await store.ClaimAsync(Log, OwnerToken.New(new Random(5)), default))!);
    }

    private Task<List<object?[]>> AskAsync(string sql) => PostgresFixture.RowsAsync(_connection, sql);

    private async Task<string> ConfigurationAsync() => (string)(await AskAsync("SELECT split_part(config_hash, ':', 2) FROM logpipe_logs"))[0][0]!;

    /// <summary>Begins a flush and takes it up to its commit.</summary>
    private static async Task<ISinkFlush> FlushAsync(ISinkStore store, LedgerEntry entry, int next, params string[] lines)
    {
        using RowBatch rows = TestRows.Batch(entry.NextOffset, lines);
        rows.Parse(store.Parser);
        await store.PrepareAsync(rows, default);
        ISinkFlush flush = await store.BeginAsync(default);
        Assert.Equal(1, await flush.UpdateLedgerAsync(new LedgerUpdate(entry.Id, entry.Owner, entry.NextOffset, next, 0), default));
        IReadOnlyList<SourceState> sources = await flush.ReadSourcesAsync(rows.Sources, default);
        await flush.CopyRowsAsync(entry.Id, rows, [.. sources.Select(s => s.Id)], default);
        Assert.Empty(rows.Refusals);
        return flush;
    }

    [Theory]
    [InlineData("CREATE FUNCTION die() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); END $$; CREATE EVENT TRIGGER die ON ddl_command_end WHEN TAG IN ('ALTER TABLE') EXECUTE FUNCTION die()", "DROP EVENT TRIGGER die")]
    [InlineData("CREATE FUNCTION die() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); END $$; CREATE EVENT TRIGGER die ON ddl_command_end WHEN TAG IN ('CREATE VIEW') EXECUTE FUNCTION die()", "DROP EVENT TRIGGER die")]
    [InlineData("CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END $$; CREATE TRIGGER die AFTER UPDATE ON logpipe_logs FOR EACH ROW EXECUTE FUNCTION die()", "DROP TRIGGER die ON logpipe_logs")]
    [InlineData("CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END $$; CREATE TRIGGER die AFTER INSERT ON logpipe_table_versions FOR EACH ROW EXECUTE FUNCTION die()", "DROP TRIGGER die ON logpipe_table_versions")]
    public async Task A_backend_killed_at_a_step_leaves_all_as_it_was_and_the_next_start_does_it(string trap, string over)
    {
        (PostgresStore store, LedgerEntry _) = await ReadyAsync();
        await using PostgresStore _store = store;
        await AskAsync(trap);
        await using PostgresStore later = Store("logfmt");
        await Assert.ThrowsAsync<StoreUnavailableException>(async () => await later.OpenAsync(default));
        await AskAsync(over);
        Assert.Equal("combined", await ConfigurationAsync());
        Assert.Equal(0L, (await AskAsync("SELECT count(*) FROM pg_attribute WHERE attname = 'level' AND attrelid IN ('web_log'::regclass, 'web_log_rows'::regclass)"))[0][0]);
        Assert.NotNull(await store.ClaimAsync(Log, OwnerToken.New(new Random(6)), default));
        await later.OpenAsync(default);
        Assert.Equal("logfmt", await ConfigurationAsync());
        Assert.Equal(2, (await AskAsync("SELECT max(version) FROM logpipe_table_versions"))[0][0]);
    }

    [Fact]
    public async Task Workers_that_start_together_migrate_once()
    {
        (PostgresStore store, LedgerEntry _) = await ReadyAsync();
        await store.DisposeAsync();
        PostgresStore[] workers = [.. Enumerable.Range(0, 5).Select(_ => Store("logfmt"))];
        await Task.WhenAll(workers.Select(worker => worker.OpenAsync(default).AsTask()));
        Assert.Equal([1, 2], (await AskAsync("SELECT version FROM logpipe_table_versions ORDER BY version")).Select(row => row[0]));
        foreach (PostgresStore worker in workers)
        {
            Assert.NotNull(await worker.ClaimAsync(Log, OwnerToken.New(new Random(6)), default));
            await worker.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_flush_under_way_is_waited_for_and_its_rows_are_stored()
    {
        (PostgresStore store, LedgerEntry entry) = await ReadyAsync();
        await using PostgresStore _ = store;
        ISinkFlush flush = await FlushAsync(store, entry, 1, "one");
        await using PostgresStore later = Store("logfmt");
        Task opening = later.OpenAsync(default).AsTask();
        await WaitForLockAsync();
        Assert.False(opening.IsCompleted);
        await flush.CommitAsync(default);
        await flush.DisposeAsync();
        await opening;
        Assert.Equal(1, (await later.ClaimAsync(Log, OwnerToken.New(new Random(6)), default))!.NextOffset);
        Assert.Equal(1L, (await AskAsync("SELECT count(*) FROM web_log"))[0][0]);
    }

    private async Task WaitForLockAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while ((long)(await AskAsync("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"))[0][0]! == 0)
        {
            await Task.Delay(20, limit.Token);
        }
    }

    [Fact]
    public async Task A_frozen_flush_is_ended_and_stores_nothing()
    {
        (PostgresStore store, LedgerEntry entry) = await ReadyAsync();
        await using PostgresStore _ = store;
        await using ISinkFlush frozen = await FlushAsync(store, entry, 1, "one");
        await using PostgresStore later = Store("logfmt");
        await later.OpenAsync(default);
        await Assert.ThrowsAsync<StoreUnavailableException>(async () => await frozen.CommitAsync(default));
        Assert.Equal(0, (await later.ClaimAsync(Log, OwnerToken.New(new Random(6)), default))!.NextOffset);
        Assert.Equal(0L, (await AskAsync("SELECT count(*) FROM web_log"))[0][0]);
    }

    [Fact]
    public async Task Behind_a_long_query_the_sink_waits_in_short_tries_and_others_query_on()
    {
        (PostgresStore store, LedgerEntry entry) = await ReadyAsync();
        await using PostgresStore _ = store;
        await using PostgresStore later = Store("logfmt");
        await using (var reader = new NpgsqlConnection(_connection))
        {
            await reader.OpenAsync();
            await using NpgsqlTransaction transaction = await reader.BeginTransactionAsync();
            await using (var command = new NpgsqlCommand("SELECT count(*) FROM web_log", reader, transaction))
            {
                await command.ExecuteScalarAsync();
            }
            StoreUnavailableException error = await Assert.ThrowsAsync<StoreUnavailableException>(async () => await later.OpenAsync(default));
            Assert.Contains("table web_log_rows gets columns for parser logfmt as soon as nobody holds it", error.Message, StringComparison.Ordinal);
            await using ISinkFlush flush = await FlushAsync(store, entry, 1, "one"); // the worker of before is still at work
            await flush.CommitAsync(default);
        }
        await later.OpenAsync(default);
        Assert.Equal("logfmt", await ConfigurationAsync());
    }

    [Fact]
    public async Task Partitions_of_before_ahead_and_of_no_mans_time_take_rows_with_the_new_columns()
    {
        (PostgresStore store, LedgerEntry entry) = await ReadyAsync();
        string Line(int year) => TestRows.Combined.Trim().Replace("21/Nov/2026:00:00:00 +0100", $"21/Nov/{year}:00:00:00 +0000", StringComparison.Ordinal);
        await using (ISinkFlush flush = await FlushAsync(store, entry, 2, Line(1975), Line(2150)))
        {
            await flush.CommitAsync(default);
        }
        await store.DisposeAsync();
        await using PostgresStore later = Store("logfmt");
        await later.OpenAsync(default);
        LedgerEntry claimed = (await later.ClaimAsync(Log, OwnerToken.New(new Random(6)), default))!;
        string today = DateTime.UtcNow.ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture);
        string[] times = ["1975-11-22T00:00:00Z", "2150-11-22T00:00:00Z", "2026-11-01T00:00:00Z", $"{today}T00:00:00Z"];
        await using (ISinkFlush flush = await FlushAsync(later, claimed, 6, [.. times.Select(time => $"time={time} level=warn")]))
        {
            await flush.CommitAsync(default);
        }
        Assert.Equal(4L, (await AskAsync("SELECT count(*) FROM web_log WHERE level = 'warn' AND status IS NULL"))[0][0]);
        Assert.Equal(2L, (await AskAsync("SELECT count(*) FROM web_log WHERE level IS NULL AND status = 200"))[0][0]);
        // Each partition has the parent's columns in the parent's order.
        Assert.Equal(1L, (await AskAsync("""
            SELECT count(DISTINCT columns) FROM (SELECT string_agg(format('%s %s %s', attname, atttypid, attnotnull), ',' ORDER BY attnum) AS columns FROM pg_attribute
                WHERE attnum > 0 AND (attrelid = 'web_log_rows'::regclass OR attrelid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = 'web_log_rows'::regclass)) GROUP BY attrelid) tables
            """))[0][0]);
    }

    [Fact]
    public async Task The_view_keeps_its_rights_and_settings_and_the_new_columns_are_explained()
    {
        (PostgresStore store, LedgerEntry _) = await ReadyAsync();
        await store.DisposeAsync();
        string role = $"reader_{Guid.NewGuid():N}";
        await AskAsync($"CREATE ROLE {role}; GRANT SELECT ON web_log TO {role}; ALTER VIEW web_log SET (security_barrier = true)");
        await using PostgresStore later = Store("logfmt");
        await later.OpenAsync(default);
        Assert.Equal([true, "security_barrier=true"], (await AskAsync($"SELECT has_column_privilege('{role}', 'web_log', 'level', 'SELECT'), reloptions[1] FROM pg_class WHERE relname = 'web_log'"))[0]);
        Assert.Equal("From the line, by the parser logfmt", (await AskAsync("SELECT col_description('web_log'::regclass, attnum) FROM pg_attribute WHERE attrelid = 'web_log'::regclass AND attname = 'level'"))[0][0]);
    }

    [Fact]
    public async Task A_user_who_does_not_own_the_table_is_told_what_to_grant()
    {
        (PostgresStore store, LedgerEntry _) = await ReadyAsync();
        await store.DisposeAsync();
        string role = $"writer_{Guid.NewGuid():N}";
        await AskAsync($"CREATE ROLE {role} LOGIN; GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO {role}; REVOKE CREATE ON SCHEMA public FROM public");
        await using PostgresStore granted = Store("logfmt", new NpgsqlConnectionStringBuilder(_connection) { Username = role }.ConnectionString);
        StoreRefusedException error = await Assert.ThrowsAsync<StoreRefusedException>(async () => await granted.OpenAsync(default));
        Assert.Contains($"may not alter table web_log_rows and its view, which must get columns for parser logfmt: GRANT postgres TO {role}", error.Message, StringComparison.Ordinal);
        Assert.Equal("combined", await ConfigurationAsync());
        // A parser that needs no other column needs no right.
        await using PostgresStore fewer = Store("none", new NpgsqlConnectionStringBuilder(_connection) { Username = role }.ConnectionString);
        await fewer.OpenAsync(default);
        Assert.Equal("none", await ConfigurationAsync());
    }

    [Fact]
    public async Task A_filter_that_the_user_may_not_note_is_refused_since_verify_would_take_its_lines_for_lost()
    {
        _connection = await postgres.NewDatabaseAsync();
        string role = $"filterer_{Guid.NewGuid():N}";
        var filtered = new ParserOptions { Type = "combined", Where = "status>=500" };
        await using (PostgresStore owners = Store(filtered))
        {
            await owners.OpenAsync(default);
            await owners.CreateAsync([new LedgerStart(Log, 0)], default);
        }
        await AskAsync($"CREATE ROLE {role} LOGIN; GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO {role}; REVOKE INSERT ON logpipe_table_versions FROM {role}");
        string theirs = new NpgsqlConnectionStringBuilder(_connection) { Username = role }.ConnectionString;
        await using PostgresStore noted = Store(filtered, theirs);
        await noted.OpenAsync(default);
        await AskAsync("DELETE FROM logpipe_table_versions");
        await using PostgresStore unnoted = Store(filtered, theirs);
        StoreRefusedException error = await Assert.ThrowsAsync<StoreRefusedException>(async () => await unnoted.OpenAsync(default));
        Assert.Contains($"GRANT SELECT, INSERT ON logpipe_table_versions TO {role}", error.Message, StringComparison.Ordinal);
        await AskAsync($"GRANT INSERT ON logpipe_table_versions TO {role}");
        await unnoted.OpenAsync(default);
        Assert.Equal("status>=500", (await AskAsync("SELECT row_filter FROM logpipe_table_versions"))[0][0]);
    }
}
