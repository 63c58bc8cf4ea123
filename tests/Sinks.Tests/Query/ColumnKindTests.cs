using LogPipeline.Client;
using LogPipeline.Files;
using LogPipeline.Sinks.Parsing;
using LogPipeline.Sinks.Postgres;
using LogPipeline.Sinks.Query;
using LogPipeline.Sinks.Query.Language;
using LogPipeline.Sinks.Query.Live;
using LogPipeline.Sinks.Rows;
using LogPipeline.Sinks.Sqlite;
using LogPipeline.Sinks.Tests.Parsing;

namespace LogPipeline.Sinks.Tests.Query;

/// <summary>Columns of every kind: from a line into both databases, and by a query out of them and of live records.</summary>
[Collection("postgres")]
public sealed class ColumnKindTests(PostgresFixture postgres) : IDisposable
{
    private static readonly EveryKindParser Parser = new();

    private static readonly string[] Lines =
    [
        """hello|1|2|0.5|true|1790000000123456|10.1.2.3|{"a": 1}""",
        """!out of the scratch ✓|-2147483648|-9223372036854775808|-1.5e300|false|1|2001:db8::1|!{"b": ["ü", null, 1e3]}""",
        "|||||||",
        """0|2147483647|9223372036854775807|-0.0|true|253402300799999000|0.0.0.0|"text" """.TrimEnd(),
        """x|5|5|1e-308|false|-1|::ffff:1.2.3.4|[]""",
        "of another form",
        "NUL \0|7|7|7|true|7|10.9.9.9|7",
    ];

