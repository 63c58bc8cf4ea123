using LogPipeline.Sinks.Parsing;
using LogPipeline.Sinks.Query;
using LogPipeline.Sinks.Query.Language;

namespace LogPipeline.Sinks.Tests.Query;

/// <summary>Values in JSON are fields: both databases and a row that comes live are asked for them alike.</summary>
[Collection("postgres")]
public sealed class JsonPathTests(PostgresFixture postgres) : IDisposable
{
    private static readonly string[] Lines =
    [
        """{"user":{"id":7,"name":"Ann"},"code":404,"tags":["a","b"],"http.status":500,"ok":true}""",
        """{"user":{"id":"7","name":"ann"},"code":"404","ratio":0.5}""",
        """{"user":{"id":12.0},"code":404.0,"ratio":1e2,"x":null}""",
        """{"user":"Ann","items":[{"price":1.50},{"price":20}],"0":"zero"}""",
        "no JSON",
        """{"a\"b\\c":1,"ünï":"ö","@type":"t-1","big":12345678901234567890}""",
    ];

    private static readonly (string Query, string Rows)[] Questions =
    [
        ("fields.user.id:7", "0,1"),
        ("fields.user.id:\"7\"", "0,1"),
        ("fields.user.id>7", "2"),
        ("fields.user.id>=7", "0,2"),
        ("fields.user.id:7..12", "0,2"),
        ("fields.user.id:..7", "0"),
        ("fields.user.id:[5 to 10]", "0"),
        ("fields.user.id:(7 or >11)", "0,1,2"),
        ("fields.user.id>abc", ""),
        ("fields.code:404", "0,1,2"),
        ("fields.code!=404", "3,4,5"),
        ("not fields.code>403", "1,3,4,5"),
        ("fields.code:*", "0,1,2"),
        ("not fields.user.name:*", "2,3,4,5"),
        ("fields.user:Ann", "3"),
        ("fields.user.name:Ann", "0"),
        ("fields.user.name:A*", "0"),
        ("fields.user.name~nn", "0,1"),
        ("fields.user.name=~^[aA]nn$", "0,1"),
        ("fields.user.name>Z", "1"),
        ("fields.tags.1:b", "0"),
        ("fields.tags.2:*", ""),
        ("fields.tags.\"1\":b", ""),
        ("fields.\"0\":zero", "3"),
        ("fields.0:zero", ""),
        ("fields.code.0:*", ""),
        ("fields.user.0:*", ""),
        ("fields.items.1.price>10", "3"),
        ("fields.items.0.price:1.5", "3"),
        ("fields.items.0.price~1.5", "3"),
        ("fields.\"http.status\">=500", "0"),
        ("fields.http.status:*", ""),
        ("fields.ok:true", "0"),
        ("fields.ratio<1", "1"),
        ("fields.ratio>=100", "2"),
        ("fields.x:*", ""),
        ("fields.@type:t-1", "5"),
        ("fields.\"a\\\"b\\\\c\":1", "5"),
        ("fields.\"ünï\":ö", "5"),
        ("fields.ünï:*", "5"),
        ("fields.big>12345678901234500000", "5"),
        ("FIELDS.ratio:0.5", "1"),
    ];

