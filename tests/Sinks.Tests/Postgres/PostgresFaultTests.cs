using System.Text;
using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Parsing;
using LogPipeline.Sinks.Postgres;
using LogPipeline.Sinks.Query;
using LogPipeline.Sinks.Rows;
using Npgsql;

namespace LogPipeline.Sinks.Tests.Postgres;

/// <summary>Whose fault it is: a row's, the table's, the server's, or a missing right.</summary>
[Collection("postgres")]
public sealed class PostgresFaultTests(PostgresFixture postgres)
{
    private static readonly LogIdentity Log = new("web", "cluster", Guid.Empty, "web_log", 0);

    private string _connection = "";

    private PostgresStore Store(string? connection = null) =>
        new("web", new PostgresOptions { Connection = connection ?? _connection }, LineParsers.Named("combined"), TimeProvider.System, new Random(1));

    private async Task<(PostgresStore Store, LedgerEntry Entry)> ReadyAsync()
    {
        _connection = await postgres.NewDatabaseAsync();
        PostgresStore store = Store();
        await store.OpenAsync(default);
        await store.CreateAsync([new LedgerStart(Log, 0)], default);
        return (store, (await store.ClaimAsync(Log, OwnerToken.New(new Random(5)), default))!);
    }

    private static async Task StoreAsync(PostgresStore store, LedgerEntry entry, RowBatch rows)
    {
        await using ISinkFlush flush = await store.BeginAsync(default);
        IReadOnlyList<SourceState> sources = await flush.ReadSourcesAsync(rows.Sources, default);
        rows.Parse(store.Parser);
        await flush.CopyRowsAsync(entry.Id, rows, [.. sources.Select(s => s.Id)], default);
        await flush.CommitAsync(default);
    }

    private Task<List<object?[]>> AskAsync(string sql) => PostgresFixture.RowsAsync(_connection, sql);

    [Fact]
    public async Task Half_of_the_rows_are_refused_and_the_others_stored_wherever_they_stand()
    {
        (PostgresStore store, LedgerEntry entry) = await ReadyAsync();
        await using PostgresStore _ = store;
        await AskAsync("ALTER TABLE web_log_rows ADD CONSTRAINT sober CHECK (line NOT LIKE 'poison%')");
        using RowBatch rows = TestRows.Batch(0, [.. Enumerable.Range(0, 4000).Select(i => Encoding.ASCII.GetBytes(i % 2 == 1 ? $"poison {i}" : $"line {i}"))]);
        await StoreAsync(store, entry, rows);
        Assert.Equal(Enumerable.Range(0, 2000).Select(i => 2 * i + 1), rows.Refusals.Select(r => r.Index));
        Assert.All(rows.Refusals, r => Assert.Equal("23514", r.State));
        Assert.Equal([2000L, 2000L], (await AskAsync("SELECT count(*), count(DISTINCT log_offset) FILTER (WHERE log_offset % 2 = 0) FROM web_log_rows"))[0]);
    }

