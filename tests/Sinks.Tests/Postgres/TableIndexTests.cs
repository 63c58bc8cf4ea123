using System.Globalization;
using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Parsing;
using LogPipeline.Sinks.Postgres;
using LogPipeline.Sinks.Query;
using LogPipeline.Sinks.Rows;
using Npgsql;

namespace LogPipeline.Sinks.Tests.Postgres;

/// <summary>Indexes that the configuration names are made beside the work, and again where one was left half made.</summary>
[Collection("postgres")]
public sealed class TableIndexTests(PostgresFixture postgres)
{
    private static readonly LogIdentity Log = new("web", "cluster", Guid.Empty, "web_log", 0);

    /// <summary>Of the rows' partitions: table, what the index is on, and whether it is valid and of the parent's.</summary>
    private const string Indexes = """
        SELECT format('%s %s %s', CASE WHEN i.indrelid = 'web_log_rows'::regclass THEN 'parent' ELSE replace(i.indrelid::regclass::text, to_char(now() AT TIME ZONE 'UTC', 'YYYYMMDD'), 'today') END,
            split_part(pg_get_indexdef(i.indexrelid), ' USING ', 2), i.indisvalid)
        FROM pg_index i WHERE (i.indrelid = 'web_log_rows'::regclass OR i.indrelid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = 'web_log_rows'::regclass))
            AND pg_get_indexdef(i.indexrelid) NOT LIKE '%multi_ops%' AND i.indrelid::regclass::text NOT IN (SELECT 'web_log_' || to_char(now() AT TIME ZONE 'UTC' + day * interval '1 day', 'YYYYMMDD') FROM generate_series(1, 7) AS day)
        ORDER BY 1
        """;

    private string _connection = "";

    private PostgresStore Store(params string[] indexes) =>
        new("web", new PostgresOptions { Connection = _connection, Indexes = indexes }, LineParsers.Named("combined"), TimeProvider.System, new Random());

    /// <summary>A store with a row of 2026-05-04, whose partition is the month's, and one of today.</summary>
    private async Task<PostgresStore> FilledAsync(params string[] indexes)
    {
        _connection = await postgres.NewDatabaseAsync();
        PostgresStore store = Store(indexes);
        await store.OpenAsync(default);
        await store.CreateAsync([new LedgerStart(Log, 0)], default);
        await FlushAsync(store, 0, "04/May/2026:01:00:00 +0000", $"{DateTime.UtcNow.ToString("dd'/'MMM'/'yyyy", CultureInfo.InvariantCulture)}:00:00:00 +0000");
        return store;
    }

    private static async Task FlushAsync(PostgresStore store, long offset, params string[] times)
    {
        using RowBatch rows = TestRows.Batch(offset, [.. times.Select(time => TestRows.Combined.Trim().Replace("21/Nov/2026:00:00:00 +0100", time, StringComparison.Ordinal))]);
        rows.Parse(store.Parser);
        await store.PrepareAsync(rows, default);
        await using ISinkFlush flush = await store.BeginAsync(default);
        IReadOnlyList<SourceState> sources = await flush.ReadSourcesAsync(rows.Sources, default);
        await flush.CopyRowsAsync(1, rows, [.. sources.Select(s => s.Id)], default);
        await flush.CommitAsync(default);
    }

    private Task<List<object?[]>> AskAsync(string sql) => PostgresFixture.RowsAsync(_connection, sql);

    private async Task<string[]> IndexesAsync() => [.. (await AskAsync(Indexes)).Select(row => (string)row[0]!)];

