using System.Text;
using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Parsing;
using LogPipeline.Sinks.Postgres;
using LogPipeline.Sinks.Rows;
using Npgsql;

namespace LogPipeline.Sinks.Tests.Postgres;

[Collection("postgres")]
public sealed class PostgresStoreTests(PostgresFixture postgres) : SinkStoreContract
{
    private string? _connection;
    private int _seed = 1;

    protected override async Task<ISinkStore> OpenAsync(string parser = "combined")
    {
        _connection ??= await postgres.NewDatabaseAsync();
        return new PostgresStore("web", new PostgresOptions { Connection = _connection }, LineParsers.Named(parser), TimeProvider.System, new Random(_seed++));
    }

    protected override async Task<IReadOnlyList<string>> StoredLinesAsync() =>
        [.. (await PostgresFixture.RowsAsync(_connection!, "SELECT line FROM web_log_rows ORDER BY log, log_offset")).Select(r => (string)r[0]!)];

    private async Task<(ISinkStore Store, LedgerEntry Entry, OwnerToken Owner)> ReadyAsync()
    {
        ISinkStore store = await OpenAsync();
        await store.OpenAsync(default);
        await store.CreateAsync([new LedgerStart(Log, 0)], default);
        var owner = OwnerToken.New(new Random(5));
        return (store, (await store.ClaimAsync(Log, owner, default))!, owner);
    }

    private static async Task StoreAsync(ISinkStore store, LedgerEntry entry, RowBatch rows)
    {
        await using ISinkFlush flush = await store.BeginAsync(default);
        IReadOnlyList<SourceState> sources = await flush.ReadSourcesAsync(rows.Sources, default);
        rows.Parse(store.Parser);
        await flush.CopyRowsAsync(entry.Id, rows, [.. sources.Select(s => s.Id)], default);
        await flush.CommitAsync(default);
    }

    [Fact]
    public async Task The_view_shows_parsed_columns_and_names()
    {
        (ISinkStore? store, LedgerEntry? entry, OwnerToken _) = await ReadyAsync();
        await using ISinkStore _store = store;
        using RowBatch rows = TestRows.Batch(10, TestRows.Combined.Trim(), "not an access line");
        await StoreAsync(store, entry, rows);
        List<object?[]> stored = await PostgresFixture.RowsAsync(_connection!, """
            SELECT topic, partition, log_offset, time, host, file, generation, file_offset, part, parsed, remote_user, method, path, query, protocol, status,
                body_bytes_sent, http_referer, http_user_agent, time_local FROM web_log ORDER BY log_offset
            """);
        var time = new DateTime(2026, 11, 20, 23, 0, 0, DateTimeKind.Utc);
        Assert.Equal(["web_log", 0, 10L, time, "web-1", "/var/log/nginx/access.log", "0000000000000007", 0L, 0, true, "alice", "GET", "/orders/api",
            "n=0", "HTTP/1.1", 200, 28646L, "https://shop.example.com/", "Mozilla/5.0 (X11)", time], stored[0]);
        Assert.Equal(false, stored[1][9]);
        Assert.Equal(DateTime.UnixEpoch.AddMilliseconds(1_700_000_000_000), stored[1][3]);
        Assert.All(stored[1][10..], Assert.Null);
    }

    [Fact]
    public async Task Hostile_bytes_and_five_megabytes_are_stored_and_recoverable()
    {
        (ISinkStore? store, LedgerEntry? entry, OwnerToken _) = await ReadyAsync();
        await using ISinkStore _store = store;
        byte[] nul = [(byte)'a', 0, (byte)'b'];
        byte[] broken = [(byte)'x', 0xFF, 0xC3];
        byte[] large = Encoding.ASCII.GetBytes(new string('y', 5 << 20));
        byte[] largeDirty = [.. large, 0];
        using RowBatch rows = TestRows.Batch(0, nul, broken, large, largeDirty, []);
        await StoreAsync(store, entry, rows);
        List<object?[]> stored = await PostgresFixture.RowsAsync(_connection!, "SELECT line, raw FROM web_log ORDER BY log_offset");
        Assert.Equal("a␀b", stored[0][0]);
        Assert.Equal(nul, stored[0][1]);
        Assert.Equal("x\uFFFD\uFFFD", stored[1][0]);
        Assert.Equal(broken, stored[1][1]);
        Assert.Equal(large.Length, ((string)stored[2][0]!).Length);
        Assert.Null(stored[2][1]);
        Assert.Equal(largeDirty, stored[3][1]);
        Assert.Equal("", stored[4][0]);
    }

