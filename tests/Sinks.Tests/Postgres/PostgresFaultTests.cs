using System.Text;
using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Parsing;
using LogPipeline.Sinks.Postgres;
using LogPipeline.Sinks.Rows;
using Npgsql;

namespace LogPipeline.Sinks.Tests.Postgres;

/// <summary>Whose fault it is: a row's, the table's, the server's, or a missing right.</summary>
[Collection("postgres")]
public sealed class PostgresFaultTests(PostgresFixture postgres)
{
    private static readonly LogIdentity Log = new("web", "cluster", Guid.Empty, "web_log", 0);

    private string _connection = "";

    private PostgresStore Store(string? connection = null) =>
        new("web", new PostgresOptions { Connection = connection ?? _connection }, LineParsers.Named("combined"), TimeProvider.System, new Random(1));

    private async Task<(PostgresStore Store, LedgerEntry Entry)> ReadyAsync()
    {
        _connection = await postgres.NewDatabaseAsync();
        PostgresStore store = Store();
        await store.OpenAsync(default);
        await store.CreateAsync([new LedgerStart(Log, 0)], default);
        return (store, (await store.ClaimAsync(Log, OwnerToken.New(new Random(5)), default))!);
    }

    private static async Task StoreAsync(PostgresStore store, LedgerEntry entry, RowBatch rows)
    {
        await using ISinkFlush flush = await store.BeginAsync(default);
        IReadOnlyList<SourceState> sources = await flush.ReadSourcesAsync(rows.Sources, default);
        rows.Parse(store.Parser);
        await flush.CopyRowsAsync(entry.Id, rows, [.. sources.Select(s => s.Id)], default);
        await flush.CommitAsync(default);
    }

    private Task<List<object?[]>> AskAsync(string sql) => PostgresFixture.RowsAsync(_connection, sql);

    [Fact]
    public async Task Half_of_the_rows_are_refused_and_the_others_stored_wherever_they_stand()
    {
        (PostgresStore store, LedgerEntry entry) = await ReadyAsync();
        await using PostgresStore _ = store;
        await AskAsync("ALTER TABLE web_log_rows ADD CONSTRAINT sober CHECK (line NOT LIKE 'poison%')");
        using RowBatch rows = TestRows.Batch(0, [.. Enumerable.Range(0, 4000).Select(i => Encoding.ASCII.GetBytes(i % 2 == 1 ? $"poison {i}" : $"line {i}"))]);
        await StoreAsync(store, entry, rows);
        Assert.Equal(Enumerable.Range(0, 2000).Select(i => 2 * i + 1), rows.Refusals.Select(r => r.Index));
        Assert.All(rows.Refusals, r => Assert.Equal("23514", r.State));
        Assert.Equal([2000L, 2000L], (await AskAsync("SELECT count(*), count(DISTINCT log_offset) FILTER (WHERE log_offset % 2 = 0) FROM web_log_rows"))[0]);
    }

