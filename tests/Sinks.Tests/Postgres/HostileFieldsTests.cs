using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Parsing;
using LogPipeline.Sinks.Postgres;
using LogPipeline.Sinks.Rows;
using LogPipeline.Sinks.Tests.Parsing;

namespace LogPipeline.Sinks.Tests.Postgres;

/// <summary>Whatever a line holds, what a parser makes of it is taken by the server.</summary>
[Collection("postgres")]
public sealed class HostileFieldsTests(PostgresFixture postgres)
{
    private const int Lines = 4000;

    [Fact]
    public async Task No_field_of_any_parser_is_refused()
    {
        var random = new Random(7);
        foreach (ParserOptions options in ParserTests.Every)
        {
            string connection = await postgres.NewDatabaseAsync();
            await using var store = new PostgresStore("web", new PostgresOptions { Connection = connection }, LineParsers.Named(options), TimeProvider.System, new Random(1));
            await store.OpenAsync(default);
            using RowBatch rows = TestRows.Batch(0, [.. Enumerable.Range(0, Lines).Select(_ => ParserTests.Hostile(random))]);
            rows.Parse(store.Parser);
            await using ISinkFlush flush = await store.BeginAsync(default);
            IReadOnlyList<SourceState> sources = await flush.ReadSourcesAsync(rows.Sources, default);
            await flush.CopyRowsAsync(1, rows, [.. sources.Select(s => s.Id)], default);
            await flush.CommitAsync(default);
            Assert.Empty(rows.Refusals);
            Assert.Equal((long)Lines, (await PostgresFixture.RowsAsync(connection, "SELECT count(*) FROM web_log_rows"))[0][0]);
        }
    }

    [Fact]
    public async Task JSON_that_jsonb_refuses_is_kept_in_what_it_takes()
    {
        string connection = await postgres.NewDatabaseAsync();
        await using var store = new PostgresStore("web", new PostgresOptions { Connection = connection }, LineParsers.Named("json"), TimeProvider.System, new Random(1));
        await store.OpenAsync(default);
        using RowBatch rows = TestRows.Batch(0, """{"a":"\u0000","b":"\ud83d","c":"\ud83d\ude00","d":1e999999,"e":-0.0e-400000,"\u0000k":[{"f":"\udc00x"}]}""", $$"""{"n":{{new string('9', 5000)}}}""");
        rows.Parse(store.Parser);
        await using ISinkFlush flush = await store.BeginAsync(default);
        IReadOnlyList<SourceState> sources = await flush.ReadSourcesAsync(rows.Sources, default);
        await flush.CopyRowsAsync(1, rows, [.. sources.Select(s => s.Id)], default);
        await flush.CommitAsync(default);
        Assert.Empty(rows.Refusals);
        List<object?[]> stored = await PostgresFixture.RowsAsync(connection, "SELECT fields->>'a', fields->>'b', fields->>'c', fields->>'d', fields->'␀k'->0->>'f', length(fields->>'n') FROM web_log_rows ORDER BY log_offset");
        Assert.Equal(["\u2400", "\uFFFD", "\U0001F600", "1e999999", "\uFFFDx", null], stored[0]);
        Assert.Equal(5000, stored[1][5]);
    }
}
