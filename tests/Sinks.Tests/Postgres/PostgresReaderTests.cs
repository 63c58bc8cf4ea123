using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Parsing;
using LogPipeline.Sinks.Postgres;
using LogPipeline.Sinks.Query;

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
}
