using LogPipeline.Files;
using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Parsing;
using LogPipeline.Sinks.Verification;
using Npgsql;

namespace LogPipeline.Sinks.Tests;

/// <summary>A changed parser takes a table over; the same in PostgreSQL and in SQLite.</summary>
[Collection("postgres")]
public sealed class TableVersionTests(PostgresFixture postgres) : IAsyncLifetime
{
    private static LogIdentity Log(SinkOptions options, int partition = 0) => new(options.Name, "cluster", Guid.Empty, "web_log", partition);

    private static readonly OwnerToken Owner = OwnerToken.New(new Random(5));

    private SinkScene _scene = null!;
    private SinkOptions[] _databases = [];

    public async Task InitializeAsync()
    {
        _scene = await SinkScene.StartAsync();
        _databases = [_scene.Sqlite(), _scene.Postgres(await postgres.NewDatabaseAsync()) with { Name = "second" }];
    }

    public async Task DisposeAsync()
    {
        NpgsqlConnection.ClearAllPools();
        await _scene.DisposeAsync();
    }

    private static ISinkStore Store(SinkOptions options, ParserOptions parser, MigrationRight? migration = null, RecordedEvents? events = null) =>
        SinkStores.Create(options with { Parser = parser }, new OsFileSystem(), TimeProvider.System, new Random(), events, migration);

    private static ParserOptions Status(string type) => new() { Type = "regex", Pattern = "status=(?<status>[0-9]+)", Columns = [new("status", type)] };

    private static async Task<LedgerEntry> ReadyAsync(SinkOptions options, ISinkStore store)
    {
        await store.OpenAsync(default);
        await store.CreateAsync([new LedgerStart(Log(options), 0)], default);
        return (await store.ClaimAsync(Log(options), Owner, default))!;
    }

    private static Task<string> TextAsync(SinkOptions options, string expression, string from) => TextAsync(options, options.Postgres is null
        ? $"SELECT group_concat({expression}, ' ') FROM (SELECT * FROM {from})" : $"SELECT string_agg(({expression})::text, ' ') FROM (SELECT * FROM {from}) f");

    private static async Task<string> TextAsync(SinkOptions options, string sql) => (await SinkScene.ScalarAsync(options, sql))?.ToString() ?? "";

    private static Task<string> ColumnsAsync(SinkOptions options, string relation) => options.Postgres is null
        ? TextAsync(options, "name", $"pragma_table_info('{relation}') ORDER BY cid") : TextAsync(options, "attname", $"pg_attribute WHERE attrelid = '{relation}'::regclass AND attnum > 0 ORDER BY attnum");

    private static Task<string> VersionsAsync(SinkOptions options) => TextAsync(options, "version || ':' || parser || ':' || (since IS NOT NULL)", "logpipe_table_versions ORDER BY version");

