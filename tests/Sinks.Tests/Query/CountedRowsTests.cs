using LogPipeline.Sinks.Query;
using LogPipeline.Sinks.Query.Language;

namespace LogPipeline.Sinks.Tests.Query;

/// <summary>Counts and surroundings, in both databases.</summary>
[Collection("postgres")]
public sealed class CountedRowsTests(PostgresFixture postgres) : IDisposable
{
    private static readonly DateTimeOffset Start = new(2026, 11, 21, 8, 0, 0, TimeSpan.Zero);
    private readonly string _directory = Directory.CreateTempSubdirectory("logpipe-query-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private async Task<SinkOptions[]> StoredAsync(IReadOnlyList<string> lines)
    {
        SinkOptions[] all = [StoredRows.Sqlite(_directory), StoredRows.Postgres(await postgres.NewDatabaseAsync())];
        foreach (SinkOptions options in all)
        {
            await StoredRows.StoreAsync(options, lines);
        }
        return all;
    }

    [Fact]
    public async Task Rows_are_counted_by_value_and_by_time()
    {
        string[] lines = [.. Enumerable.Range(0, 300).Select(i => StoredRows.Line(Start.AddSeconds(i * 7), $"/{i % 3 * i % 5}", i % 10 == 0 ? 500 : 200)), "no access line"];
        foreach (SinkOptions options in await StoredAsync(lines))
        {
            await using ILogReader reader = SinkStores.CreateReader(options, TimeProvider.System);
            List<LogRow> all = await AllAsync(reader.QueryAsync(new LogQuery { Limit = 0 }, default));
            var errors = new LogQuery { Filter = QueryParser.Parse("status>=500", reader.Fields, Start), Limit = 100 };
            Assert.Equal([new RowCount(null, 30)], await AllAsync(reader.CountAsync(new CountQuestion(errors), default)));
            Assert.Equal([new RowCount(null, 301)], await AllAsync(reader.CountAsync(new CountQuestion(new LogQuery()), default)));
            QueryField path = reader.Fields.Find("path")!;
            Assert.Equal(
                all.GroupBy(row => (string?)path.Of(row)).Select(group => new RowCount(group.Key, group.Count())).OrderByDescending(count => count.Rows).ThenBy(count => count.Of ?? "~").Take(4),
                await AllAsync(reader.CountAsync(new TopQuestion(new LogQuery { Limit = 4 }, path), default)));
            Assert.Equal([new RowCount("500", 30)], await AllAsync(reader.CountAsync(new TopQuestion(errors, reader.Fields.Find("status")!), default)));
            Assert.Equal(
                all.Where(row => row.Parsed).GroupBy(row => Start.AddMinutes(Math.Floor((row.Time - Start).TotalMinutes / 5) * 5)).OrderBy(group => group.Key).Select(group => new RowCount(group.Key, group.Count())),
                await AllAsync(reader.CountAsync(new HistogramQuestion(new LogQuery { From = Start, To = Start.AddHours(1) }, TimeSpan.FromMinutes(5)), default)));
        }
    }

    [Fact]
    public async Task A_row_has_the_lines_of_its_file_around_it()
    {
        foreach (SinkOptions options in await StoredAsync([.. Enumerable.Range(0, 3000).Select(i => StoredRows.Line(Start.AddSeconds(-i), $"/{i}"))]))
        {
            await using ILogReader reader = SinkStores.CreateReader(options, TimeProvider.System);
            async Task<IEnumerable<long>> AroundAsync(string path, int before, int after)
            {
                var query = new LogQuery { Filter = QueryParser.Parse($"path:{path}", reader.Fields, Start) };
                LogRow hit = Assert.Single(await AllAsync(reader.QueryAsync(query, default)));
                return (await reader.AroundAsync(hit, before, after, default)).Select(row => row.LogOffset);
            }
            Assert.Equal([98, 99, 100, 101, 102, 103], await AroundAsync("/100", 2, 3));
            Assert.Equal([0, 1], await AroundAsync("/0", 5, 1));
            Assert.Equal(Enumerable.Range(500, 2001).Select(i => (long)i), await AroundAsync("/2500", 2000, 0));
        }
    }

    private static async Task<List<T>> AllAsync<T>(IAsyncEnumerable<T> rows)
    {
        var all = new List<T>();
        await foreach (T row in rows)
        {
            all.Add(row);
        }
        return all;
    }
}
