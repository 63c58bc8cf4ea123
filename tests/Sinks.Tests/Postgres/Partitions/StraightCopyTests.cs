using System.Globalization;
using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Parsing;
using LogPipeline.Sinks.Postgres;
using LogPipeline.Sinks.Rows;
using Npgsql;

namespace LogPipeline.Sinks.Tests.Postgres.Partitions;

/// <summary>Many rows of one partition are copied straight into it, and go by way of the table wherever that would not be the same.</summary>
[Collection("postgres")]
public sealed class StraightCopyTests(PostgresFixture postgres) : IAsyncLifetime
{
    private const int Many = 500;

    private static readonly LogIdentity Log = new("web", "cluster", Guid.Empty, "web_log", 0);
    private static readonly DateTimeOffset Today = new(DateTimeOffset.UtcNow.UtcDateTime.Date, TimeSpan.Zero);

    private string _connection = "";
    private PostgresStore _store = null!;
    private LedgerEntry _entry = null!;
    private string _partition = "";
    private long _offset;

    /// <summary>A store with one row of today. What is copied into its partition by name is noted in <c>straight</c>: only then its own statement trigger runs.</summary>
    public async Task InitializeAsync()
    {
        _connection = await postgres.NewDatabaseAsync();
        _store = Store(_connection);
        await _store.OpenAsync(default);
        await _store.CreateAsync([new LedgerStart(Log, 0)], default);
        _entry = (await _store.ClaimAsync(Log, OwnerToken.New(new Random(5)), default))!;
        await StoreAsync(Line(Today));
        _partition = (string)(await AskAsync("SELECT tableoid::regclass::text FROM web_log_rows"))!;
        await AskAsync($"""
            CREATE TABLE straight (name text);
            CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO straight VALUES (TG_TABLE_NAME); RETURN NULL; END $$;
            CREATE TRIGGER note AFTER INSERT ON {_partition} FOR EACH STATEMENT EXECUTE FUNCTION note();
            """);
    }

    public async Task DisposeAsync() => await _store.DisposeAsync();

    private static PostgresStore Store(string connection) =>
        new("web", new PostgresOptions { Connection = connection }, LineParsers.Named("combined"), TimeProvider.System, new Random(1));

    private static string Line(DateTimeOffset time) => string.Create(CultureInfo.InvariantCulture,
        $"10.0.0.1 - - [{time.ToString("dd'/'MMM'/'yyyy:HH:mm:ss +0000", CultureInfo.InvariantCulture)}] \"GET / HTTP/1.1\" 200 7 \"-\" \"-\"");

    private static string[] Lines(int count, DateTimeOffset time) => [.. Enumerable.Repeat(Line(time), count)];

    private async Task<object?> AskAsync(string sql) => (await PostgresFixture.RowsAsync(_connection, sql)).FirstOrDefault()?[0];

    private async Task<long> CountAsync(string of) => (long)(await AskAsync($"SELECT count(*) FROM {of}"))!;

    /// <summary>Stores rows by a flush; <paramref name="held"/> is called while its transaction is open.</summary>
    private async Task<int> StoreAsync(string[] lines, Func<Task>? held = null)
    {
        using RowBatch rows = TestRows.Batch(_offset, lines);
        rows.Parse(_store.Parser);
        await _store.PrepareAsync(rows, default);
        await using ISinkFlush flush = await _store.BeginAsync(default);
        IReadOnlyList<SourceState> sources = await flush.ReadSourcesAsync(rows.Sources, default);
        await flush.CopyRowsAsync(_entry.Id, rows, [.. sources.Select(s => s.Id)], default);
        if (held is not null)
        {
            await held();
        }
        await flush.CommitAsync(default);
        _offset += lines.Length;
        return rows.Refusals.Count;
    }

    private Task<int> StoreAsync(string line) => StoreAsync([line]);

    [Fact]
    public async Task Many_rows_of_one_day_go_straight_and_few_or_those_of_two_days_do_not()
    {
        await StoreAsync(Lines(5, Today));
        await StoreAsync([.. Lines(Many, Today), Line(Today.AddDays(-1))]);
        Assert.Equal(0, await CountAsync("straight"));
        await StoreAsync(Lines(Many, Today));
        Assert.Equal(1, await CountAsync("straight"));
        Assert.Equal(_offset, await CountAsync("web_log"));
        Assert.Equal(1L, await CountAsync($"web_log_rows WHERE tableoid <> '{_partition}'::regclass"));
    }

    [Fact]
    public async Task A_row_that_is_refused_is_found_by_way_of_the_table_and_the_next_flush_goes_straight()
    {
        await AskAsync("ALTER TABLE web_log_rows ADD CONSTRAINT sober CHECK (status <> 500)");
        Assert.Equal(1, await StoreAsync([.. Lines(Many, Today), Line(Today).Replace(" 200 ", " 500 ", StringComparison.Ordinal)]));
        Assert.Equal(0, await CountAsync("straight"));
        Assert.Equal(0, await StoreAsync(Lines(Many, Today)));
        Assert.Equal((1L, _offset - 1), (await CountAsync("straight"), await CountAsync("web_log")));
    }

    [Theory]
    [InlineData("CREATE TRIGGER every AFTER INSERT ON web_log_rows FOR EACH STATEMENT EXECUTE FUNCTION note()")]
    [InlineData("ALTER TABLE web_log_rows ENABLE ROW LEVEL SECURITY")]
    public async Task A_table_that_does_more_with_a_row_gets_it(string made)
    {
        await AskAsync(made);
        await StoreAsync(Lines(Many, Today));
        await StoreAsync(Lines(Many, Today));
        Assert.Equal(0, await CountAsync($"straight WHERE name = '{_partition}'"));
        Assert.Equal(_offset, await CountAsync("web_log"));
    }

    [Fact]
    public async Task A_partition_that_was_renamed_is_found_by_way_of_the_table()
    {
        await AskAsync($"ALTER TABLE {_partition} RENAME TO elsewhere");
        await StoreAsync(Lines(Many, Today));
        Assert.Equal((0L, _offset), (await CountAsync("straight"), await CountAsync("web_log")));
    }

    [Fact]
    public async Task Nothing_goes_into_a_partition_that_was_taken_out_and_is_still_there()
    {
        await AskAsync($"ALTER TABLE web_log_rows DETACH PARTITION {_partition}");
        await Assert.ThrowsAsync<StoreUnavailableException>(() => StoreAsync(Lines(Many, Today)));
        Assert.Equal(1, await CountAsync(_partition));
        await StoreAsync(Lines(Many, Today)); // into one that is made anew
        Assert.Equal((1L, (long)Many), (await CountAsync(_partition), await CountAsync("web_log")));
    }

    [Fact]
    public async Task A_detach_waits_for_the_rows_of_a_flush_and_takes_them_with_it()
    {
        Task? detaching = null;
        await StoreAsync(Lines(Many, Today), async () =>
        {
            detaching = DetachAsync();
            while (await CountAsync("pg_locks WHERE NOT granted") == 0 && !detaching.IsCompleted)
            {
                await Task.Yield();
            }
            Assert.False(detaching.IsCompleted);
        });
        await detaching!;
        Assert.Equal((Many + 1L, 0L, 1L), (await CountAsync(_partition), await CountAsync("web_log"), await CountAsync("straight")));
    }

    private async Task DetachAsync()
    {
        await using var connection = new NpgsqlConnection(_connection);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand($"ALTER TABLE web_log_rows DETACH PARTITION {_partition} CONCURRENTLY", connection);
        await command.ExecuteNonQueryAsync();
    }
}