    [Fact]
    public async Task Each_kind_is_made_of_the_partitions_that_are_there_and_of_new_ones_and_again_nothing()
    {
        await using PostgresStore store = await FilledAsync("remote_addr btree", "path", "line trigram");
        await AskAsync("CREATE SCHEMA extensions; CREATE EXTENSION pg_trgm SCHEMA extensions");
        await store.TendAsync(default);
        string[] made =
        [
            "parent brin (path text_bloom_ops) WITH (autosummarize='on') t", "parent btree (remote_addr) t",
            "web_log_20260501 brin (path text_bloom_ops) WITH (autosummarize='on') t", "web_log_20260501 btree (remote_addr) t", "web_log_20260501 gin (line extensions.gin_trgm_ops) t",
            "web_log_today brin (path text_bloom_ops) WITH (autosummarize='on') t", "web_log_today btree (remote_addr) t",
        ];
        Assert.Equal(made, await IndexesAsync());
        object?[] before = (await AskAsync("SELECT max(oid)::text FROM pg_class"))[0];
        await store.TendAsync(default);
        Assert.Equal(before, (await AskAsync("SELECT max(oid)::text FROM pg_class"))[0]);
        await FlushAsync(store, 5, "04/Mar/2026:01:00:00 +0000");
        Assert.Contains("web_log_20260301 btree (remote_addr) t", await IndexesAsync());
        await store.TendAsync(default);
        Assert.Contains("web_log_20260301 gin (line extensions.gin_trgm_ops) t", await IndexesAsync());
    }

