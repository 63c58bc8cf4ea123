using LogPipeline.Sinks.Query;
using LogPipeline.Sinks.Query.Language;

namespace LogPipeline.Sinks.Tests.Query;

/// <summary>The newest rows are the newest ones, in whatever order they were stored.</summary>
[Collection("postgres")]
public sealed class NewestFirstTests(PostgresFixture postgres)
{
    private const int Rows = 6000; // some two hundred pages: the table's end is widened

    private static readonly DateTimeOffset Start = new(2026, 11, 21, 8, 0, 0, TimeSpan.Zero);

    /// <summary>A planner to which all is dear asks for nothing at once.</summary>
    private const string AllIsDear = "DO 'BEGIN EXECUTE format(''ALTER DATABASE %I SET cpu_tuple_cost = 1000'', current_database()); END'";

    public static TheoryData<string> Arrivals => ["in order", "shuffled", "wrapped each ten minutes", "oldest last", "all at once", "in the future"];

    [Theory]
    [MemberData(nameof(Arrivals))]
    public async Task The_newest_rows_come_first_and_none_is_left_out(string arrival)
    {
        var random = new Random(5);
        DateTimeOffset TimeOf(int i) => arrival switch
        {
            "in order" => Start.AddSeconds(i),
            "shuffled" => Start.AddSeconds(random.Next(100_000)),
            "wrapped each ten minutes" => Start.AddSeconds(i % 600),
            "oldest last" => Start.AddSeconds(Rows - i),
            "in the future" => DateTimeOffset.UtcNow.AddDays(random.Next(-30, 30)),
            _ => Start,
        };
        SinkOptions options = StoredRows.Postgres(await postgres.NewDatabaseAsync());
        options = options with { Postgres = options.Postgres! with { Indexes = ["path"] } };
        await StoredRows.StoreAsync(options, [.. Enumerable.Range(0, Rows).Select(i => StoredRows.Line(TimeOf(i), $"/{i}", i % 50 == 0 ? 500 : 200))]);
        await PostgresFixture.RowsAsync(options.Postgres!.Connection, "CREATE INDEX ON web_log_rows USING brin (path text_bloom_ops)");
        await PostgresFixture.RowsAsync(options.Postgres!.Connection, "VACUUM ANALYZE web_log_rows"); // so that ranges of blocks know their times
        await CheckAsync(options, arrival);
        await PostgresFixture.RowsAsync(options.Postgres!.Connection, AllIsDear);
        await CheckAsync(options, $"{arrival}, where nothing is cheap");
    }

    [Fact]
    public async Task A_table_that_is_swapped_in_between_windows_ends_the_query_with_the_reason()
    {
        SinkOptions options = StoredRows.Postgres(await postgres.NewDatabaseAsync());
        string connection = options.Postgres!.Connection;
        // Three windows of time, or more.
        await StoredRows.StoreAsync(options, [.. Enumerable.Range(0, 3).Select(i => StoredRows.Line(DateTimeOffset.UtcNow.AddDays(-i), $"/{i}"))]);
        await using ILogReader reader = SinkStores.CreateReader(options, TimeProvider.System);
        await using IAsyncEnumerator<LogRow> rows = reader.QueryAsync(new LogQuery { Limit = 0, Descending = true }, default).GetAsyncEnumerator();
        Assert.True(await rows.MoveNextAsync());
        // It waits for the window that is being read, and the next window waits for it.
        Task swap = PostgresFixture.RowsAsync(connection, "ALTER TABLE web_log_rows RENAME TO web_log_before_rows; CREATE TABLE web_log_rows (LIKE web_log_before_rows)");
        const string Waits = "SELECT 1 FROM pg_locks WHERE NOT granted AND relation = to_regclass('web_log_rows')";
        while (!swap.IsCompleted && (await PostgresFixture.RowsAsync(connection, Waits)).Count == 0)
        {
            // The swap is on its way to the lock.
        }
        RowsReplacedException error = await Assert.ThrowsAsync<RowsReplacedException>(async () =>
        {
            while (await rows.MoveNextAsync())
            {
                // Goes on with the windows that are left.
            }
        });
        await swap;
        Assert.Contains("another table took the place of web_log", error.Message, StringComparison.Ordinal);
    }

    private static async Task CheckAsync(SinkOptions options, string arrival)
    {
        await using ILogReader reader = SinkStores.CreateReader(options, TimeProvider.System);
        List<LogRow> all = await AllAsync(reader, new LogQuery { Limit = 0 });
        Assert.Equal(Rows, all.Count);
        foreach (string text in new[] { "", "status:500", "status:500 path~7", "path:/nowhere", "path=/77 status:200", "path:(/1 or /2 or /3 or /4 or /5 or /6 or /7)", "time>=2026-11-21T08:20", "time:2026-11-21T08..2026-11-21T08:30" })
        {
            foreach (int limit in new[] { 1, 3, 100, 1000, 2000, 0 })
            {
                QueryNode? filter = QueryParser.Parse(text, reader.Fields, Start);
                List<LogRow> found = await AllAsync(reader, new LogQuery { Filter = filter, Limit = limit, Descending = true });
                IEnumerable<LogRow> expected = all.Where(row => filter is null || RowMatch.Matches(filter, row)).OrderByDescending(row => row.Time);
                Assert.True(expected.Select(row => row.Time).Take(limit == 0 ? Rows : limit).SequenceEqual(found.Select(row => row.Time)), $"`{text}`, {limit} rows, stored {arrival}");
                Assert.Equal(found.Count, found.DistinctBy(row => row.LogOffset).Count());
            }
        }
    }

    private static async Task<List<LogRow>> AllAsync(ILogReader reader, LogQuery query)
    {
        var all = new List<LogRow>();
        await foreach (LogRow row in reader.QueryAsync(query, default))
        {
            all.Add(row);
        }
        return all;
    }
}