    private readonly string _directory = Directory.CreateTempSubdirectory("logpipe-json-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    /// <summary>Both databases, filled.</summary>
    private async Task<SinkOptions[]> StoredAsync()
    {
        SinkOptions[] both = [StoredRows.Sqlite(_directory) with { Parser = "json" }, StoredRows.Postgres(await postgres.NewDatabaseAsync()) with { Parser = "json" }];
        foreach (SinkOptions options in both)
        {
            await StoredRows.StoreAsync(options, Lines);
        }
        return both;
    }

    [Fact]
    public async Task Both_databases_and_a_live_row_decide_alike()
    {
        foreach (SinkOptions options in await StoredAsync())
        {
            await using ILogReader reader = SinkStores.CreateReader(options, TimeProvider.System);
            List<LogRow> all = await AllAsync(reader, null);
            Assert.Equal(Lines.Length, all.Count);
            foreach ((string text, string expected) in Questions)
            {
                QueryNode query = QueryParser.Parse(text, reader.Fields, DateTimeOffset.UnixEpoch)!;
                Assert.Equal((options.Kind, text, expected), (options.Kind, text, string.Join(',', (await AllAsync(reader, query)).Select(row => row.LogOffset).Order())));
                Assert.Equal(("live", text, expected), ("live", text, string.Join(',', all.Where(row => RowMatch.Matches(query, row)).Select(row => row.LogOffset).Order())));
            }
        }
    }

    [Fact]
    public async Task Values_are_counted()
    {
        foreach (SinkOptions options in await StoredAsync())
        {
            await using ILogReader reader = SinkStores.CreateReader(options, TimeProvider.System);
            var question = new TopQuestion(new LogQuery { Limit = 10 }, reader.Fields.Find("fields.user.id")!);
            List<RowCount> counts = [];
            await foreach (RowCount count in reader.CountAsync(question, default))
            {
                counts.Add(count);
            }
            Assert.Equal([new RowCount(null, 3), new RowCount("7", 2), new RowCount("12.0", 1)], counts);
        }
    }

    [Fact]
    public void Nothing_of_a_path_stands_in_the_SQL()
    {
        foreach (SinkOptions options in new[] { StoredRows.Sqlite(_directory), StoredRows.Postgres("Host=nowhere") })
        {
            ILogReader reader = SinkStores.CreateReader(options with { Parser = "json" }, TimeProvider.System);
            QueryNode query = QueryParser.Parse("fields.zqx.\"zqx'; --\">1 fields.zqx~a not fields.zqx:*", reader.Fields, DateTimeOffset.UnixEpoch)!;
            string[] sql = reader.Explain(new TopQuestion(new LogQuery { Filter = query }, reader.Fields.Find("fields.zqx")!)).Split('\n');
            Assert.DoesNotContain(sql, line => line.Contains("zqx", StringComparison.Ordinal) && !line.StartsWith("-- @p", StringComparison.Ordinal));
            Assert.Contains(sql, line => line.Contains("zqx", StringComparison.Ordinal));
        }
    }

    [Theory]
    [InlineData("json", "level:info feilds.user.id:7", "did you mean fields.user.id?", 11)]
    [InlineData("json", "user.id:7", "fields.user.id", 0)]
    [InlineData("json", "fields.:7", "fields.user.id", 0)]
    [InlineData("json", "fields.\"a\"b:7", "fields.\"user.id\"", 0)]
    [InlineData("json", "level.a:7", "level is no JSON", 0)]
    [InlineData("combined", "path.a:7", "path is no JSON", 0)]
    [InlineData("json", "fields.a:[1 to x]", "`x` is none", 15)]
    public void What_is_wrong_with_a_path_is_told_with_what_to_write(string parser, string query, string advice, int at)
    {
        var fields = new QueryFields(LineParsers.Named(parser).Columns);
        QuerySyntaxException error = Assert.Throws<QuerySyntaxException>(() => QueryParser.Parse(query, fields, DateTimeOffset.UnixEpoch));
        Assert.Contains(advice, error.Message, StringComparison.Ordinal);
        Assert.Equal(at, error.At);
    }

    [Fact]
    public void Signs_belong_to_a_name_in_JSON_alone()
    {
        var fields = new QueryFields(LineParsers.Named("json").Columns);
        Assert.Equal("www.my-host:80", Assert.IsType<TextTest>(QueryParser.Parse("www.my-host:80", fields, DateTimeOffset.UnixEpoch)).Value);
        Assert.Equal("fields.my-host", Assert.IsType<TextTest>(QueryParser.Parse("fields.my-host:a", fields, DateTimeOffset.UnixEpoch)).Field.Name);
    }

    private static async Task<List<LogRow>> AllAsync(ILogReader reader, QueryNode? filter)
    {
        var rows = new List<LogRow>();
        await foreach (LogRow row in reader.QueryAsync(new LogQuery { Filter = filter, Limit = 0 }, default))
        {
            rows.Add(row);
        }
        return rows;
    }
}
