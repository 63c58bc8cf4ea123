using LogPipeline.Sinks.Query;
using LogPipeline.Sinks.Query.Language;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace LogPipeline.Sinks.Tests.Query;

/// <summary>A query of everything: each row once, in order, and nothing held that others would feel.</summary>
[Collection("postgres")]
public sealed class StreamedRowsTests(PostgresFixture postgres) : IDisposable
{
    private static readonly DateTimeOffset Start = new(2026, 11, 21, 8, 0, 0, TimeSpan.Zero);
    private readonly string _directory = Directory.CreateTempSubdirectory("logpipe-query-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Every_row_comes_once_in_the_order_of_time_though_many_have_the_same(bool descending)
    {
        foreach (SinkOptions options in new[] { StoredRows.Sqlite(_directory), StoredRows.Postgres(await postgres.NewDatabaseAsync()) })
        {
            // More than a page of SQLite's rows, a thousand to a second.
            await StoredRows.StoreAsync(options, [.. Enumerable.Range(0, 4000).Select(i => StoredRows.Line(Start.AddSeconds(i % 4), $"/{i}"))]);
            await using ILogReader reader = SinkStores.CreateReader(options, TimeProvider.System);
            List<LogRow> rows = await AllAsync(reader.QueryAsync(new LogQuery { Limit = 0, Descending = descending }, default));
            Assert.Equal(Enumerable.Range(0, 4000).Select(i => (long)i), rows.Select(row => row.LogOffset).Order());
            IEnumerable<LogRow> ordered = descending ? rows.OrderByDescending(Key) : rows.OrderBy(Key);
            Assert.Equal(ordered.Select(Key), rows.Select(Key));
            Assert.Equal(rows.Take(1500).Select(Key), (await AllAsync(reader.QueryAsync(new LogQuery { Limit = 1500, Descending = descending }, default))).Select(Key));
        }
    }

    [Fact]
    public async Task A_slow_reader_does_not_keep_SQLite_from_emptying_its_write_ahead_log()
    {
        SinkOptions options = StoredRows.Sqlite(_directory);
        await StoredRows.StoreAsync(options, [.. Enumerable.Range(0, 4000).Select(i => StoredRows.Line(Start.AddSeconds(i), $"/{i}"))]);
        await using ILogReader reader = SinkStores.CreateReader(options, TimeProvider.System);
        await using IAsyncEnumerator<LogRow> rows = reader.QueryAsync(new LogQuery { Limit = 0 }, default).GetAsyncEnumerator();
        Assert.True(await rows.MoveNextAsync());
        await StoredRows.StoreAsync(options, [StoredRows.Line(Start.AddDays(1), "/late")]);
        await using (var connection = new SqliteConnection($"Data Source={options.Sqlite!.File}"))
        {
            await connection.OpenAsync();
            await using SqliteCommand checkpoint = connection.CreateCommand();
            checkpoint.CommandText = "PRAGMA wal_checkpoint(TRUNCATE)";
            Assert.Equal(0L, await checkpoint.ExecuteScalarAsync()); // 1 = a reader was in the way
        }
        int rest = 0;
        while (await rows.MoveNextAsync())
        {
            rest++;
        }
        Assert.Equal(4000, rest);
    }

    [Fact]
    public async Task A_table_that_is_swapped_in_between_pages_ends_the_query_with_the_reason()
    {
        SinkOptions options = StoredRows.Sqlite(_directory);
        await StoredRows.StoreAsync(options, [.. Enumerable.Range(0, 4000).Select(i => StoredRows.Line(Start.AddSeconds(i), $"/{i}"))]);
        await using ILogReader reader = SinkStores.CreateReader(options, TimeProvider.System);
        await using IAsyncEnumerator<LogRow> rows = reader.QueryAsync(new LogQuery { Limit = 0 }, default).GetAsyncEnumerator();
        Assert.True(await rows.MoveNextAsync());
        await using (var connection = new SqliteConnection($"Data Source={options.Sqlite!.File}"))
        {
            await connection.OpenAsync();
            await using SqliteCommand swap = connection.CreateCommand();
            // Each row is of another day, so that all are older than those that were read, or none.
            swap.CommandText = """
                PRAGMA legacy_alter_table = ON;
                CREATE TABLE shadow AS SELECT * FROM web_log_rows; UPDATE shadow SET time = replace(time, '2026-', '2025-');
                ALTER TABLE web_log_rows RENAME TO web_log_before_rows; ALTER TABLE shadow RENAME TO web_log_rows
                """;
            await swap.ExecuteNonQueryAsync();
        }
        RowsReplacedException error = await Assert.ThrowsAsync<RowsReplacedException>(async () =>
        {
            while (await rows.MoveNextAsync())
            {
                // Goes on with the pages that are left.
            }
        });
        Assert.Contains("another table took the place of web_log", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Rare_rows_in_SQLite_are_given_on_while_others_are_sought_and_none_is_left_out(bool descending)
    {
        SinkOptions options = StoredRows.Sqlite(_directory);
        await StoredRows.StoreAsync(options, [.. Enumerable.Range(0, 4000).Select(i => StoredRows.Line(Start.AddSeconds(i / 2), $"/{i}"))]);
        await using ILogReader reader = SinkStores.CreateReader(options, new LeapingTime()); // so that each row was found long ago
        var query = new LogQuery { Filter = QueryParser.Parse("path:*99", reader.Fields, Start), Limit = 0, Descending = descending, Patience = TimeSpan.Zero };
        List<LogRow> rows = await AllAsync(reader.QueryAsync(query, default));
        IEnumerable<long> expected = Enumerable.Range(0, 40).Select(i => (i * 100L) + 99);
        Assert.Equal(descending ? expected.Reverse() : expected, rows.Select(row => row.LogOffset));
    }

    /// <summary>A second passes between any two looks.</summary>
    private sealed class LeapingTime : TimeProvider
    {
        private long _now;

        public override long TimestampFrequency => 1;

        public override long GetTimestamp() => Interlocked.Increment(ref _now);
    }

    [Fact]
    public async Task A_query_that_runs_away_is_ended_in_SQLite_and_told_why()
    {
        SinkOptions options = StoredRows.Sqlite(_directory);
        await StoredRows.StoreAsync(options, [.. Enumerable.Range(0, 4000).Select(i => StoredRows.Line(Start.AddSeconds(i), $"/{i}"))]);
        await using ILogReader reader = SinkStores.CreateReader(options, TimeProvider.System);
        var query = new LogQuery { Filter = QueryParser.Text("no line has this", reader.Fields, ignoreCase: false), Patience = TimeSpan.FromTicks(1) };
        Assert.Contains("--timeout", (await Assert.ThrowsAsync<QueryTimeoutException>(() => AllAsync(reader.QueryAsync(query, default)))).Message, StringComparison.Ordinal);
        Assert.Empty(await AllAsync(reader.QueryAsync(query with { Patience = TimeSpan.Zero }, default)));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_query_that_waits_in_PostgreSQL_ends_there_with_its_time_or_its_caller(bool byCaller)
    {
        SinkOptions options = StoredRows.Postgres(await postgres.NewDatabaseAsync());
        await StoredRows.StoreAsync(options, [StoredRows.Line(Start, "/")]);
        await using ILogReader reader = SinkStores.CreateReader(options, TimeProvider.System);
        await using var other = new NpgsqlConnection(options.Postgres!.Connection);
        await other.OpenAsync();
        await using NpgsqlTransaction locked = await other.BeginTransactionAsync();
        await new NpgsqlCommand("LOCK TABLE web_log_rows IN ACCESS EXCLUSIVE MODE", other, locked).ExecuteNonQueryAsync();
        using var stop = new CancellationTokenSource();
        Task<List<LogRow>> asked = AllAsync(reader.QueryAsync(new LogQuery { Patience = byCaller ? TimeSpan.Zero : TimeSpan.FromMilliseconds(500) }, stop.Token));
        if (byCaller)
        {
            await UntilAsync(options, waiting: 1);
            await stop.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asked);
        }
        else
        {
            await Assert.ThrowsAsync<QueryTimeoutException>(() => asked);
        }
        await UntilAsync(options, waiting: 0);
    }

    [Fact]
    public async Task A_role_with_rights_on_the_view_alone_can_query()
    {
        SinkOptions options = StoredRows.Postgres(await postgres.NewDatabaseAsync());
        await StoredRows.StoreAsync(options, [StoredRows.Line(Start, "/seen")]);
        string role = $"reader_{Guid.NewGuid():N}";
        await PostgresFixture.RowsAsync(options.Postgres!.Connection, $"CREATE ROLE {role} LOGIN; GRANT SELECT ON web_log TO {role}");
        SinkOptions asReader = StoredRows.Postgres(new NpgsqlConnectionStringBuilder(options.Postgres.Connection) { Username = role }.ConnectionString);
        await using ILogReader reader = SinkStores.CreateReader(asReader, TimeProvider.System);
        await reader.OpenAsync(default);
        Assert.Contains("/seen", Assert.Single(await AllAsync(reader.QueryAsync(new LogQuery { Filter = QueryParser.Text("seen", reader.Fields, ignoreCase: false) }, default))).Line, StringComparison.Ordinal);
        QueryException refused = await Assert.ThrowsAsync<QueryException>(() => AllAsync(reader.TailAsync(new LogQuery(), 1, default)));
        Assert.Contains("SELECT", refused.Message, StringComparison.Ordinal);
    }

    private static async Task UntilAsync(SinkOptions options, long waiting)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (await WaitingAsync(options) != waiting)
        {
            limit.Token.ThrowIfCancellationRequested();
        }
    }

    private static async Task<long> WaitingAsync(SinkOptions options) => (long)(await PostgresFixture.RowsAsync(options.Postgres!.Connection,
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'logpipe query' AND datname = current_database() AND wait_event_type = 'Lock'"))[0][0]!;

    private static (DateTimeOffset, long) Key(LogRow row) => (row.Time, row.LogOffset);

    private static async Task<List<LogRow>> AllAsync(IAsyncEnumerable<LogRow> rows)
    {
        var all = new List<LogRow>();
        await foreach (LogRow row in rows)
        {
            all.Add(row);
        }
        return all;
    }
}
