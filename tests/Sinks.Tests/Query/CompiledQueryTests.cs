using LogPipeline.Sinks.Parsing;
using LogPipeline.Sinks.Query;
using LogPipeline.Sinks.Query.Language;
using LogPipeline.Sinks.Rows;

namespace LogPipeline.Sinks.Tests.Query;

/// <summary>What the databases answer is what the condition says of each row.</summary>
[Collection("postgres")]
public sealed class CompiledQueryTests(PostgresFixture postgres) : IDisposable
{
    private const int Queries = 400;

    private readonly string _directory = Directory.CreateTempSubdirectory("logpipe-query-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task Both_databases_find_the_rows_that_fulfil_a_random_query()
    {
        var lines = new RandomQuery(7);
        string[] stored = [.. Enumerable.Range(0, 300).Select(_ => lines.Line())];
        foreach (SinkOptions options in new[] { StoredRows.Sqlite(_directory), StoredRows.Postgres(await postgres.NewDatabaseAsync()) })
        {
            await StoredRows.StoreAsync(options, stored);
            await using ILogReader reader = SinkStores.CreateReader(options, TimeProvider.System);
            List<LogRow> all = await AllAsync(reader, null);
            Assert.Equal(stored.Length, all.Count);
            (int some, int none) = (0, 0);
            for (int seed = 1; seed <= Queries; seed++)
            {
                var random = new RandomQuery(seed);
                string text = random.Query();
                QueryNode query = QueryParser.Parse(text, reader.Fields, RandomQuery.Now, random.IgnoresCase)!;
                long[] expected = [.. all.Where(row => RowMatch.Matches(query, row)).Select(row => row.LogOffset).Order()];
                long[] actual = [.. (await AllAsync(reader, query)).Select(row => row.LogOffset).Order()];
                Assert.True(expected.SequenceEqual(actual), $"seed {seed}: `{text}` in {(options.Sqlite is null ? "PostgreSQL" : "SQLite")} gives "
                    + $"{string.Join(",", actual.Except(expected).Take(3).Select(at => stored[at]))} too much and lacks {string.Join(",", expected.Except(actual).Take(3).Select(at => stored[at]))}");
                (some, none) = expected.Length > 0 ? (some + 1, none) : (some, none + 1);
            }
            // Else the queries would tell nothing.
            Assert.InRange(some, Queries / 3, Queries);
            Assert.InRange(none, 1, Queries / 2);
        }
    }

    [Fact]
    public void Nothing_of_a_value_stands_in_the_SQL()
    {
        const string mark = "zqx";
        string[] values = [$"{mark}'; DROP TABLE web_log_rows; --", $"{mark}\" OR 1=1", $"{mark}\\' OR ''='", $"@p0{mark}", $"$1{mark}", $"%{mark}%", $"{mark}*/"];
        var fields = new QueryFields(LineParsers.Named("combined").Columns);
        foreach (ISqlDialect dialect in new ISqlDialect[] { new PostgresDialect(new PostgresOptions { Connection = "Host=nowhere" }, TimeProvider.System), new SqliteDialect(new SqliteOptions { File = "nowhere" }, TimeProvider.System) })
        {
            foreach (string value in values)
            {
                string quoted = $"\"{value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";
                string text = $"{quoted} path:{quoted} not path~{quoted} path>={quoted} (method!={quoted} or path:{mark}*) path=~{mark}";
                foreach (bool ignoreCase in new[] { false, true })
                {
                    QueryNode query = QueryParser.Parse(text, fields, RandomQuery.Now, ignoreCase)!;
                    SqlStatement sql = new QuerySql(dialect, TableName.Parse("web_log"), LineParsers.Named("combined")).Where(new LogQuery { Filter = query }, wholeLines: true).Select("line");
                    Assert.DoesNotContain(mark, sql.Text, StringComparison.Ordinal);
                    string ours = sql.Text.Replace(" COLLATE \"C\"", "", StringComparison.Ordinal).Replace(" ESCAPE '\\'", "", StringComparison.Ordinal);
                    Assert.DoesNotContain(ours, c => c is '\'' or '"' or ';' or '\\' or '%');
                }
            }
        }
    }

    [Fact]
    public async Task A_query_that_would_be_SQL_finds_nothing_and_changes_nothing()
    {
        foreach (SinkOptions options in new[] { StoredRows.Sqlite(_directory), StoredRows.Postgres(await postgres.NewDatabaseAsync()) })
        {
            await StoredRows.StoreAsync(options, [StoredRows.Line(RandomQuery.Now, "/")]);
            await using ILogReader reader = SinkStores.CreateReader(options, TimeProvider.System);
            Assert.Empty(await AllAsync(reader, QueryParser.Parse("path:\"/'; DROP TABLE web_log_rows; --\"", reader.Fields, RandomQuery.Now)));
            Assert.Single(await AllAsync(reader, null));
        }
    }

    [Fact]
    public async Task Case_beyond_ASCII_is_disregarded_in_SQLite_too()
    {
        SinkOptions options = StoredRows.Sqlite(_directory);
        await StoredRows.StoreAsync(options, ["Ärger mit Größe", "nothing"]);
        await using ILogReader reader = SinkStores.CreateReader(options, TimeProvider.System);
        Assert.Single(await AllAsync(reader, QueryParser.Parse("ärger", reader.Fields, RandomQuery.Now, ignoreCase: true)));
        Assert.Empty(await AllAsync(reader, QueryParser.Parse("ärger", reader.Fields, RandomQuery.Now)));
    }

    private static async Task<List<LogRow>> AllAsync(ILogReader reader, QueryNode? filter)
    {
        var all = new List<LogRow>();
        await foreach (LogRow row in reader.QueryAsync(new LogQuery { Filter = filter, Limit = 0 }, default))
        {
            all.Add(row);
        }
        return all;
    }
}