    [Fact]
    public async Task Rows_are_counted_by_time_from_the_index_on_time_alone()
    {
        await using PostgresStore store = await FilledAsync("time");
        await store.TendAsync(default);
        var options = new SinkOptions { Name = "web", Topics = ["web_log"], Parser = new ParserOptions { Type = "combined" }, Postgres = new PostgresOptions { Connection = _connection } };
        await using ILogReader reader = SinkStores.CreateReader(options, TimeProvider.System);
        var day = new LogQuery { From = new DateTimeOffset(2026, 5, 4, 0, 0, 0, TimeSpan.Zero), To = new DateTimeOffset(2026, 5, 5, 0, 0, 0, TimeSpan.Zero) };
        string sql = reader.Explain(new HistogramQuestion(day, TimeSpan.FromMinutes(1)));
        sql = sql.Replace("@p0", "timestamptz '2026-05-04 00:00+00'", StringComparison.Ordinal).Replace("@p1", "timestamptz '2026-05-05 00:00+00'", StringComparison.Ordinal)
            .Replace("@p2", "interval '1 minute'", StringComparison.Ordinal);
        // The table is so small that reading it costs less.
        List<object?[]> plan = await AskAsync($"SET enable_seqscan = off; SET enable_bitmapscan = off; EXPLAIN {sql}");
        Assert.Contains(plan, row => ((string)row[0]!).Contains("Index Only Scan using web_log_20260501", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Half_an_index_is_made_again_unless_it_is_being_made()
    {
        await using PostgresStore store = await FilledAsync("remote_addr btree");
        await store.TendAsync(default);
        string name = (string)(await AskAsync("SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = 'web_log_20260501'::regclass AND pg_get_indexdef(indexrelid) LIKE '%btree%'"))[0][0]!;
        await AskAsync("DROP INDEX " + (await AskAsync("SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = 'web_log_rows'::regclass AND pg_get_indexdef(indexrelid) LIKE '%btree%'"))[0][0]);
        // As a kill leaves it.
        await AskAsync($"CREATE INDEX {name} ON web_log_20260501 (remote_addr); UPDATE pg_index SET indisvalid = false WHERE indexrelid = '{name}'::regclass");
        await using (var other = new NpgsqlConnection(_connection))
        {
            await other.OpenAsync();
            await using NpgsqlTransaction making = await other.BeginTransactionAsync();
            await using var command = new NpgsqlCommand("LOCK TABLE web_log_20260501 IN SHARE UPDATE EXCLUSIVE MODE", other, making);
            await command.ExecuteNonQueryAsync();
            await store.TendAsync(default);
            Assert.Contains("web_log_20260501 btree (remote_addr) f", await IndexesAsync());
            Assert.Contains("parent btree (remote_addr) f", await IndexesAsync());
        }
        await store.TendAsync(default);
        Assert.Equal(["parent btree (remote_addr) t", "web_log_20260501 btree (remote_addr) t", "web_log_today btree (remote_addr) t"], await IndexesAsync());
    }

    [Theory]
    [InlineData("CREATE INDEX")]
    [InlineData("ALTER INDEX")]
    public async Task A_backend_killed_at_a_step_is_followed_by_one_that_finishes(string step)
    {
        await using PostgresStore store = await FilledAsync("remote_addr btree", "path");
        await AskAsync($"""
            CREATE FUNCTION die() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); END $$;
            CREATE EVENT TRIGGER die ON ddl_command_end WHEN TAG IN ('{step}') EXECUTE FUNCTION die();
            """);
        await Assert.ThrowsAsync<StoreUnavailableException>(async () => await store.TendAsync(default));
        await AskAsync("DROP EVENT TRIGGER die");
        await store.TendAsync(default);
        Assert.Equal(6, (await IndexesAsync()).Count(index => index.EndsWith(" t", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Two_workers_make_them_once()
    {
        await using PostgresStore store = await FilledAsync("remote_addr btree", "path");
        await using PostgresStore other = Store("remote_addr btree", "path");
        await other.OpenAsync(default);
        await Task.WhenAll(store.TendAsync(default).AsTask(), other.TendAsync(default).AsTask());
        await store.TendAsync(default);
        Assert.Equal(6, (await IndexesAsync()).Length);
    }

    [Fact]
    public async Task Without_the_extension_or_the_right_the_reason_says_what_to_do()
    {
        await using PostgresStore store = await FilledAsync("line trigram");
        StoreRefusedException missing = await Assert.ThrowsAsync<StoreRefusedException>(async () => await store.TendAsync(default));
        Assert.Contains("CREATE EXTENSION pg_trgm", missing.Message, StringComparison.Ordinal);
        string role = $"writer_{Guid.NewGuid():N}";
        await AskAsync($"CREATE ROLE {role} LOGIN; GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO {role}");
        _connection = new NpgsqlConnectionStringBuilder(_connection) { Username = role }.ConnectionString;
        await using PostgresStore limited = Store("remote_addr btree");
        await limited.OpenAsync(default);
        Chore indexes = limited.Chores.Single(chore => chore.Name == "indexes");
        StoreRefusedException right = await Assert.ThrowsAsync<StoreRefusedException>(async () => await indexes.DoAsync(default));
        Assert.Contains($"GRANT postgres TO {role}", right.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Blocks_of_many_new_rows_are_noted_in_their_brin_index()
    {
        await using PostgresStore store = await FilledAsync();
        Chore ranges = store.Chores.Single(chore => chore.Name == "block ranges");
        await ranges.DoAsync(default);
        await FlushAsync(store, 10, [.. Enumerable.Repeat("04/May/2026:01:00:00 +0000", 20_000)]);
        await AskAsync("CREATE EXTENSION pageinspect");
        long noted = await NotedAsync();
        await ranges.DoAsync(default);
        Assert.True(await NotedAsync() > noted);
    }

    /// <summary>Ranges of blocks of the partition that its index knows.</summary>
    private async Task<long> NotedAsync()
    {
        string index = (string)(await AskAsync("SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = 'web_log_20260501'::regclass"))[0][0]!;
        return (long)(await AskAsync($"SELECT count(DISTINCT blknum) FROM brin_page_items(get_raw_page('{index}', 2), '{index}'::regclass)"))[0][0]!;
    }

    [Theory]
    [InlineData("remote_adr", "did you mean remote_addr?")]
    [InlineData("line btree", "write line trigram")]
    [InlineData("status trigram", "that kind is for text")]
    [InlineData("line trigam", "did you mean trigram?")]
    [InlineData("line trigram now", "is not a column, or a column and a kind")]
    public void A_wrong_entry_is_refused_with_what_to_write(string entry, string advice)
    {
        var options = new SinkOptions { Name = "web", Topics = ["web_log"], Parser = "combined", Postgres = new PostgresOptions { Connection = "Host=db", Indexes = ["time", entry] } };
        SinkConfigurationException error = Assert.Throws<SinkConfigurationException>(options.Validate);
        Assert.StartsWith("sink web: indexes: ", error.Message, StringComparison.Ordinal);
        Assert.Contains(advice, error.Message, StringComparison.Ordinal);
    }
}
