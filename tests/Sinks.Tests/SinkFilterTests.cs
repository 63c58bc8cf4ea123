using LogPipeline.Contract;
using LogPipeline.Files;
using LogPipeline.Sinks.Verification;
using Npgsql;

namespace LogPipeline.Sinks.Tests;

/// <summary>A sink with <c>where</c> stores what it names and no more, and verify knows which that was at each offset.</summary>
[Collection("postgres")]
public sealed class SinkFilterTests(PostgresFixture postgres) : IAsyncLifetime
{
    private SinkScene _scene = null!;
    private SinkOptions[] _databases = [];
    private int _sent;

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

    private static SinkOptions Where(SinkOptions options, string? where) => options with { Parser = options.Parser with { Where = where } };

    private static string Line(int number, int status) => TestRows.Combined.Trim().Replace("/orders/api", $"/orders/{number}", StringComparison.Ordinal).Replace("\" 200 ", $"\" {status} ", StringComparison.Ordinal);

    /// <summary>Sends lines of which each third has status 500, to both partitions in turn.</summary>
    private async Task SendAsync(int count)
    {
        for (int i = 0; i < count; i++, _sent++)
        {
            await _scene.SendAsync(_sent % 2, [Line(_sent, _sent % 3 == 0 ? 500 : 200)]);
        }
    }

    /// <summary>Runs the sink until all that was sent is stored or left out.</summary>
    private async Task RunAsync(SinkOptions options)
    {
        long ends = await _scene.EndAsync(0) + await _scene.EndAsync(1);
        await SinkScene.RunAsync(options, async () => Convert.ToInt64(await SinkScene.ScalarAsync(options, $"SELECT coalesce(sum(next_offset), 0) FROM logpipe_logs WHERE sink = '{options.Name}'"), System.Globalization.CultureInfo.InvariantCulture), ends);
    }

    private static async Task<VerifyReport> CleanAsync(SinkOptions options)
    {
        VerifyReport report = await SinkScene.VerifyAsync(options);
        Assert.Empty(report.Findings);
        return report;
    }

    [Fact]
    public async Task What_where_names_is_stored_and_a_changed_one_holds_from_its_first_offset_on()
    {
        await SendAsync(30);
        foreach (SinkOptions options in _databases)
        {
            await RunAsync(Where(options, "status>=500"));
            Assert.Equal(10L, await SinkScene.CountAsync(options));
            VerifyReport report = await CleanAsync(Where(options, "status>=500"));
            Assert.Contains("web_log-0: 10 records are left out by the sink's where", report.Notes);
        }
        await SendAsync(30);
        foreach (SinkOptions options in _databases)
        {
            await RunAsync(Where(options, "status:200"));
            Assert.Equal(10L + 20, await SinkScene.CountAsync(options));
            await CleanAsync(Where(options, "status:200"));
            await RunAsync(options);
            Assert.Equal("status>=500 status:200 NULL", await VersionsAsync(options));
        }
        await SendAsync(6);
        foreach (SinkOptions options in _databases)
        {
            await RunAsync(options);
            Assert.Equal(10L + 20 + 6, await SinkScene.CountAsync(options));
            await CleanAsync(options);
        }
    }

    private static async Task<string> VersionsAsync(SinkOptions options) => (string)(await SinkScene.ScalarAsync(options, options.Postgres is null
        ? "SELECT group_concat(coalesce(row_filter, 'NULL'), ' ') FROM (SELECT * FROM logpipe_table_versions ORDER BY version)"
        : "SELECT string_agg(coalesce(row_filter, 'NULL'), ' ' ORDER BY version) FROM logpipe_table_versions"))!;

    [Fact]
    public async Task What_was_left_out_counts_as_stored_and_a_row_that_is_missing_is_found()
    {
        string unwanted = Line(1, 200);
        await _scene.SendAsync(0, [Line(0, 500), unwanted]);
        foreach (SinkOptions options in _databases)
        {
            await RunAsync(Where(options, "status>=500"));
        }
        // The agent is not sure of it and sends it again: stored it would be a line out of its order.
        await _scene.SendAsync(0, unwanted, Line(0, 500).Length + 1, Line(0, 500).Length + unwanted.Length + 2, PositionFlags.Again);
        foreach (SinkOptions options in _databases)
        {
            await RunAsync(options);
            Assert.Equal(1L, await SinkScene.CountAsync(options));
            await CleanAsync(options);
            await SinkScene.ScalarAsync(options, "DELETE FROM web_log_rows WHERE log_offset = 0");
            VerifyReport report = await SinkScene.VerifyAsync(options);
            Assert.Equal((FindingSide.TableMissing, 0L), report.Findings.Select(finding => (finding.Side, finding.LogOffset)).Single());
        }
    }

