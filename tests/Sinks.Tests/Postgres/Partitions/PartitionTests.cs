using System.Globalization;
using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Parsing;
using LogPipeline.Sinks.Postgres;
using LogPipeline.Sinks.Postgres.Partitions;
using LogPipeline.Sinks.Query;
using LogPipeline.Sinks.Rows;
using LogPipeline.Testing.Time;
using Npgsql;

namespace LogPipeline.Sinks.Tests.Postgres.Partitions;

/// <summary>Partitions are there when rows need them, whatever their time, with other workers beside, and with kills at each step.</summary>
[Collection("postgres")]
public sealed class PartitionTests(PostgresFixture postgres)
{
    private static readonly LogIdentity Log = new("web", "cluster", Guid.Empty, "web_log", 0);

    /// <summary>The partitions but those made ahead, as <c>name from to</c>.</summary>
    private const string Partitions = """
        SELECT format('%s %s', c.relname, replace(replace(pg_get_expr(c.relpartbound, c.oid), ' 00:00:00+00', ''), 'FOR VALUES ', '')) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'web_log_rows'::regclass AND c.relname NOT BETWEEN 'web_log_20261128' AND 'web_log_20261204' ORDER BY c.relname
        """;

    private readonly DateTimeOffset _now = new(2026, 11, 27, 12, 0, 0, TimeSpan.Zero);
    private string _connection = "";

    private PostgresStore Store(string? connection = null, TimeSpan? retention = null) => new(
        "web", new PostgresOptions { Connection = connection ?? _connection, Retention = retention }, LineParsers.Named("combined"), new ManualTime { WallOffset = _now - new ManualTime().GetUtcNow() }, new Random(1));

    private async Task<(PostgresStore Store, LedgerEntry Entry)> ReadyAsync()
    {
        _connection = await postgres.NewDatabaseAsync();
        PostgresStore store = Store();
        await store.OpenAsync(default);
        await store.CreateAsync([new LedgerStart(Log, 0)], default);
        return (store, (await store.ClaimAsync(Log, OwnerToken.New(new Random(5)), default))!);
    }

    private Task<List<object?[]>> AskAsync(string sql) => PostgresFixture.RowsAsync(_connection, sql);

    private async Task<string[]> NamesAsync() => [.. (await AskAsync(Partitions)).Select(row => ((string)row[0]!).Split(' ')[0])];

    private static string Line(DateTimeOffset time) => TestRows.Combined.Trim().Replace("21/Nov/2026:00:00:00 +0100", time.ToString("dd'/'MMM'/'yyyy:HH:mm:ss +0000", CultureInfo.InvariantCulture), StringComparison.Ordinal);

    private static async Task StoreAsync(PostgresStore store, LedgerEntry entry, params DateTimeOffset[] times)
    {
        using RowBatch rows = TestRows.Batch(0, [.. times.Select(Line)]);
        rows.Parse(store.Parser);
        await store.PrepareAsync(rows, default);
        await using ISinkFlush flush = await store.BeginAsync(default);
        IReadOnlyList<SourceState> sources = await flush.ReadSourcesAsync(rows.Sources, default);
        await flush.CopyRowsAsync(entry.Id, rows, [.. sources.Select(s => s.Id)], default);
        Assert.Empty(rows.Refusals);
        await flush.CommitAsync(default);
    }

    private static DateTimeOffset Utc(string time) => DateTimeOffset.Parse(time, CultureInfo.InvariantCulture);

    [Fact]
    public async Task Days_months_and_the_absurd_have_partitions_and_the_view_shows_the_lines_own_time()
    {
        (PostgresStore store, LedgerEntry entry) = await ReadyAsync();
        await using PostgresStore _ = store;
        DateTimeOffset[] times = [Utc("2026-11-27 23:59:59Z"), Utc("2026-11-20 00:00Z"), Utc("2026-05-04 01:00Z"), Utc("2027-03-04 01:00Z"), Utc("1975-01-01 00:00Z"), Utc("2150-01-01 00:00Z")];
        await StoreAsync(store, entry, times);
        Assert.Equal(
        [
            "web_log_20260501 FROM ('2026-05-01') TO ('2026-06-01')", "web_log_20261120 FROM ('2026-11-20') TO ('2026-11-21')", "web_log_20261127 FROM ('2026-11-27') TO ('2026-11-28')",
            "web_log_20270301 FROM ('2027-03-01') TO ('2027-04-01')", "web_log_21000101 FROM ('2100-01-01') TO (MAXVALUE)", "web_log_to_19900101 FROM (MINVALUE) TO ('1990-01-01')",
        ], (await AskAsync(Partitions)).Select(row => (string)row[0]!));
        Assert.Equal(times.Order().Select(time => (object)time.UtcDateTime), (await AskAsync("SELECT time FROM web_log ORDER BY time")).Select(row => row[0]));
        Assert.Equal(13L, (await AskAsync("SELECT count(*) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE c.relam = (SELECT oid FROM pg_am WHERE amname = 'brin') AND c.relkind = 'i' AND 'autosummarize=on' = ANY (c.reloptions)"))[0][0]);
    }