    [Fact]
    public async Task Columns_are_added_behind_the_others_what_was_built_on_the_view_goes_on_and_verify_agrees()
    {
        await _scene.SendAsync(0, [TestRows.Combined.Trim(), "no access line"]);
        foreach (SinkOptions options in _databases)
        {
            await SinkScene.RunAsync(options, 2);
            await SinkScene.ScalarAsync(options, "CREATE VIEW errors AS SELECT log_offset, status FROM web_log WHERE status >= 200");
        }
        string before = await ColumnsAsync(_databases[1], "web_log");
        await _scene.SendAsync(0, ["level=warn msg=hot path=/x status=500", TestRows.Combined.Trim()]);
        foreach (SinkOptions options in _databases)
        {
            SinkOptions changed = options with { Parser = new ParserOptions { Type = "logfmt", Columns = [new("path", "text"), new("duration", "double")] } };
            var events = new RecordedEvents();
            await SinkScene.RunAsync(changed, 4, events: events);

            Assert.Equal($"{before} duration level message fields", await ColumnsAsync(options, "web_log"));
            Assert.EndsWith(" http_user_agent duration level message fields", await ColumnsAsync(options, "web_log_rows"), StringComparison.Ordinal);
            Assert.Equal("/orders/api - /x -", await TextAsync(options, "coalesce(path, '-')", "web_log ORDER BY log_offset"));
            Assert.Equal("- - warn -", await TextAsync(options, "coalesce(level, '-')", "web_log ORDER BY log_offset"));
            Assert.Equal("0", await TextAsync(options, "log_offset", "errors ORDER BY log_offset"));
            Assert.Equal(options.Postgres is null ? "1:combined:1 2:logfmt:1" : "1:combined:true 2:logfmt:true", await VersionsAsync(options));
            Assert.Equal("columns: path text, duration double", await TextAsync(options, "SELECT settings FROM logpipe_table_versions WHERE version = 2"));
            VerifyReport report = await SinkScene.VerifyAsync(changed);
            Assert.Empty(report.Findings);
            Assert.Equal(4, report.RowsCompared);

            await SinkScene.RunAsync(options, 4); // and back
            Assert.Equal($"{before} duration level message fields", await ColumnsAsync(options, "web_log"));
            Assert.Contains(" 3:combined:", await VersionsAsync(options), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_column_of_another_type_is_refused_with_both_types_and_nothing_changes()
    {
        foreach (SinkOptions options in _databases)
        {
            await using ISinkStore store = Store(options, "combined");
            LedgerEntry entry = await ReadyAsync(options, store);
            await using ISinkStore other = Store(options, Status("text"));
            StoreRefusedException error = await Assert.ThrowsAsync<StoreRefusedException>(async () => await other.OpenAsync(default));
            Assert.Contains($"has column status as {(options.Postgres is null ? "INTEGER" : "integer")}, and it must be {(options.Postgres is null ? "TEXT" : "text")}", error.Message, StringComparison.Ordinal);
            Assert.Contains("give the column another name in `parser`", error.Message, StringComparison.Ordinal);
            await using ISinkFlush flush = await store.BeginAsync(default);
            Assert.Equal(1, await flush.UpdateLedgerAsync(new LedgerUpdate(entry.Id, Owner, 0, 1, 0), default));
            Assert.StartsWith("1:combined", await VersionsAsync(options), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task The_process_that_was_started_last_wins_and_the_one_with_the_earlier_configuration_never_takes_the_table_back()
    {
        foreach (SinkOptions options in _databases)
        {
            var first = new MigrationRight();
            await using ISinkStore earlier = Store(options, "combined", first);
            LedgerEntry entry = await ReadyAsync(options, earlier);
            var second = new MigrationRight();
            await using ISinkStore later = Store(options, "logfmt", second);
            await later.OpenAsync(default);

            await using (ISinkFlush flush = await earlier.BeginAsync(default))
            {
                Assert.Equal(0, await flush.UpdateLedgerAsync(new LedgerUpdate(entry.Id, Owner, 0, 1, 0), default));
            }
            foreach (Func<Task> step in new Func<Task>[]
            {
                async () => await earlier.ClaimAsync(Log(options), Owner, default),
                async () => await earlier.CreateAsync([new LedgerStart(Log(options, 1), 0)], default),
                async () => await earlier.OpenAsync(default),
                async () => await ReopenAsync("combined", first),
                async () => await ReopenAsync("combined", MigrationRight.None),
            })
            {
                StoreRefusedException error = await Assert.ThrowsAsync<StoreRefusedException>(step);
                Assert.Contains("table web_log_rows is written with parser logfmt by now, and this process has parser combined", error.Message, StringComparison.Ordinal);
            }
            Assert.Equal(0, (await later.ClaimAsync(Log(options), Owner, default))!.NextOffset);

            await ReopenAsync("combined", new MigrationRight()); // a person starts it again
            Assert.NotNull(await earlier.ClaimAsync(Log(options), Owner, default)); // it goes on by itself
            await Assert.ThrowsAsync<StoreRefusedException>(async () => await later.ClaimAsync(Log(options), Owner, default));

            async Task ReopenAsync(string parser, MigrationRight right)
            {
                await using ISinkStore again = Store(options, parser, right);
                await again.OpenAsync(default);
            }
        }
    }

    [Fact]
    public async Task A_process_that_was_at_work_makes_nothing_in_an_empty_database_and_goes_on_when_it_is_restored()
    {
        foreach ((SinkOptions options, SinkOptions empty) in _databases.Zip(new[] { _scene.Sqlite("empty.db"), _scene.Postgres(await postgres.NewDatabaseAsync()) }))
        {
            var right = new MigrationRight();
            await using ISinkStore store = Store(options, "combined", right);
            await ReadyAsync(options, store);

            await using ISinkStore inEmpty = Store(empty, "combined", right);
            StoreRefusedException error = await Assert.ThrowsAsync<StoreRefusedException>(async () => await inEmpty.OpenAsync(default));
            Assert.Contains("holds no ledger", error.Message, StringComparison.Ordinal);
            Assert.Equal("0", await TextAsync(empty, empty.Postgres is null ? "SELECT count(*) FROM sqlite_master" : "SELECT count(*) FROM pg_class WHERE relname LIKE 'logpipe%' OR relname LIKE 'web_log%'"));

            await using ISinkStore restored = Store(options, "combined", right);
            await restored.OpenAsync(default);
        }
    }

    [Fact]
    public async Task Settings_of_a_parser_are_a_version_too()
    {
        foreach (SinkOptions options in _databases)
        {
            await using (ISinkStore store = Store(options, Status("int")))
            {
                await ReadyAsync(options, store);
            }
            await using ISinkStore other = Store(options, Status("int") with { Pattern = "code=(?<status>[0-9]+)" });
            await other.OpenAsync(default);
            Assert.Equal("2", await TextAsync(options, "SELECT max(version) FROM logpipe_table_versions"));
        }
    }

    [Fact]
    public async Task A_ledger_from_before_versions_were_noted_gets_both()
    {
        foreach (SinkOptions options in _databases)
        {
            await using (ISinkStore store = Store(options, "combined"))
            {
                await ReadyAsync(options, store);
            }
            await SinkScene.ScalarAsync(options, "DROP TABLE logpipe_table_versions");
            await using ISinkStore other = Store(options, "common");
            await other.OpenAsync(default);
            Assert.Equal(options.Postgres is null ? "1:combined:0 2:common:1" : "1:combined:false 2:common:true", await VersionsAsync(options));
        }
    }

    [Fact]
    public async Task A_view_with_a_column_of_a_persons_is_not_replaced()
    {
        foreach (SinkOptions options in _databases)
        {
            await using (ISinkStore store = Store(options, "combined"))
            {
                await ReadyAsync(options, store);
            }
            await SinkScene.ScalarAsync(options, "DROP VIEW web_log");
            await SinkScene.ScalarAsync(options, "CREATE VIEW web_log AS SELECT line, upper(line) AS loud FROM web_log_rows");
            await using ISinkStore other = Store(options, "logfmt");
            StoreRefusedException error = await Assert.ThrowsAsync<StoreRefusedException>(async () => await other.OpenAsync(default));
            Assert.Contains("has a column loud", error.Message, StringComparison.Ordinal);
            await SinkScene.ScalarAsync(options, "DROP VIEW web_log");
            await other.OpenAsync(default);
            Assert.EndsWith("http_user_agent level message fields flags", await ColumnsAsync(options, "web_log"), StringComparison.Ordinal);
        }
    }
}