    [Fact]
    public async Task Poison_rows_are_found_by_halving_and_the_others_are_stored()
    {
        (ISinkStore? store, LedgerEntry? entry, OwnerToken _) = await ReadyAsync();
        await using ISinkStore _store = store;
        await PostgresFixture.RowsAsync(_connection!, "ALTER TABLE web_log_rows ADD CHECK (line NOT LIKE 'poison%')");
        using RowBatch rows = TestRows.Batch(0, [.. Enumerable.Range(0, 5000).Select(i => Encoding.ASCII.GetBytes(i is 17 or 4321 ? $"poison {i}" : $"line {i}"))]);
        await StoreAsync(store, entry, rows);
        Assert.Equal([17, 4321], rows.Refusals.Select(r => r.Index));
        Assert.All(rows.Refusals, r => Assert.Equal("23514", r.State));
        Assert.Equal(4998, (await StoredLinesAsync()).Count);
    }

    [Fact]
    public async Task A_claim_ends_the_backend_of_a_frozen_owner()
    {
        (ISinkStore? store, LedgerEntry? entry, OwnerToken owner) = await ReadyAsync();
        await using ISinkStore _store = store;
        await using ISinkFlush frozen = await store.BeginAsync(default);
        Assert.Equal(1, await frozen.UpdateLedgerAsync(new LedgerUpdate(entry.Id, owner, 0, 5, 0), default));
        LedgerEntry? claimed = await store.ClaimAsync(Log, OwnerToken.New(new Random(6)), default).AsTask().WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal(0, claimed!.NextOffset);
        await Assert.ThrowsAsync<StoreUnavailableException>(async () => await frozen.CommitAsync(default));
    }

    private static string With(string connection, Action<NpgsqlConnectionStringBuilder> change)
    {
        var settings = new NpgsqlConnectionStringBuilder(connection);
        change(settings);
        return settings.ConnectionString;
    }

    [Fact]
    public async Task A_claim_that_holds_the_last_connection_of_the_pool_still_ends_a_frozen_owner()
    {
        (ISinkStore? store, LedgerEntry? entry, OwnerToken owner) = await ReadyAsync();
        await using ISinkStore _store = store;
        await using ISinkFlush frozen = await store.BeginAsync(default);
        await frozen.UpdateLedgerAsync(new LedgerUpdate(entry.Id, owner, 0, 5, 0), default);
        string single = With(_connection!, c => c.MaxPoolSize = 1);
        await using var other = new PostgresStore("web", new PostgresOptions { Connection = single }, LineParsers.Named("combined"), TimeProvider.System, new Random(7));
        LedgerEntry? claimed = await other.ClaimAsync(Log, OwnerToken.New(new Random(6)), default).AsTask().WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal(0, claimed!.NextOffset);
    }

