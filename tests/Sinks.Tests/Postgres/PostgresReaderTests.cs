using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Parsing;
using LogPipeline.Sinks.Postgres;
using LogPipeline.Sinks.Postgres.Partitions;
using LogPipeline.Sinks.Query;
using LogPipeline.Sinks.Query.Language;
using Npgsql;

namespace LogPipeline.Sinks.Tests.Postgres;

[Collection("postgres")]
public sealed class PostgresReaderTests(PostgresFixture postgres)
{
    [Fact]
    public async Task A_server_that_goes_away_while_rows_stream_is_one_line()
    {
        string connection = await postgres.NewDatabaseAsync();
        var options = new SinkOptions { Name = "web", Topics = ["web_log"], Postgres = new PostgresOptions { Connection = connection } };
        await using (var store = new PostgresStore("web", options.Postgres, new NoParser(), TimeProvider.System, new Random(1)))
        {
            await store.OpenAsync(default);
            await store.CreateAsync([new LedgerStart(new LogIdentity("web", "cluster", Guid.Empty, "web_log", 0), 0)], default);
        }
        // More than sockets buffer, so that the server is still sending when it is stopped.
        await PostgresFixture.RowsAsync(connection, """
            INSERT INTO web_log_rows (log, log_offset, time, part, line, parsed, flags)
            SELECT 1, n, now(), 0, repeat('x', 100000), false, 0 FROM generate_series(1, 500) AS n
            """);
        await using ILogReader reader = SinkStores.CreateReader(options, TimeProvider.System);
        await reader.OpenAsync(default);
        StoreUnavailableException error = await Assert.ThrowsAsync<StoreUnavailableException>(async () =>
        {
            await foreach (LogRow row in reader.QueryAsync(new LogQuery { Limit = 0 }, default))
            {
                await PostgresFixture.RowsAsync(connection, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'logpipe query'");
            }
        });
        Assert.Contains("PostgreSQL at 127.0.0.1", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("path~API")]
    [InlineData("path:/API/*")]
    [InlineData("path:\"/API/LIST.\"")]
    [InlineData("list")]
    [InlineData("path=~\"api/l.st\"")]
    public async Task The_case_is_disregarded_also_where_the_language_of_the_database_has_another_small_I(string query)
    {
        SinkOptions options = Query.StoredRows.Postgres(await postgres.NewDatabaseAsync("TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'tr-TR' LOCALE 'C.UTF-8'"));
        await Query.StoredRows.StoreAsync(options, [Query.StoredRows.Line(DateTimeOffset.UnixEpoch, "/api/list."), Query.StoredRows.Line(DateTimeOffset.UnixEpoch, "/apx/lost")]);
        await using ILogReader reader = await SinkStores.OpenReaderAsync(options, TimeProvider.System, default);
        QueryNode node = QueryParser.Parse(query, reader.Fields, DateTimeOffset.UnixEpoch, ignoreCase: true)!;
        var found = new List<long>();
        await foreach (LogRow row in reader.QueryAsync(new LogQuery { Filter = node }, default))
        {
            found.Add(row.LogOffset);
        }
        Assert.Equal([0L], found);
    }

    /// <summary>Roles of applications are often bound to some seconds a statement; counting a large table takes minutes.</summary>
    [Fact]
    public async Task A_verification_takes_as_long_as_it_takes_whatever_bounds_the_users_statements()
    {
        string connection = await postgres.NewDatabaseAsync();
        await using SinkScene scene = await SinkScene.StartAsync();
        SinkOptions options = scene.Postgres(connection) with { Parser = "none" };
        await scene.SendAsync(0, ["one", "two"]);
        await SinkScene.RunAsync(options, 2);
        // A table that takes longer to read than driver and server allow.
        await PostgresFixture.RowsAsync(connection, """
            ALTER TABLE web_log_rows RENAME TO slow;
            CREATE VIEW web_log_rows AS SELECT slow.* FROM slow, pg_sleep(1.2);
            CREATE VIEW leaving AS SELECT 1 AS log, 1::bigint AS log_offset, '' AS line, NULL::bytea AS raw FROM pg_sleep(1.2) AS slept WHERE slept IS NULL;
            DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET statement_timeout = ''1s''', current_database()); END $$
            """);
        // So does a partition that retention has detached and not counted yet.
        await PostgresFixture.RowsAsync(connection, $"{ExpiryNotes.Tables} INSERT INTO logpipe_retention (table_identity, partition, from_time, to_time, begun) VALUES ('', 'leaving', now(), now(), now())");
        SinkOptions bounded = scene.Postgres(new NpgsqlConnectionStringBuilder(connection) { CommandTimeout = 1, ApplicationName = "bounded" }.ConnectionString) with { Parser = "none" };
        Assert.True((await SinkScene.VerifyAsync(bounded)).Passed);
    }
}