    [Theory]
    [InlineData("ALTER status TYPE bigint", "has column status as bigint, and it must be integer")]
    [InlineData("DROP COLUMN status CASCADE", "lacks the column status integer")]
    [InlineData("ALTER remote_user SET NOT NULL", "has column remote_user as NOT NULL")]
    [InlineData("ADD site text NOT NULL", "has a column site that is NOT NULL")]
    public async Task A_table_that_was_altered_is_refused_with_the_column_and_no_row_is(string change, string reason)
    {
        (PostgresStore store, LedgerEntry entry) = await ReadyAsync();
        await using PostgresStore _ = store;
        await AskAsync("DROP VIEW web_log");
        await AskAsync($"ALTER TABLE web_log_rows {change}");
        using RowBatch rows = TestRows.Batch(0, TestRows.Combined.Trim(), "not an access line");
        StoreRefusedException atFlush = await Assert.ThrowsAsync<StoreRefusedException>(() => StoreAsync(store, entry, rows));
        Assert.Empty(rows.Refusals);
        if (!change.StartsWith("DROP", StringComparison.Ordinal))
        {
            Assert.Contains(reason, atFlush.Message, StringComparison.Ordinal);
        }
        await using PostgresStore again = Store();
        StoreRefusedException atStart = await Assert.ThrowsAsync<StoreRefusedException>(async () => await again.OpenAsync(default));
        Assert.Contains(reason, atStart.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_role_needs_no_right_to_make_what_is_there_and_is_told_which_right_it_lacks()
    {
        (PostgresStore store, LedgerEntry _) = await ReadyAsync();
        await store.DisposeAsync();
        string role = $"writer_{Guid.NewGuid():N}";
        string connection = new NpgsqlConnectionStringBuilder(_connection) { Username = role }.ConnectionString;
        await AskAsync($"CREATE ROLE {role} LOGIN; REVOKE CREATE ON SCHEMA public FROM public; GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA public TO {role}; GRANT UPDATE ON logpipe_sources TO {role}");
        await using (PostgresStore refused = Store(connection))
        {
            StoreRefusedException error = await Assert.ThrowsAsync<StoreRefusedException>(async () => await refused.OpenAsync(default));
            Assert.Equal($"the sink's user lacks rights: GRANT UPDATE ON logpipe_logs TO {role}.", error.Message);
        }
        await AskAsync($"GRANT UPDATE ON logpipe_logs TO {role}");
        await using PostgresStore granted = Store(connection);
        await granted.OpenAsync(default);
        Assert.NotNull(await granted.ClaimAsync(Log, OwnerToken.New(new Random(5)), default));
        await AskAsync("DROP VIEW web_log");
        StoreRefusedException missing = await Assert.ThrowsAsync<StoreRefusedException>(async () => await granted.OpenAsync(default));
        Assert.Contains($"user {role} may not create web_log in schema public", missing.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_database_of_another_encoding_is_refused_with_the_remedy()
    {
        string name = $"latin_{Guid.NewGuid():N}";
        _connection = postgres.Server.Connection();
        await AskAsync($"CREATE DATABASE {name} ENCODING LATIN1 TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'");
        await using PostgresStore store = Store(new NpgsqlConnectionStringBuilder(_connection) { Database = name }.ConnectionString);
        StoreRefusedException error = await Assert.ThrowsAsync<StoreRefusedException>(async () => await store.OpenAsync(default));
        Assert.Contains($"`createdb -E UTF8 -T template0 {name}`", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_claim_leaves_the_session_of_a_person_alone_and_says_whom_it_waits_for()
    {
        (PostgresStore store, LedgerEntry _) = await ReadyAsync();
        await using PostgresStore _store = store;
        await using var person = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(_connection) { ApplicationName = "psql" }.ConnectionString);
        await person.OpenAsync();
        await using NpgsqlTransaction repair = await person.BeginTransactionAsync();
        await using (var command = new NpgsqlCommand("UPDATE logpipe_logs SET leader_epoch = leader_epoch", person, repair))
        {
            await command.ExecuteNonQueryAsync();
        }
        StoreUnavailableException error = await Assert.ThrowsAsync<StoreUnavailableException>(async () => await store.ClaimAsync(Log, OwnerToken.New(new Random(6)), default));
        Assert.Contains("(psql, process ", error.Message, StringComparison.Ordinal);
        await repair.CommitAsync();
    }

    [Fact]
    public async Task A_time_out_of_the_role_does_not_cut_a_flush()
    {
        (PostgresStore store, LedgerEntry entry) = await ReadyAsync();
        await store.DisposeAsync();
        await AskAsync("""
            CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(1); RETURN NULL; END';
            CREATE TRIGGER slow BEFORE INSERT ON web_log_rows FOR EACH STATEMENT EXECUTE FUNCTION slow();
            """);
        await using PostgresStore hurried = Store(new NpgsqlConnectionStringBuilder(_connection) { Options = "-c statement_timeout=500" }.ConnectionString);
        using RowBatch rows = TestRows.Batch(0, "line 1", "line 2");
        await StoreAsync(hurried, entry, rows);
        Assert.Equal(2L, (await AskAsync("SELECT count(*) FROM web_log_rows"))[0][0]);
    }
}