    private readonly string _directory = Directory.CreateTempSubdirectory("kinds-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private async Task<(ISinkStore Store, SqlLogReader Reader)> OpenAsync(bool sqlite)
    {
        SinkOptions options = sqlite ? StoredRows.Sqlite(_directory) : StoredRows.Postgres(await postgres.NewDatabaseAsync());
        ISinkStore store = sqlite ? new SqliteStore("web", options.Sqlite!, Parser, new OsFileSystem(), new Random(1)) : new PostgresStore("web", options.Postgres!, Parser, TimeProvider.System, new Random(1));
        return (store, new SqlLogReader(SinkStores.DialectOf(options, TimeProvider.System)!, options, TableName.Parse("web_log"), Parser, TimeProvider.System));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_is_stored_is_what_a_live_tail_shows(bool sqlite)
    {
        (ISinkStore store, SqlLogReader reader) = await OpenAsync(sqlite);
        await using (store)
        await using (reader)
        {
            await StoredRows.StoreAsync(store, Lines);
            using RowBatch batch = TestRows.Batch(0, Lines);
            batch.Parse(Parser);
            var live = new LiveRows(Parser);
            List<LogRow> stored = await AllAsync(reader, null);
            Assert.Equal(Lines.Length, stored.Count);
            for (int i = 0; i < Lines.Length; i++)
            {
                LogRow expected = live.Make(new TopicPartition("web_log", 0), batch, i);
                LogRow actual = stored.Single(row => row.LogOffset == i);
                Assert.Equal(i != 5, expected.Parsed);
                Assert.Equal((expected.Parsed, expected.Line, Convert.ToHexString(expected.Raw ?? [])), (actual.Parsed, actual.Line, Convert.ToHexString(actual.Raw ?? [])));
                Assert.Equal(expected.Columns.Select(value => Shown(value, sqlite)), actual.Columns.Select(value => Shown(value, sqlite)));
            }
        }

        // SQLite's times are of milliseconds from 1970 on, PostgreSQL's JSON is written anew.
        static object? Shown(object? value, bool sqlite) => value switch
        {
            DateTimeOffset time when sqlite => Math.Max(time.ToUnixTimeMilliseconds(), 0),
            string text when text.Length > 0 && text[0] is '{' or '[' => text.Replace("1e3", "1000", StringComparison.Ordinal).Replace(" ", "", StringComparison.Ordinal),
            _ => value,
        };
    }

    [Theory]
    [InlineData("a_double>0", "0,4,6")]
    [InlineData("a_double<=-1.5", "1")]
    [InlineData("a_double:0..0.5", "0,3,4")]
    [InlineData("a_boolean:true", "0,3,6")]
    [InlineData("not a_boolean:true", "1,2,4,5")]
    [InlineData("a_address:10.1.2.3", "0")]
    [InlineData("a_address:10.0.0.0/8", "0,6")]
    [InlineData("a_address:10.*", "0,6")]
    [InlineData("a_address:2001:db8::1", "1")]
    [InlineData("a_address:2001:db8::/32", "1")]
    [InlineData("a_address:::ffff:0:0/96", "4")]
    [InlineData("a_address!=10.1.2.3 a_address:*", "1,3,4,6")]
    [InlineData("a_address~9.9", "6")]
    [InlineData("a_json:null", "1")]
    [InlineData("a_json~ü", "1")]
    [InlineData("a_biginteger>9223372036854775806", "3")]
    public async Task Queries_find_the_same_in_both_databases_and_without_one(string query, string expected)
    {
        foreach (bool sqlite in new[] { true, false })
        {
            (ISinkStore store, SqlLogReader reader) = await OpenAsync(sqlite);
            await using (store)
            await using (reader)
            {
                await StoredRows.StoreAsync(store, Lines);
                QueryNode node = QueryParser.Parse(query, reader.Fields, DateTimeOffset.UnixEpoch)!;
                Assert.Equal(expected, string.Join(',', (await AllAsync(reader, node)).Select(row => row.LogOffset).Order()));
                Assert.Equal(expected, string.Join(',', (await AllAsync(reader, null)).Where(row => RowMatch.Matches(node, row)).Select(row => row.LogOffset).Order()));
            }
        }
    }

    /// <summary>An access log has a name, a path or `-` where no address is known, so its column is one of text.</summary>
    [Theory]
    [InlineData("remote_addr:10.0.0.0/8", "10.1.2.3 10.255.255.255")]
    [InlineData("remote_addr:10.1.2.99/24", "10.1.2.3")]
    [InlineData("remote_addr:10.0.0.0/7", "10.1.2.3 10.255.255.255 11.1.2.3")]
    [InlineData("remote_addr:10.1.2.3/32", "10.1.2.3")]
    [InlineData("remote_addr:2001:db8::/32", "2001:DB8:0:0::1 2001:db8::")]
    [InlineData("remote_addr:2001:db8::1/128", "2001:DB8:0:0::1")]
    [InlineData("remote_addr:::/16", ":: ::1 ::1:2:3:4:5:6:7 ::ffff:10.1.2.3")]
    [InlineData("remote_addr:1::/16", "1:2:3:4:5:6:7:8 1:2:3:4:5:6:7:: 1:2:3:4:5:6:9.9.9.9 1::8")]
    [InlineData("remote_addr:\"10.0.0.0/8\"", "10.0.0.0/8")]
    [InlineData("not remote_addr:0.0.0.0/0 not remote_addr:::/0", "- 10 1000.1.1.1 10.0.0.0/8 10.1.2 10.1.2.3.4 10.1.2.3x 1.2.3.4:: 1::2::3 1:2:3:4:5:6:7:8:9 1::3:4:5:6:7:8:9 1:::2 :1 1: 12345::1 fe80::1%eth0 host.example")]
    public async Task Networks_hold_texts_that_are_addresses(string query, string expected)
    {
        string[] clients = ["10.1.2.3", "10.255.255.255", "11.1.2.3", "2001:DB8:0:0::1", "2001:db8::", "2001:db9::", "::", "::1", "::1:2:3:4:5:6:7", "::ffff:10.1.2.3", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7::",
            "1:2:3:4:5:6:9.9.9.9", "1::8", "-", "10", "1000.1.1.1", "10.0.0.0/8", "10.1.2", "10.1.2.3.4", "10.1.2.3x", "1.2.3.4::", "1::2::3", "1:2:3:4:5:6:7:8:9", "1::3:4:5:6:7:8:9", "1:::2", ":1", "1:", "12345::1",
            "fe80::1%eth0", "host.example"];
        foreach (bool sqlite in new[] { true, false })
        {
            SinkOptions options = sqlite ? StoredRows.Sqlite(_directory) : StoredRows.Postgres(await postgres.NewDatabaseAsync());
            await StoredRows.StoreAsync(options, [.. clients.Select(client => $"{client} - - [21/Nov/2026:08:00:00 +0000] \"GET / HTTP/1.1\" 200 1 \"-\" \"-\"")]);
            await using ILogReader reader = await SinkStores.OpenReaderAsync(options, TimeProvider.System, default);
            QueryNode node = QueryParser.Parse(query, reader.Fields, DateTimeOffset.UnixEpoch)!;
            Assert.Equal(expected, string.Join(' ', (await AllAsync(reader, node)).OrderBy(row => row.LogOffset).Select(Client)));
            Assert.Equal(expected, string.Join(' ', (await AllAsync(reader, null)).Where(row => RowMatch.Matches(node, row)).OrderBy(row => row.LogOffset).Select(Client)));
        }

        // A parser that takes `-` for no value leaves the line to tell.
        static string Client(LogRow row) => row.Line![..row.Line!.IndexOf(' ', StringComparison.Ordinal)];
    }

    [Theory]
    [InlineData("path:10.0.0.0/33", "32 bits")]
    [InlineData("path:fd00::/129", "128 bits")]
    public void A_text_that_would_be_a_network_but_for_its_length_is_refused(string query, string reason)
    {
        QuerySyntaxException error = Assert.Throws<QuerySyntaxException>(() => QueryParser.Parse(query, new QueryFields(LineParsers.Named("combined").Columns), DateTimeOffset.UnixEpoch));
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a_address>10.0.0.1", "no order")]
    [InlineData("a_address:nowhere", "10.0.0.0/8")]
    [InlineData("a_json>1", "no order")]
    [InlineData("a_boolean:yes", "neither true nor false")]
    public void What_a_field_cannot_be_asked_is_told(string query, string reason)
    {
        QuerySyntaxException error = Assert.Throws<QuerySyntaxException>(() => QueryParser.Parse(query, new QueryFields(Parser.Columns), DateTimeOffset.UnixEpoch));
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Addresses_are_counted_by_their_text()
    {
        foreach (bool sqlite in new[] { true, false })
        {
            (ISinkStore store, SqlLogReader reader) = await OpenAsync(sqlite);
            await using (store)
            await using (reader)
            {
                await StoredRows.StoreAsync(store, [Lines[0], Lines[0], Lines[1]]);
                var question = new TopQuestion(new LogQuery { Limit = 10 }, reader.Fields.Find("a_address")!);
                var counted = new List<string>();
                await foreach (RowCount count in reader.CountAsync(question, default))
                {
                    counted.Add($"{count.Of} {count.Rows}");
                }
                Assert.Equal(["10.1.2.3 2", "2001:db8::1 1"], counted);
            }
        }
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