    [Theory]
    [InlineData("ALTER status TYPE bigint", "has column status as bigint, and it must be integer")]
    [InlineData("DROP COLUMN status CASCADE", "lacks the column status integer")]
    [InlineData("ALTER remote_user SET NOT NULL", "has column remote_user as NOT NULL")]
    [InlineData("ADD site text NOT NULL", "has a column site that is NOT NULL")]
    public async Task A_table_that_was_altered_is_refused_with_the_column_and_no_row_is(string change, string reason)
    {
        (PostgresStore store, LedgerEntry entry) = await ReadyAsync();
        await using PostgresStore _ = store;
        await AskAsync("DROP VIEW web_log");
        await AskAsync($"ALTER TABLE web_log_rows {change}");
        using RowBatch rows = TestRows.Batch(0, TestRows.Combined.Trim(), "not an access line");
        StoreRefusedException atFlush = await Assert.ThrowsAsync<StoreRefusedException>(() => StoreAsync(store, entry, rows));
        Assert.Empty(rows.Refusals);
        if (!change.StartsWith("DROP", StringComparison.Ordinal))
        {
            Assert.Contains(reason, atFlush.Message, StringComparison.Ordinal);
        }
        await using PostgresStore again = Store();
        StoreRefusedException atStart = await Assert.ThrowsAsync<StoreRefusedException>(async () => await again.OpenAsync(default));
        Assert.Contains(reason, atStart.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_role_needs_no_right_to_make_what_is_there_and_is_told_which_right_it_lacks()
    {
        (PostgresStore store, LedgerEntry _) = await ReadyAsync();
        await store.DisposeAsync();
        string role = $"writer_{Guid.NewGuid():N}";
        string connection = new NpgsqlConnectionStringBuilder(_connection) { Username = role }.ConnectionString;
        await AskAsync($"CREATE ROLE {role} LOGIN; REVOKE CREATE ON SCHEMA public FROM public; GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA public TO {role}; GRANT UPDATE ON logpipe_sources TO {role}");
        await using (PostgresStore refused = Store(connection))
        {
            StoreRefusedException error = await Assert.ThrowsAsync<StoreRefusedException>(async () => await refused.OpenAsync(default));
            Assert.Equal($"the sink's user lacks rights: GRANT UPDATE ON logpipe_logs TO {role}.", error.Message);
        }
        await AskAsync($"GRANT UPDATE ON logpipe_logs TO {role}");
        await using PostgresStore granted = Store(connection);
        await granted.OpenAsync(default);
        Assert.NotNull(await granted.ClaimAsync(Log, OwnerToken.New(new Random(5)), default));
        await AskAsync("DROP VIEW web_log");
        StoreRefusedException missing = await Assert.ThrowsAsync<StoreRefusedException>(async () => await granted.OpenAsync(default));
        Assert.Contains($"user {role} may not create web_log in schema public", missing.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_database_of_another_encoding_is_refused_with_the_remedy()
    {
        string name = $"latin_{Guid.NewGuid():N}";
        _connection = postgres.Server.Connection();
        await AskAsync($"CREATE DATABASE {name} ENCODING LATIN1 TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'");
        await using PostgresStore store = Store(new NpgsqlConnectionStringBuilder(_connection) { Database = name }.ConnectionString);
        StoreRefusedException error = await Assert.ThrowsAsync<StoreRefusedException>(async () => await store.OpenAsync(default));
        Assert.Contains($"`createdb -E UTF8 -T template0 {name}`", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_claim_leaves_the_session_of_a_person_alone_and_says_whom_it_waits_for()
    {
        (PostgresStore store, LedgerEntry _) = await ReadyAsync();
        await using PostgresStore _store = store;
        await using var person = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(_connection) { ApplicationName = "psql" }.ConnectionString);
        await person.OpenAsync();
        await using NpgsqlTransaction repair = await person.BeginTransactionAsync();
        await using (var command = new NpgsqlCommand("UPDATE logpipe_logs SET leader_epoch = leader_epoch", person, repair))
        {
            await command.ExecuteNonQueryAsync();
        }
        StoreUnavailableException error = await Assert.ThrowsAsync<StoreUnavailableException>(async () => await store.ClaimAsync(Log, OwnerToken.New(new Random(6)), default));
        Assert.Contains("(psql, process ", error.Message, StringComparison.Ordinal);
        await repair.CommitAsync();
    }

    [Fact]
    public async Task A_time_out_of_the_role_does_not_cut_a_flush()
    {
        (PostgresStore store, LedgerEntry entry) = await ReadyAsync();
        await store.DisposeAsync();
        await AskAsync("""
            CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(1); RETURN NULL; END';
            CREATE TRIGGER slow BEFORE INSERT ON web_log_rows FOR EACH STATEMENT EXECUTE FUNCTION slow();
            """);
        await using PostgresStore hurried = Store(new NpgsqlConnectionStringBuilder(_connection) { Options = "-c statement_timeout=500" }.ConnectionString);
        using RowBatch rows = TestRows.Batch(0, "line 1", "line 2");
        await StoreAsync(hurried, entry, rows);
        Assert.Equal(2L, (await AskAsync("SELECT count(*) FROM web_log_rows"))[0][0]);
    }

    [Theory]
    [InlineData(10, "RAISE EXCEPTION 'too much'", "P0001")]
    [InlineData(10, "RAISE EXCEPTION 'too much' USING ERRCODE = 'MY001'", "MY001")]
    [InlineData(10, "ASSERT false, 'too much'", "P0004")]
    [InlineData(10, "CASE NEW.log_offset WHEN -1 THEN NULL; END CASE", "20000")]
    [InlineData(10, "RETURN NULL", "02000")]
    [InlineData(1000, "RAISE EXCEPTION 'too much'", "P0001")]
    [InlineData(1000, "RAISE EXCEPTION 'too much' USING ERRCODE = 'MY001'", "MY001")]
    [InlineData(1000, "ASSERT false, 'too much'", "P0004")]
    [InlineData(1000, "RETURN NULL", "02000")]
    public async Task What_a_trigger_says_of_a_row_is_that_rows_fault(int refused, string statement, string state)
    {
        (PostgresStore store, LedgerEntry entry) = await ReadyAsync();
        await using PostgresStore _ = store;
        await AskAsync($"""
            CREATE FUNCTION picky() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.line LIKE 'poison%' THEN {statement}; END IF; RETURN NEW; END $$;
            CREATE TRIGGER picky BEFORE INSERT ON web_log_rows FOR EACH ROW EXECUTE FUNCTION picky();
            """);
        using RowBatch rows = TestRows.Batch(0, [.. Enumerable.Range(0, 2 * refused).Select(i => Encoding.ASCII.GetBytes(i % 2 == 1 ? $"poison {i}" : $"line {i}"))]);
        await StoreAsync(store, entry, rows);
        Assert.Equal(Enumerable.Range(0, refused).Select(i => 2 * i + 1), rows.Refusals.Select(r => r.Index));
        Assert.All(rows.Refusals, r => Assert.Equal(state, r.State));
        Assert.Equal((long)refused, (await AskAsync("SELECT count(*) FROM web_log_rows"))[0][0]);
    }

    [Fact]
    public async Task A_row_that_a_partitions_own_trigger_keeps_out_is_a_dead_letter()
    {
        (PostgresStore store, LedgerEntry entry) = await ReadyAsync();
        await using PostgresStore _ = store;
        using RowBatch first = TestRows.Batch(0, [.. Enumerable.Range(0, 200).Select(i => Encoding.ASCII.GetBytes($"line {i}"))]);
        await StoreAsync(store, entry, first);
        object partition = (await AskAsync("SELECT DISTINCT tableoid::regclass::text FROM web_log_rows"))[0][0]!;
        await AskAsync($"""
            CREATE FUNCTION picky() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.line LIKE 'poison%' THEN RETURN NULL; END IF; RETURN NEW; END $$;
            CREATE TRIGGER picky BEFORE INSERT ON {partition} FOR EACH ROW EXECUTE FUNCTION picky();
            """);
        using RowBatch rows = TestRows.Batch(200, [.. Enumerable.Range(0, 200).Select(i => Encoding.ASCII.GetBytes(i == 150 ? "poison" : $"line {i}"))]);
        await StoreAsync(store, entry with { NextOffset = 200 }, rows);
        Assert.Equal((150, "02000"), rows.Refusals.Select(r => (r.Index, r.State)).Single());
        Assert.Equal(399L, (await AskAsync("SELECT count(*) FROM web_log_rows"))[0][0]);
    }

    [Fact]
    public async Task A_trigger_that_may_keep_rows_out_stops_a_user_who_could_not_tell()
    {
        (PostgresStore store, LedgerEntry entry) = await ReadyAsync();
        await using PostgresStore _ = store;
        await AskAsync("""
            CREATE FUNCTION picky() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.line LIKE 'poison%' THEN RETURN NULL; END IF; RETURN NEW; END $$;
            CREATE TRIGGER picky BEFORE INSERT ON web_log_rows FOR EACH ROW EXECUTE FUNCTION picky();
            """);
        await AskAsync("""
            CREATE ROLE untold LOGIN; GRANT ALL ON ALL TABLES IN SCHEMA public TO untold; GRANT ALL ON SCHEMA public TO untold;
            DO $$ BEGIN EXECUTE format('REVOKE TEMP ON DATABASE %I FROM PUBLIC', current_database()); END $$
            """);
        await using PostgresStore untold = Store(new NpgsqlConnectionStringBuilder(_connection) { Username = "untold" }.ConnectionString);
        using RowBatch first = TestRows.Batch(0, "line 0"); // makes the day's partition
        await StoreAsync(store, entry, first);
        using RowBatch rows = TestRows.Batch(1, "line 1", "poison");
        StoreRefusedException error = await Assert.ThrowsAsync<StoreRefusedException>(() => StoreAsync(untold, entry, rows));
        Assert.Contains("GRANT TEMP ON DATABASE", error.Message, StringComparison.Ordinal);
        await AskAsync("DO $$ BEGIN EXECUTE format('GRANT TEMP ON DATABASE %I TO untold', current_database()); END $$");
        await StoreAsync(untold, entry, rows);
        Assert.Equal((1, "02000"), rows.Refusals.Select(r => (r.Index, r.State)).Single());
    }

    [Theory]
    [InlineData("PERFORM 1 FROM missing", "missing")]
    [InlineData("PERFORM lo_import('/')", "lo_import")]
    public async Task A_trigger_that_does_not_work_is_no_rows_fault(string statement, string reason)
    {
        (PostgresStore store, LedgerEntry entry) = await ReadyAsync();
        await using PostgresStore _ = store;
        await AskAsync($"""
            CREATE ROLE plain_{reason} NOLOGIN;
            CREATE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN {statement}; RETURN NEW; END $$;
            ALTER FUNCTION broken() OWNER TO plain_{reason};
            CREATE TRIGGER broken BEFORE INSERT ON web_log_rows FOR EACH ROW EXECUTE FUNCTION broken();
            """);
        using RowBatch rows = TestRows.Batch(0, "line 1", "line 2");
        StoreRefusedException error = await Assert.ThrowsAsync<StoreRefusedException>(() => StoreAsync(store, entry, rows));
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
        Assert.Empty(rows.Refusals);
    }

    [Fact]
    public async Task A_constraint_that_waits_for_the_commit_refuses_its_row_alone()
    {
        (PostgresStore store, LedgerEntry entry) = await ReadyAsync();
        await using PostgresStore _ = store;
        await AskAsync("""
            CREATE TABLE methods (method text PRIMARY KEY);
            INSERT INTO methods VALUES ('GET');
            ALTER TABLE web_log_rows ADD CONSTRAINT known_method FOREIGN KEY (method) REFERENCES methods DEFERRABLE INITIALLY DEFERRED;
            """);
        string get = TestRows.Combined.Trim();
        using RowBatch rows = TestRows.Batch(0, get, get.Replace("GET", "BREW", StringComparison.Ordinal), get);
        await StoreAsync(store, entry, rows);
        Assert.Equal("23503", Assert.Single(rows.Refusals).State);
        Assert.Equal([0L, 2L], (await AskAsync("SELECT log_offset FROM web_log_rows ORDER BY 1")).Select(row => (long)row[0]!));
    }

    [Fact]
    public async Task Row_level_security_that_holds_for_the_sink_is_told_with_the_remedy()
    {
        (PostgresStore store, LedgerEntry _) = await ReadyAsync();
        await store.DisposeAsync();
        string role = $"plain_{Guid.NewGuid():N}";
        await AskAsync($"CREATE ROLE {role} LOGIN; GRANT ALL ON ALL TABLES IN SCHEMA public TO {role}; ALTER TABLE web_log_rows ENABLE ROW LEVEL SECURITY");
        await using PostgresStore plain = Store(new NpgsqlConnectionStringBuilder(_connection) { Username = role }.ConnectionString);
        StoreRefusedException error = await Assert.ThrowsAsync<StoreRefusedException>(async () => await plain.OpenAsync(default));
        Assert.Contains($"ALTER ROLE {role} BYPASSRLS", error.Message, StringComparison.Ordinal);
        await AskAsync($"ALTER ROLE {role} BYPASSRLS");
        await plain.OpenAsync(default);
    }

    [Fact]
    public async Task How_a_session_writes_names_and_times_makes_no_difference()
    {
        _connection = await postgres.NewDatabaseAsync();
        string database = new NpgsqlConnectionStringBuilder(_connection).Database!;
        await AskAsync($"""
            ALTER DATABASE {database} SET quote_all_identifiers = on;
            ALTER DATABASE {database} SET datestyle = 'SQL, DMY';
            ALTER DATABASE {database} SET timezone = 'Asia/Kolkata';
            ALTER DATABASE {database} SET standard_conforming_strings = off;
            ALTER DATABASE {database} SET bytea_output = 'escape';
            """);
        for (int start = 0; start < 2; start++)
        {
            await using PostgresStore store = Store();
            await store.OpenAsync(default);
            await store.CreateAsync([new LedgerStart(Log, 0)], default);
            LedgerEntry entry = (await store.ClaimAsync(Log, OwnerToken.New(new Random(5)), default))!;
            using RowBatch rows = TestRows.Batch(2 * start, [.. Enumerable.Range(0, 24).Select(hour => TestRows.Combined.Trim().Replace("00:00:00", $"{hour:D2}:00:00", StringComparison.Ordinal))]);
            await StoreAsync(store, entry, rows);
        }
        Assert.Equal(48L, (await AskAsync("SELECT count(*) FROM web_log_rows"))[0][0]);
        Assert.Equal(2L, (await AskAsync("SELECT count(DISTINCT tableoid) FROM web_log_rows"))[0][0]);

        var options = new SinkOptions { Name = "web", Topics = ["web_log"], Parser = "combined", Postgres = new PostgresOptions { Connection = _connection } };
        await using ILogReader reader = SinkStores.CreateReader(options, TimeProvider.System);
        var newest = new List<DateTimeOffset>();
        await foreach (LogRow row in reader.QueryAsync(new LogQuery { Limit = 2, Descending = true, From = new DateTimeOffset(2026, 11, 20, 0, 0, 0, TimeSpan.Zero) }, default))
        {
            newest.Add(row.Time);
        }
        Assert.Equal([new DateTimeOffset(2026, 11, 21, 22, 0, 0, TimeSpan.Zero), new DateTimeOffset(2026, 11, 21, 22, 0, 0, TimeSpan.Zero)], newest);
    }

    [Fact]
    public async Task Ledger_rows_that_somebody_deleted_are_not_made_anew()
    {
        (PostgresStore store, LedgerEntry entry) = await ReadyAsync();
        await using PostgresStore _ = store;
        using RowBatch rows = TestRows.Batch(0, "line 1");
        await StoreAsync(store, entry, rows);
        await AskAsync("DELETE FROM logpipe_logs");
        await store.CreateAsync([new LedgerStart(Log, 0)], default); // no range is stored
        await AskAsync("UPDATE logpipe_sources SET stored = '{[0,7)}'");
        await store.CreateAsync([new LedgerStart(Log with { Partition = 1 }, 0)], default); // a further partition
        await AskAsync("DELETE FROM logpipe_logs");
        StoreRefusedException error = await Assert.ThrowsAsync<StoreRefusedException>(async () => await store.CreateAsync([new LedgerStart(Log, 0)], default));
        Assert.Contains("lost its rows of topic web_log", error.Message, StringComparison.Ordinal);
    }
}
