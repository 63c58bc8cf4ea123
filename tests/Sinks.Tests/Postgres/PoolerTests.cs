using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Parsing;
using LogPipeline.Sinks.Postgres;
using LogPipeline.Testing;
using Npgsql;

namespace LogPipeline.Sinks.Tests.Postgres;

/// <summary>Behind a PgBouncer that hands a connection on after each transaction, with the two settings that Npgsql asks for then.</summary>
[Collection("postgres")]
public sealed class PoolerTests(PostgresFixture postgres)
{
    private static string Behind(PgBouncer pooler, string connection) => new NpgsqlConnectionStringBuilder(connection)
    {
        Port = pooler.Port,
        MaxAutoPrepare = 0,
        NoResetOnClose = true,
    }.ConnectionString;

    [RequiresPgBouncerFact]
    public async Task A_sink_stores_all_rows_and_each_transaction_may_have_another_connection()
    {
        string connection = await postgres.NewDatabaseAsync();
        await using PgBouncer pooler = await PgBouncer.StartAsync(postgres.Server, connectionsMax: 3);
        await using SinkScene scene = await SinkScene.StartAsync();
        SinkOptions options = scene.Postgres(Behind(pooler, connection));
        await scene.SendAsync(0, Enumerable.Range(0, 500).Select(i => $"a {i}"));
        await SinkScene.RunAsync(options, 2000, async () =>
        {
            for (int round = 0; round < 5; round++)
            {
                await scene.SendAsync(0, Enumerable.Range(0, 100).Select(i => $"a {round} {i}"));
                await scene.SendAsync(1, Enumerable.Range(0, 200).Select(i => $"b {round} {i}"));
            }
        });
        Assert.Equal([2000L, 2000L], (await PostgresFixture.RowsAsync(connection, "SELECT count(*), count(DISTINCT (log, log_offset)) FROM web_log_rows"))[0]);
        Assert.Equal(0L, (await PostgresFixture.RowsAsync(connection, "SELECT count(*) FROM logpipe_dead_letters"))[0][0]);
        Assert.True((await SinkScene.VerifyAsync(options)).Passed);
    }

    [RequiresPgBouncerFact]
    public async Task A_claim_ends_a_frozen_owner_although_the_pooler_hides_whose_backend_is_whose()
    {
        string connection = await postgres.NewDatabaseAsync();
        await using PgBouncer pooler = await PgBouncer.StartAsync(postgres.Server, connectionsMax: 4);
        await using var store = new PostgresStore(
            "web", new PostgresOptions { Connection = Behind(pooler, connection) }, LineParsers.Named("combined"), TimeProvider.System, new Random(1));
        var log = new LogIdentity("web", "cluster", Guid.Empty, "web_log", 0);
        await store.OpenAsync(default);
        await store.CreateAsync([new LedgerStart(log, 0)], default);
        var owner = OwnerToken.New(new Random(5));
        LedgerEntry entry = (await store.ClaimAsync(log, owner, default))!;
        await using ISinkFlush frozen = await store.BeginAsync(default);
        Assert.Equal(1, await frozen.UpdateLedgerAsync(new LedgerUpdate(entry.Id, owner, 0, 5, 0), default));
        LedgerEntry? claimed = await store.ClaimAsync(log, OwnerToken.New(new Random(6)), default).AsTask().WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal(0, claimed!.NextOffset);
        await Assert.ThrowsAsync<StoreUnavailableException>(async () => await frozen.CommitAsync(default));
    }

    [Fact]
    public void What_the_user_sets_is_kept_and_what_he_leaves_out_is_ours()
    {
        NpgsqlConnectionStringBuilder his = PostgresConnection.Settings("Host=h;Max Auto Prepare=0;Maximum Pool Size=100", "logpipe");
        Assert.Equal((0, 100), (his.MaxAutoPrepare, his.MaxPoolSize));
        NpgsqlConnectionStringBuilder ours = PostgresConnection.Settings("Host=h", "logpipe");
        Assert.Equal((32, 8), (ours.MaxAutoPrepare, ours.MaxPoolSize));
    }

    [Fact]
    public async Task Each_try_of_several_hosts_says_why_none_takes_the_connection()
    {
        await using NpgsqlDataSource source = PostgresConnection.Source(PostgresConnection.Settings("Host=127.0.0.1:1,127.0.0.1:2;Username=u;Database=d", "logpipe"));
        for (int i = 0; i < 2; i++)
        {
            Exception refused = await Assert.ThrowsAnyAsync<NpgsqlException>(async () => await source.OpenConnectionAsync());
            Assert.Contains("Connection refused", PostgresErrors.Translate(refused, "several hosts")!.Message, StringComparison.Ordinal);
        }
    }
}

[AttributeUsage(AttributeTargets.Method)]
internal sealed class RequiresPgBouncerFactAttribute : FactAttribute
{
    public RequiresPgBouncerFactAttribute()
    {
        if (PgBouncer.FindProgram() is null)
        {
            Skip = "needs pgbouncer: apt-get install pgbouncer";
        }
    }
}