    [Theory]
    [InlineData("ndjson", "gzip", "{topic}/{partition}")]
    [InlineData("csv", "none", "all")]
    [InlineData("parquet", "zstd", "all")]
    public async Task Files_have_what_where_names_and_a_changed_one_holds_from_its_first_offset_on(string format, string compress, string path)
    {
        SinkOptions options = _scene.Files(format, compress, path) with { Parser = "combined" };
        await SendAsync(30);
        await _scene.RunFilesAsync(Where(options, "status>=500"));
        Assert.Equal(10L, (await CleanAsync(Where(options, "status>=500"))).Outputs.Sum(output => output.Lines));
        await SendAsync(30);
        await _scene.RunFilesAsync(Where(options, "not status>=500"));
        VerifyReport report = await CleanAsync(Where(options, "not status>=500"));
        Assert.Equal(30L, report.Outputs.Sum(output => output.Lines));
        Assert.Contains("30 records are left out by the sink's where", report.Notes);
        await _scene.RunFilesAsync(options);
        Assert.Equal(30L, (await CleanAsync(options)).Outputs.Sum(output => output.Lines));
    }

    [Fact]
    public async Task Parts_of_a_cut_line_are_stored_whatever_where_says()
    {
        string begin = Line(0, 200);
        await _scene.SendAsync(0, begin, 0, 150, PositionFlags.None, part: 1, lineBegin: 0);
        await _scene.SendAsync(0, "its end", 150, 158, PositionFlags.None, part: 2, lineBegin: 0);
        await _scene.SendAsync(0, begin, 158, 158 + begin.Length + 1, PositionFlags.None);
        foreach (SinkOptions options in _databases)
        {
            await RunAsync(Where(options, "status>=500"));
            Assert.Equal(2L, await SinkScene.CountAsync(options));
            await CleanAsync(Where(options, "status>=500"));
        }
    }

    [Fact]
    public async Task A_filter_that_was_changed_before_there_was_a_log_made_no_row()
    {
        foreach (SinkOptions options in _databases)
        {
            await using ISinkStore store = SinkStores.Create(Where(options, "status>=500"), new OsFileSystem(), TimeProvider.System, new Random(1));
            await store.OpenAsync(default);
        }
        await SendAsync(6);
        foreach (SinkOptions options in _databases)
        {
            await RunAsync(Where(options, "status:200"));
            Assert.Equal(4L, await SinkScene.CountAsync(options));
            await CleanAsync(Where(options, "status:200"));
            Assert.Equal("status>=500 status:200", await VersionsAsync(options));
        }
    }

    [Fact]
    public async Task A_user_who_may_not_note_versions_is_told_how_and_may_verify()
    {
        SinkOptions options = _databases[1];
        await SendAsync(6);
        await RunAsync(options);
        await SinkScene.ScalarAsync(options, """
            ALTER TABLE logpipe_table_versions DROP row_filter, DROP starts; CREATE ROLE noter LOGIN;
            GRANT ALL ON ALL TABLES IN SCHEMA public TO noter; GRANT ALL ON SCHEMA public TO noter
            """);
        SinkOptions limited = options with { Postgres = options.Postgres! with { Connection = new NpgsqlConnectionStringBuilder(options.Postgres.Connection) { Username = "noter" }.ToString() } };
        StoreRefusedException refused = await Assert.ThrowsAsync<StoreRefusedException>(() => RunAsync(Where(limited, "status>=500")));
        Assert.Contains("its owner must run ALTER TABLE logpipe_table_versions ADD row_filter text, ADD starts text", refused.Message, StringComparison.Ordinal);
        await CleanAsync(limited);
        await SinkScene.ScalarAsync(options, "REVOKE ALL ON logpipe_table_versions FROM noter");
        Assert.Contains((await CleanAsync(limited)).Notes, note => note.StartsWith("the user may not read logpipe_table_versions", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("time>1h", "`1h` is another time whenever it is asked")]
    [InlineData("time:today", "`today` is another time whenever it is asked")]
    [InlineData("topic:web_log", "topic is no field of a line")]
    [InlineData("not (status:200 or partition>3)", "partition is no field of a line")]
    [InlineData("statsu>=500", "did you mean status?")]
    [InlineData("  ", "where is empty")]
    public void A_filter_that_cannot_be_is_refused_with_what_to_write(string where, string told)
    {
        SinkConfigurationException error = Assert.Throws<SinkConfigurationException>(Where(_databases[0], where).Validate);
        Assert.Contains(told, error.Message, StringComparison.Ordinal);
        Assert.StartsWith("sink web_log: where", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_day_is_the_same_whenever_it_is_read() => Where(_databases[0], "time>=2026-11-21 and not path:*.png").Validate();
}
