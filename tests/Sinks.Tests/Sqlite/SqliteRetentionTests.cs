using System.Globalization;
using LogPipeline.Sinks.Events;
using LogPipeline.Sinks.Verification;

namespace LogPipeline.Sinks.Tests.Sqlite;

public sealed class SqliteRetentionTests
{
    private static readonly DateTimeOffset Today = new(DateTimeOffset.UtcNow.UtcDateTime.Date, TimeSpan.Zero);

    private static string Line(DateTimeOffset time, int n) => string.Create(CultureInfo.InvariantCulture,
        $"10.0.0.1 - - [{time.ToString("dd'/'MMM'/'yyyy:HH:mm:ss +0000", CultureInfo.InvariantCulture)}] \"GET /{n} HTTP/1.1\" 200 7 \"-\" \"\u00e4-\"");

    [Fact]
    public async Task Old_days_go_with_exact_totals_and_verify_agrees()
    {
        await using SinkScene scene = await SinkScene.StartAsync();
        SinkOptions options = scene.Sqlite();
        await scene.SendAsync(0, Enumerable.Range(0, 5000).Select(i => Line(i % 3 == 0 ? Today.AddDays(-70).AddSeconds(i) : Today, i)));
        await scene.SendAsync(1, [Line(Today.AddDays(-30).AddSeconds(-1), 1), Line(Today.AddDays(-30), 2), Line(DateTimeOffset.UnixEpoch, 3)]);
        await SinkScene.RunAsync(options, 5003);
        var events = new RecordedEvents();
        SinkOptions kept = options with { Sqlite = options.Sqlite! with { Retention = TimeSpan.FromDays(30), Indexes = ["status", "path"] } };
        await SinkScene.RunAsync(kept, () => Task.FromResult((long)events.All.OfType<RowsExpired>().Count()), 1, events: events);

        Assert.Equal(5003L - 1667 - 1, await SinkScene.CountAsync(options));
        Assert.Equal(1668L, events.All.OfType<RowsExpired>().Single().Part.Rows);
        VerifyReport report = await SinkScene.VerifyAsync(kept);
        Assert.Empty(report.Findings);
        Assert.Contains(report.Notes, note => note.Contains("retention took 1667 rows", StringComparison.Ordinal) && note.Contains("are those of the topic's records", StringComparison.Ordinal));
        Assert.Contains(report.Notes, note => note.Contains("retention took 1 rows", StringComparison.Ordinal));
        Assert.Contains("USING INDEX web_log_x", (string)(await PlanAsync(options))!, StringComparison.Ordinal);

        // A row that a person deletes is missing all the same.
        await SinkScene.ScalarAsync(options, "DELETE FROM web_log_rows WHERE log_offset = 1 AND log = (SELECT id FROM logpipe_logs WHERE partition = 0)");
        Finding missing = Assert.Single((await SinkScene.VerifyAsync(options)).Findings);
        Assert.Equal((FindingSide.TableMissing, 1L), (missing.Side, missing.LogOffset));
    }

    private static async Task<object?> PlanAsync(SinkOptions options)
    {
        await using var connection = new Microsoft.Data.Sqlite.SqliteConnection($"Data Source={options.Sqlite!.File}");
        await connection.OpenAsync();
        await using Microsoft.Data.Sqlite.SqliteCommand command = connection.CreateCommand();
        command.CommandText = "EXPLAIN QUERY PLAN SELECT * FROM web_log_rows WHERE path = '/7'";
        await using Microsoft.Data.Sqlite.SqliteDataReader reader = await command.ExecuteReaderAsync();
        await reader.ReadAsync();
        return reader.GetString(3);
    }
}
