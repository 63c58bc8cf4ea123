using LogPipeline.Client.Connections;
using LogPipeline.Contract;
using LogPipeline.Sinks.DeadLetters;
using LogPipeline.Sinks.Query;
using LogPipeline.Sinks.Verification;
using LogPipeline.Testing.Files;

namespace LogPipeline.Sinks.Tests;

/// <summary>What verify says of records that are in no row for a good reason.</summary>
public sealed class VerifyTests
{
    [Fact]
    public async Task Ledger_rows_that_somebody_deleted_stop_the_sink_and_verify_tells_of_the_rows()
    {
        await using SinkScene scene = await SinkScene.StartAsync();
        SinkOptions options = scene.Sqlite() with { Parser = "none" };
        await scene.SendAsync(0, ["one", "two"]);
        await SinkScene.RunAsync(options, 2);
        await SinkScene.ScalarAsync(options, "DELETE FROM logpipe_logs");
        StoreRefusedException refused = await Assert.ThrowsAsync<StoreRefusedException>(() => SinkScene.RunAsync(options, 3));
        Assert.Contains("lost its rows of topic", refused.Message, StringComparison.Ordinal);
        Assert.Equal(2L, await SinkScene.CountAsync(options));
        Finding finding = Assert.Single((await SinkScene.VerifyAsync(options)).Findings);
        Assert.StartsWith("2 rows of web_log_rows are of logs that logpipe_logs does not have", finding.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(PositionFlags.None)]
    [InlineData(PositionFlags.Again)]
    public async Task A_dead_letter_is_not_missing_even_when_it_is_sent_again(PositionFlags flags)
    {
        await using SinkScene scene = await SinkScene.StartAsync();
        SinkOptions options = scene.Sqlite() with { Parser = "none" };
        await scene.SendAsync(0, "good 1", 0, 7, PositionFlags.None);
        await SinkScene.RunAsync(options, 1);
        await SinkScene.ScalarAsync(options, """
            CREATE TRIGGER refuse BEFORE INSERT ON web_log_rows WHEN NEW.line LIKE 'poison%' BEGIN SELECT RAISE(ABORT, 'poison'); END
            """);
        await scene.SendAsync(0, "poison", 7, 14, flags);
        await scene.SendAsync(0, "poison", 7, 14, PositionFlags.Again);
        await scene.SendAsync(0, "good 2", 14, 21, PositionFlags.None);
        await SinkScene.RunAsync(options, 2);
        Assert.Equal(1L, await SinkScene.ScalarAsync(options, "SELECT count(*) FROM logpipe_dead_letters"));
        VerifyReport report = await SinkScene.VerifyAsync(options);
        Assert.Empty(report.Findings);
        Assert.Equal("web_log-0: 1 record is a dead letter, which the table refused: logpipe deadletters list web_log", Assert.Single(report.Notes));
        GenerationSummary summary = Assert.Single(report.Generations);
        Assert.Equal((2, summary.TopicHash), (summary.TopicRecords, summary.TableHash));
        await using var letters = new DeadLetterTable(options);
        await letters.DropAsync(new DeadLetterChoice(options.Name), default);
        report = await SinkScene.VerifyAsync(options);
        Assert.Empty(report.Findings);
        summary = Assert.Single(report.Generations);
        Assert.Equal((2, summary.TopicHash), (summary.TopicRecords, summary.TableHash));
    }

    [Fact]
    public async Task What_the_sink_has_not_stored_yet_is_a_note()
    {
        await using SinkScene scene = await SinkScene.StartAsync();
        SinkOptions options = scene.Sqlite() with { Parser = "none" };
        await scene.SendAsync(0, ["one", "two"]);
        Assert.Contains("2 records of web_log are not stored yet: sink web_log is at offset 0 of web_log-0, which ends at 2", (await SinkScene.VerifyAsync(scene.Files())).Notes);
        await SinkScene.RunAsync(options, 2);
        Assert.Empty((await SinkScene.VerifyAsync(options)).Notes);
        await scene.SendAsync(0, ["three"]);
        await scene.SendAsync(1, ["four", "five"]);
        VerifyReport report = await SinkScene.VerifyAsync(options);
        Assert.Equal((2, true), (report.RowsCompared, report.Passed));
        Assert.Equal("3 records of web_log are not stored yet: sink web_log is at offset 0 of web_log-1, which ends at 2, farthest behind of 2 partitions", Assert.Single(report.Notes));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Records_that_were_deleted_and_are_sent_again_are_neither_missing_nor_repeated(bool isMadeAnew)
    {
        await using SinkScene scene = await SinkScene.StartAsync();
        SinkOptions options = scene.Sqlite() with { Parser = "none" };
        await scene.SendAsync(0, ["one", "two", "three"]);
        await SinkScene.RunAsync(options, 3);
        if (isMadeAnew)
        {
            await scene.MakeTopicAnewAsync();
        }
        else
        {
            await scene.RestartBrokerAsync(static directory => SinkScene.RaiseStart(directory, 3));
        }
        await scene.SendAsync(0, "one", 0, 4, PositionFlags.Again);
        await scene.SendAsync(0, "two", 4, 8, PositionFlags.Again);
        await scene.SendAsync(0, "three", 8, 14, PositionFlags.Again);
        await scene.SendAsync(0, ["four"]);
        await SinkScene.RunAsync(options, 4);
        Assert.Equal(4L, await SinkScene.CountAsync(options));
        VerifyReport report = await SinkScene.VerifyAsync(options);
        Assert.Empty(report.Findings);
        GenerationSummary summary = Assert.Single(report.Generations);
        Assert.Equal((summary.TopicRecords, summary.TopicHash), (summary.TableRows, summary.TableHash));
        // A line that is sent to it in no other words and is in no table is missing still.
        await scene.SendAsync(0, "five", 19, 24, PositionFlags.Again);
        await SinkScene.RunAsync(options, 5);
        await SinkScene.ScalarAsync(options, "DELETE FROM web_log_rows WHERE line = 'five'; UPDATE logpipe_sources SET stored = '{[0,19)}'");
        Assert.Contains("at byte 19) is missing", Assert.Single((await SinkScene.VerifyAsync(options)).Findings).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_log_directory_that_cannot_be_read_is_a_note()
    {
        await using SinkScene scene = await SinkScene.StartAsync(Environment.MachineName, "/var/log/secret/access.log");
        SinkOptions options = scene.Sqlite() with { Parser = "none" };
        await scene.SendAsync(0, ["one", "two"]);
        await SinkScene.RunAsync(options, 2);
        var files = new MemoryFileSystem(new MemoryDisk(TimeProvider.System)) { Before = _ => throw new UnauthorizedAccessException("Access to '/var/log/secret' is denied.") };
        VerifyReport report = await new Verifier(options, new TcpConnector(), files, TimeProvider.System, new Random(4)).RunAsync(null, default);
        Assert.Empty(report.Findings);
        Assert.Contains("/var/log/secret/access.log", Assert.Single(report.Notes), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_table_that_is_gone_is_one_line()
    {
        await using SinkScene scene = await SinkScene.StartAsync();
        SinkOptions options = scene.Sqlite() with { Parser = "none" };
        await scene.SendAsync(0, ["one", "two"]);
        await SinkScene.RunAsync(options, 2);
        await SinkScene.ScalarAsync(options, "DROP VIEW web_log; DROP TABLE web_log_rows");
        QueryException error = await Assert.ThrowsAsync<QueryException>(() => SinkScene.VerifyAsync(options));
        Assert.Contains("no such table: web_log_rows", error.Message, StringComparison.Ordinal);
    }
}
