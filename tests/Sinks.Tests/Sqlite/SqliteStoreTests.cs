using LogPipeline.Files;
using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Parsing;
using LogPipeline.Sinks.Rows;
using LogPipeline.Sinks.Sqlite;
using Microsoft.Data.Sqlite;

namespace LogPipeline.Sinks.Tests.Sqlite;

public sealed class SqliteStoreTests : SinkStoreContract, IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("logpipe-sqlite-").FullName;
    private int _seed = 1;

    private string File => Path.Combine(_directory, "sub", "logs.db");

    public void Dispose()
    {
        SqliteConnection.ClearAllPools();
        Directory.Delete(_directory, recursive: true);
    }

    protected override Task<ISinkStore> OpenAsync(string parser = "combined") =>
        Task.FromResult<ISinkStore>(new SqliteStore("web", new SqliteOptions { File = File }, LineParsers.Named(parser), new OsFileSystem(), new Random(_seed++)));

    protected override Task<IReadOnlyList<string>> StoredLinesAsync() =>
        Task.FromResult<IReadOnlyList<string>>([.. Rows("SELECT line FROM web_log_rows ORDER BY log, log_offset").Select(r => (string)r[0])]);

    private List<object[]> Rows(string sql)
    {
        using var connection = new SqliteConnection($"Data Source={File}");
        connection.Open();
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = sql;
        using SqliteDataReader reader = command.ExecuteReader();
        var rows = new List<object[]>();
        while (reader.Read())
        {
            object[] row = new object[reader.FieldCount];
            reader.GetValues(row);
            rows.Add(row);
        }
        return rows;
    }

    [Fact]
    public async Task A_file_that_was_moved_away_takes_no_commit_and_goes_on_where_it_is_put_back()
    {
        await using ISinkStore store = await OpenAsync();
        await store.OpenAsync(default);
        await store.CreateAsync([new Sinks.Ledger.LedgerStart(Log, 0)], default);
        LedgerEntry entry = (await store.ClaimAsync(Log, OwnerToken.New(new Random(1)), default))!;
        await using (ISinkFlush flush = await store.BeginAsync(default))
        {
            Assert.Equal(1, await flush.UpdateLedgerAsync(new LedgerUpdate(entry.Id, entry.Owner, 0, 7, 1), default));
            System.IO.File.Move(File, File + ".away");
            StoreUnavailableException gone = await Assert.ThrowsAsync<StoreUnavailableException>(async () => await flush.CommitAsync(default));
            Assert.Contains($"{File} was moved or removed", gone.Message, StringComparison.Ordinal);
        }
        await Assert.ThrowsAsync<StoreUnavailableException>(async () => await store.ReadLedgerAsync(default));

        System.IO.File.Move(File + ".away", File);

        Assert.Equal(0, (await store.ReadLedgerAsync(default))[0].NextOffset);
    }

    [Fact]
    public async Task A_file_that_another_one_replaced_is_refused_so_that_the_other_is_opened()
    {
        await using ISinkStore store = await OpenAsync();
        await store.OpenAsync(default);
        System.IO.File.Copy(File, File + ".copy");
        System.IO.File.Move(File + ".copy", File, overwrite: true);

        StoreRefusedException refused = await Assert.ThrowsAsync<StoreRefusedException>(async () => await store.BeginAsync(default));

        Assert.Contains("was replaced by another one", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_write_ahead_log_that_was_removed_is_noticed_and_what_was_in_it_is_kept()
    {
        await using (ISinkStore store = await OpenAsync())
        {
            await store.OpenAsync(default);
            await store.CreateAsync([new Sinks.Ledger.LedgerStart(Log, 0)], default);
            await MoveLedgerAsync(store, 0, 7);

            System.IO.File.Delete($"{File}-wal");

            StoreRefusedException refused = await Assert.ThrowsAsync<StoreRefusedException>(() => MoveLedgerAsync(store, 7, 8));
            Assert.Contains($"{File}-wal was moved or removed", refused.Message, StringComparison.Ordinal);
        }
        await using ISinkStore again = await OpenAsync();
        await again.OpenAsync(default);
        Assert.Equal(7, (await again.ReadLedgerAsync(default))[0].NextOffset);
        await MoveLedgerAsync(again, 7, 8);
        Assert.Equal(8L, Rows("SELECT next_offset FROM logpipe_logs")[0][0]);
    }

    private static async Task MoveLedgerAsync(ISinkStore store, long from, long to)
    {
        LedgerEntry entry = (await store.ClaimAsync(Log, OwnerToken.New(new Random(1)), default))!;
        await using ISinkFlush flush = await store.BeginAsync(default);
        Assert.Equal(1, await flush.UpdateLedgerAsync(new LedgerUpdate(entry.Id, entry.Owner, from, to, 1), default));
        await flush.CommitAsync(default);
    }

    [Theory]
    [InlineData("ABORT, 'too much'", 1)]
    [InlineData("FAIL, 'too much'", 1)]
    [InlineData("IGNORE", 1)]
    [InlineData("ROLLBACK, 'too much'", null)]
    public async Task What_a_trigger_refuses_is_one_row_or_the_sink_stops_and_stores_none(string action, int? refusals)
    {
        await using ISinkStore store = await OpenAsync();
        await store.OpenAsync(default);
        await store.CreateAsync([new Sinks.Ledger.LedgerStart(Log, 0)], default);
        LedgerEntry entry = (await store.ReadLedgerAsync(default))[0];
        Rows($"CREATE TRIGGER picky BEFORE INSERT ON web_log_rows WHEN NEW.line LIKE 'poison%' BEGIN SELECT RAISE({action}); END");
        using RowBatch rows = TestRows.Batch(0, "line 1", "poison", "line 2");
        await using (ISinkFlush flush = await store.BeginAsync(default))
        {
            IReadOnlyList<SourceState> sources = await flush.ReadSourcesAsync(rows.Sources, default);
            rows.Parse(store.Parser);
            if (refusals is null)
            {
                StoreRefusedException refused = await Assert.ThrowsAsync<StoreRefusedException>(async () => await flush.CopyRowsAsync(entry.Id, rows, [sources[0].Id], default));
                Assert.Contains("too much", refused.Message, StringComparison.Ordinal);
            }
            else
            {
                await flush.CopyRowsAsync(entry.Id, rows, [sources[0].Id], default);
                await flush.CommitAsync(default);
            }
        }
        Assert.Equal(refusals ?? 0, rows.Refusals.Count);
        Assert.Equal(refusals is null ? 0L : 2L, Rows("SELECT count(*) FROM web_log_rows")[0][0]);
    }

    [Fact]
    public async Task The_view_is_the_same_as_in_PostgreSQL()
    {
        await using ISinkStore store = await OpenAsync();
        await store.OpenAsync(default);
        await store.CreateAsync([new Sinks.Ledger.LedgerStart(Log, 0)], default);
        LedgerEntry entry = (await store.ReadLedgerAsync(default))[0];
        byte[] nul = [(byte)'a', 0, 0xFF];
        using RowBatch rows = TestRows.Batch(3, System.Text.Encoding.UTF8.GetBytes(TestRows.Combined.Trim()), nul);
        await using (ISinkFlush flush = await store.BeginAsync(default))
        {
            IReadOnlyList<SourceState> sources = await flush.ReadSourcesAsync(rows.Sources, default);
            rows.Parse(store.Parser);
            await flush.CopyRowsAsync(entry.Id, rows, [sources[0].Id], default);
            await flush.CommitAsync(default);
        }
        List<object[]> stored = Rows("SELECT topic, partition, log_offset, time, host, file, generation, file_offset, part, parsed, status, path, time_local FROM web_log ORDER BY log_offset");
        Assert.Equal(["web_log", 0L, 3L, "2026-11-20 23:00:00.000Z", "web-1", "/var/log/nginx/access.log", "0000000000000007", 0L, 0L, 1L, 200L, "/orders/api",
            "2026-11-20 23:00:00.000Z"], stored[0]);
        object[] dirty = Assert.Single(Rows("SELECT line, raw FROM web_log WHERE raw IS NOT NULL"));
        Assert.Equal("a␀\uFFFD", dirty[0]);
        Assert.Equal(nul, dirty[1]);
    }
}