    [Fact]
    public async Task A_claim_that_may_not_end_the_owner_says_so_and_leaves_no_command_behind()
    {
        (ISinkStore? store, LedgerEntry? entry, OwnerToken owner) = await ReadyAsync();
        await using ISinkStore _store = store;
        await PostgresFixture.RowsAsync(_connection!, "CREATE ROLE limited LOGIN; GRANT ALL ON ALL TABLES IN SCHEMA public TO limited");
        await using ISinkFlush frozen = await store.BeginAsync(default);
        await frozen.UpdateLedgerAsync(new LedgerUpdate(entry.Id, owner, 0, 5, 0), default);
        string limited = With(_connection!, c => (c.Username, c.MaxPoolSize) = ("limited", 1));
        await using var other = new PostgresStore("web", new PostgresOptions { Connection = limited }, LineParsers.Named("combined"), TimeProvider.System, new Random(7));
        StoreRefusedException error = await Assert.ThrowsAsync<StoreRefusedException>(
            () => other.ClaimAsync(Log, OwnerToken.New(new Random(6)), default).AsTask().WaitAsync(TimeSpan.FromSeconds(30)));
        Assert.Contains("42501", error.Message, StringComparison.Ordinal);
        Assert.Empty(await PostgresFixture.RowsAsync(_connection!, "SELECT query FROM pg_stat_activity WHERE usename = 'limited' AND state = 'active'"));
        await frozen.CommitAsync(default);
        Assert.Equal(5, (await other.ClaimAsync(Log, OwnerToken.New(new Random(6)), default))!.NextOffset);
    }

    [Fact]
    public async Task A_table_dropped_and_made_again_is_refused()
    {
        (ISinkStore? store, LedgerEntry _, OwnerToken _) = await ReadyAsync();
        await store.DisposeAsync();
        await PostgresFixture.RowsAsync(_connection!, "DROP TABLE web_log_rows CASCADE");
        await using ISinkStore again = await OpenAsync();
        StoreRefusedException error = await Assert.ThrowsAsync<StoreRefusedException>(async () => await again.OpenAsync(default));
        Assert.Contains("restore it", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_table_that_was_renamed_or_lost_its_comment_is_named_with_what_helps()
    {
        (ISinkStore? store, LedgerEntry _, OwnerToken _) = await ReadyAsync();
        await store.DisposeAsync();
        await PostgresFixture.RowsAsync(_connection!, "ALTER TABLE web_log_rows RENAME TO mine");
        await using ISinkStore renamed = await OpenAsync();
        StoreRefusedException error = await Assert.ThrowsAsync<StoreRefusedException>(async () => await renamed.OpenAsync(default));
        Assert.Contains("table web_log_rows, which holds its rows, is gone", error.Message, StringComparison.Ordinal);

        await PostgresFixture.RowsAsync(_connection!, "ALTER TABLE mine RENAME TO web_log_rows; COMMENT ON TABLE web_log_rows IS NULL");
        await using ISinkStore restored = await OpenAsync();
        error = await Assert.ThrowsAsync<StoreRefusedException>(async () => await restored.OpenAsync(default));
        await PostgresFixture.RowsAsync(_connection!, error.Message[error.Message.IndexOf("COMMENT ON", StringComparison.Ordinal)..error.Message.IndexOf(". Else", StringComparison.Ordinal)]);
        await restored.OpenAsync(default);
    }

    [Fact]
    public async Task A_refused_login_and_a_silent_host_are_told_apart()
    {
        string wrong = new NpgsqlConnectionStringBuilder(postgres.Server.Connection()) { Username = "nobody_here" }.ConnectionString;
        await using var refused = new PostgresStore("web", new PostgresOptions { Connection = wrong }, new NoParser(), TimeProvider.System, new Random(1));
        StoreRefusedException login = await Assert.ThrowsAsync<StoreRefusedException>(async () => await refused.OpenAsync(default));
        Assert.Contains("refuses the login", login.Message, StringComparison.Ordinal);
        await using var silent = new PostgresStore(
            "web", new PostgresOptions { Connection = "Host=127.0.0.1;Port=1;Username=a;Database=b" }, new NoParser(), TimeProvider.System, new Random(1));
        StoreUnavailableException down = await Assert.ThrowsAsync<StoreUnavailableException>(async () => await silent.OpenAsync(default));
        Assert.Contains("127.0.0.1:1", down.Message, StringComparison.Ordinal);
    }
}