    [Fact]
    public async Task A_week_is_made_ahead_and_again_nothing()
    {
        (PostgresStore store, LedgerEntry _) = await ReadyAsync();
        await using PostgresStore _store = store;
        await store.TendAsync(default);
        string[] week = [.. Enumerable.Range(0, 8).Select(day => $"web_log_{_now.AddDays(day):yyyyMMdd}")];
        const string all = "SELECT relname FROM pg_class WHERE relname LIKE 'web_log_2%' AND relkind = 'r' ORDER BY relname";
        Assert.Equal(week, (await AskAsync(all)).Select(row => (string)row[0]!));
        await store.TendAsync(default);
        Assert.Equal(week, (await AskAsync(all)).Select(row => (string)row[0]!));
    }

    [Fact]
    public async Task Two_workers_make_the_same_days_at_the_same_time()
    {
        (PostgresStore store, LedgerEntry entry) = await ReadyAsync();
        await using PostgresStore _ = store;
        await using PostgresStore other = Store();
        DateTimeOffset[] days = [.. Enumerable.Range(0, 30).Select(day => _now.AddDays(-day))];
        await Task.WhenAll(StoreAsync(store, entry, days), StoreAsync(other, entry, days), store.TendAsync(default).AsTask(), other.TendAsync(default).AsTask());
        Assert.Equal(30, (await NamesAsync()).Length);
        Assert.Equal(60L, (await AskAsync("SELECT count(*) FROM web_log_rows"))[0][0]);
    }

    /// <summary>The server's function asks the catalogue of the moment, not the statement's snapshot: here another session drops the partition behind its first answer.</summary>
    [Fact]
    public async Task A_partition_that_is_dropped_while_the_catalogue_is_read_has_both_its_bounds_or_is_left_out()
    {
        (PostgresStore store, LedgerEntry entry) = await ReadyAsync();
        await using PostgresStore _ = store;
        await StoreAsync(store, entry, _now);
        await AskAsync("""
            CREATE SCHEMA later;
            CREATE SEQUENCE later.answers;
            CREATE FUNCTION later.pg_get_expr(pg_node_tree, oid) RETURNS text LANGUAGE plpgsql STABLE AS
                $$ BEGIN RETURN CASE WHEN nextval('later.answers') = 1 THEN pg_catalog.pg_get_expr($1, $2) END; END $$;
            """);
        var table = TableName.Parse("web_log");
        string connection = new NpgsqlConnectionStringBuilder(_connection) { SearchPath = "later, public, pg_catalog" }.ConnectionString;
        await using (var reading = new NpgsqlConnection(connection))
        {
            await reading.OpenAsync();
            TimeRange range = Assert.Single(await PartitionCatalog.ReadAsync(reading, table, default)).Range;
            Assert.NotEqual(long.MinValue, range.From);
            Assert.NotEqual(long.MaxValue, range.To);
        }
        await AskAsync("SELECT setval('later.answers', 1, false)");
        await using var dialect = new PostgresDialect(new PostgresOptions { Connection = connection }, TimeProvider.System);
        Assert.All(await dialect.StretchesAsync(table, default), stretch => Assert.True(stretch.From < stretch.To));
    }

    [Theory]
    [InlineData("CREATE TABLE")]
    [InlineData("ALTER TABLE")]
    public async Task A_backend_killed_behind_a_step_leaves_nothing_and_the_next_try_makes_it(string step)
    {
        (PostgresStore store, LedgerEntry entry) = await ReadyAsync();
        await using PostgresStore _ = store;
        await AskAsync($"""
            CREATE FUNCTION die() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); END $$;
            CREATE EVENT TRIGGER die ON ddl_command_end WHEN TAG IN ('{step}') EXECUTE FUNCTION die();
            """);
        await Assert.ThrowsAsync<StoreUnavailableException>(() => StoreAsync(store, entry, _now.AddDays(-3)));
        await AskAsync("DROP EVENT TRIGGER die");
        Assert.Equal(["web_log_20261127"], await NamesAsync());
        Assert.Equal(0L, (await AskAsync("SELECT count(*) FROM pg_class WHERE relname LIKE 'web_log_20261124%'"))[0][0]);
        await StoreAsync(store, entry, _now.AddDays(-3));
        Assert.Equal(1L, (await AskAsync("SELECT count(*) FROM web_log_rows"))[0][0]);
    }

