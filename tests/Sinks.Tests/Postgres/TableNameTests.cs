using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Parsing;
using LogPipeline.Sinks.Postgres;
using LogPipeline.Sinks.Query;
using LogPipeline.Sinks.Rows;

namespace LogPipeline.Sinks.Tests.Postgres;

/// <summary>Tables under names of all kinds.</summary>
[Collection("postgres")]
public sealed class TableNameTests(PostgresFixture postgres)
{
    [Theory]
    [InlineData("web_log", "web_log_rows", null)]
    [InlineData("Logs.Web", "Logs.Web_rows", "Logs")]
    [InlineData("\"Web-Log\"", "\"Web-Log_rows\"", null)]
    [InlineData("app.\"it's \"\"it\"\"\"", "app.\"it's \"\"it\"\"_rows\"", "app")]
    [InlineData("\"a.b\".c", "\"a.b\".c_rows", "\"a.b\"")]
    public void A_name_and_what_is_made_from_it(string text, string rows, string? schema)
    {
        TableName name = TableName.Parse(text);
        Assert.Equal((text, rows, schema), (name.ToString(), name.Rows, name.Schema));
    }

    [Theory]
    [InlineData("")]
    [InlineData("web-log")]
    [InlineData("1st")]
    [InlineData("a.b.c")]
    [InlineData("a.")]
    [InlineData("\"open")]
    [InlineData("\"a\"b\"")]
    [InlineData("web_log; DROP TABLE x")]
    [InlineData("web_log\n")]
    [InlineData("aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeee")]
    [InlineData("\"ääääääääääääääääääääääääa\"")]
    public void A_name_that_is_none_is_refused_and_told_how_it_is_written(string text) =>
        Assert.Contains("app.web_log", Assert.Throws<FormatException>(() => TableName.Parse(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void SQLite_knows_no_schemas()
    {
        var options = new SinkOptions { Name = "web", Topics = ["web_log"], Sqlite = new SqliteOptions { File = "x", Table = "app.web_log" } };
        Assert.Contains("in SQLite", Assert.Throws<SinkConfigurationException>(options.Validate).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("app.web_log", "CREATE SCHEMA app")]
    [InlineData("App.Web_Log", "CREATE SCHEMA app")]
    [InlineData("\"Web-Log\"", "SELECT")]
    [InlineData("\"my app\".\"it's a \"\"log\"\" of SELECT @p0\"", "CREATE SCHEMA \"my app\"")]
    [InlineData("\"order\"", "SELECT")]
    public async Task A_sink_works_with_it(string table, string before)
    {
        string connection = await postgres.NewDatabaseAsync();
        await PostgresFixture.RowsAsync(connection, before);
        await using SinkScene scene = await SinkScene.StartAsync();
        SinkOptions options = scene.Postgres(connection);
        options = options with { Postgres = options.Postgres! with { Table = table } };
        await scene.SendAsync(0, [TestRows.Combined.Trim(), "two", "three"]);
        async Task<long> Count() => (long)(await PostgresFixture.RowsAsync(connection, $"SELECT count(*) FROM {table}"))[0][0]!;
        await SinkScene.RunAsync(options, Count, 3);
        await scene.SendAsync(0, ["four"]);
        await SinkScene.RunAsync(options, Count, 4); // a second start finds its tables
        Assert.True((await SinkScene.VerifyAsync(options)).Passed);
        await using ILogReader reader = SinkStores.CreateReader(options, TimeProvider.System);
        Assert.Equal(4, await reader.QueryAsync(new LogQuery { Limit = 10, Descending = true }, default).CountAsync());
        Assert.Empty(await PostgresFixture.RowsAsync(connection, $"SELECT * FROM {TableName.Parse(table).DeadLetters}"));
    }

    [Fact]
    public async Task A_schema_that_is_not_there_is_named_with_the_remedy()
    {
        await using PostgresStore store = Store(await postgres.NewDatabaseAsync(), "app.web_log");
        StoreRefusedException error = await Assert.ThrowsAsync<StoreRefusedException>(async () => await store.OpenAsync(default));
        Assert.Equal("schema app is not there: CREATE SCHEMA app AUTHORIZATION postgres", error.Message);
    }

    [Fact]
    public async Task Table_view_and_columns_say_what_they_are()
    {
        string connection = await postgres.NewDatabaseAsync();
        await using PostgresStore store = Store(connection, "web_log");
        await store.OpenAsync(default);
        List<object?[]> bare = await PostgresFixture.RowsAsync(connection, """
            SELECT attrelid::regclass::text || '.' || attname FROM pg_attribute WHERE attrelid IN ('web_log'::regclass, 'web_log_rows'::regclass)
                AND attnum > 0 AND col_description(attrelid, attnum) IS NULL
            UNION ALL SELECT name FROM unnest(ARRAY['web_log', 'web_log_rows']) AS name WHERE obj_description(name::regclass) IS NULL
            """);
        Assert.Empty(bare);
        // The table is known again by its comment.
        await store.CreateAsync([new LedgerStart(new LogIdentity("web", "cluster", Guid.Empty, "web_log", 0), 0)], default);
        await using PostgresStore again = Store(connection, "web_log");
        await again.OpenAsync(default);
    }

    private static PostgresStore Store(string connection, string table) =>
        new("web", new PostgresOptions { Connection = connection, Table = table }, LineParsers.Named("combined"), TimeProvider.System, new Random(1));
}