    [Theory]
    [InlineData("DROP TABLE web_log_20261127")]
    [InlineData("ALTER TABLE web_log_rows DETACH PARTITION web_log_20261127")]
    public async Task A_partition_that_somebody_removed_is_made_again(string removal)
    {
        (PostgresStore store, LedgerEntry entry) = await ReadyAsync();
        await using PostgresStore _ = store;
        await StoreAsync(store, entry, _now);
        await AskAsync(removal);
        // The store knows it as there; the server has no place for the row, which is no fault of the row's.
        await Assert.ThrowsAsync<StoreUnavailableException>(() => StoreAsync(store, entry, _now));
        await StoreAsync(store, entry, _now);
        Assert.Equal(1L, (await AskAsync("SELECT count(*) FROM web_log_rows"))[0][0]);
        Assert.Equal(0L, (await AskAsync("SELECT count(*) FROM logpipe_dead_letters"))[0][0]);
    }

    [Fact]
    public async Task A_user_who_does_not_own_the_table_stores_what_has_a_partition_and_is_told_what_to_grant_for_the_rest()
    {
        (PostgresStore store, LedgerEntry entry) = await ReadyAsync();
        await using PostgresStore _ = store;
        await StoreAsync(store, entry, _now);
        string role = $"writer_{Guid.NewGuid():N}";
        await AskAsync($"CREATE ROLE {role} LOGIN; GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO {role}; REVOKE CREATE ON SCHEMA public FROM public");
        await using PostgresStore granted = Store(new NpgsqlConnectionStringBuilder(_connection) { Username = role }.ConnectionString);
        await granted.OpenAsync(default);
        await StoreAsync(granted, entry, _now);
        StoreRefusedException error = await Assert.ThrowsAsync<StoreRefusedException>(() => StoreAsync(granted, entry, _now, _now.AddDays(-1)));
        Assert.Contains($"no partition for 2026-11-26, and user {role} may not make it: GRANT postgres TO {role}", error.Message, StringComparison.Ordinal);
        Assert.Contains($"GRANT CREATE ON SCHEMA public TO {role}", error.Message, StringComparison.Ordinal);
        Assert.Equal(2L, (await AskAsync("SELECT count(*) FROM web_log_rows"))[0][0]);
        await AskAsync($"ALTER TABLE web_log_rows OWNER TO {role}; GRANT CREATE ON SCHEMA public TO {role}");
        await StoreAsync(granted, entry, _now.AddDays(-1));
        Assert.Equal(3L, (await AskAsync("SELECT count(*) FROM web_log_rows"))[0][0]);
    }

    [Fact]
    public async Task The_table_of_an_earlier_version_goes_on_as_it_is()
    {
        (PostgresStore store, LedgerEntry entry) = await ReadyAsync();
        await store.DisposeAsync();
        // As earlier versions made it: not in partitions, with its identity alone as its comment.
        await AskAsync("""
            DO $$ DECLARE identity text := split_part(obj_description('web_log_rows'::regclass), ' (', 1); definition text := pg_get_viewdef('web_log');
            BEGIN
                DROP VIEW web_log;
                ALTER TABLE web_log_rows RENAME TO gone;
                CREATE TABLE web_log_rows (LIKE gone);
                DROP TABLE gone;
                CREATE INDEX web_log_rows_time ON web_log_rows USING brin (time, log_offset int8_minmax_multi_ops) WITH (autosummarize = on);
                EXECUTE format('COMMENT ON TABLE web_log_rows IS %L', identity);
                EXECUTE 'CREATE VIEW web_log AS ' || replace(definition, 'gone', 'web_log_rows');
            END $$;
            """);
        await using PostgresStore upgraded = Store();
        await upgraded.OpenAsync(default);
        await upgraded.TendAsync(default);
        await StoreAsync(upgraded, entry, _now, Utc("2026-05-04Z"), Utc("1975-01-01Z"));
        Assert.Equal(3L, (await AskAsync("SELECT count(*) FROM web_log"))[0][0]);
        Assert.Empty(await NamesAsync());
        await using PostgresStore kept = Store(retention: TimeSpan.FromDays(30));
        StoreRefusedException error = await Assert.ThrowsAsync<StoreRefusedException>(async () => await kept.OpenAsync(default));
        Assert.Contains("is not in partitions", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Rows_of_many_days_in_one_flush_are_stored_under_any_time_zone_of_the_server()
    {
        (PostgresStore store, LedgerEntry _) = await ReadyAsync();
        await store.DisposeAsync();
        await AskAsync($"ALTER DATABASE {new NpgsqlConnectionStringBuilder(_connection).Database} SET TimeZone = 'Pacific/Kiritimati'");
        await using PostgresStore zoned = Store();
        await zoned.OpenAsync(default);
        LedgerEntry entry = (await zoned.ClaimAsync(Log, OwnerToken.New(new Random(5)), default))!;
        DateTimeOffset[] times = [.. Enumerable.Range(0, 60).Select(i => _now.AddHours(-12 * i))];
        await StoreAsync(zoned, entry, times);
        await StoreAsync(zoned, entry, times);
        Assert.Equal(120L, (await AskAsync("SELECT count(*) FROM web_log_rows"))[0][0]);
        Assert.Equal(30, (await NamesAsync()).Length);
    }
}
