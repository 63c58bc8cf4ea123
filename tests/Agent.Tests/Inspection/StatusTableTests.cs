using LogPipeline.Agent.Inspection;
using LogPipeline.Contract.Reports;

namespace LogPipeline.Agent.Tests.Inspection;

/// <summary>The table of files on screens of 80 columns and of 160.</summary>
public sealed class StatusTableTests
{
    private static readonly AgentReport Report = new()
    {
        AgentId = "2f3a1c50-0000-0000-0000-000000000001",
        Host = "web1",
        FilesFollowed = 2,
        LagBytes = 12_345_678,
        Rate = 4_500_000,
        Problems = ["no broker can be reached since 2026-01-01 00:00:00Z: broker1.example.org:9092: Connection refused"],
        Files =
        [
            new FileReport
            {
                Path = "/var/log/containers/some-application-7d4b9c-xyz/a-rather-long-directory/access.log", Topic = "web_log", LagBytes = 12_345_678,
                LagSeconds = 125.5, Rate = 4_500_000, State = FileStates.Waiting, Reason = "its partition is not connected: broker1.example.org:9092: Connection refused",
            },
            new FileReport { Path = "/var/log/syslog", Topic = "a_topic_with_a_long_name", State = FileStates.Current },
        ],
    };

    [Fact]
    public void Eighty_columns_hold_the_end_of_each_path_and_the_begin_of_each_reason()
    {
        string[] lines = [.. StatusTable.Show(Report, isRunning: true, 80, 10)];
        Assert.All(lines, static line => Assert.True(line.Length <= 80, line));
        Assert.Equal("agent 2f3a1c50-0000-0000-0000-000000000001 on web1: 2 files, 12.3 MB behind, 4.…", lines[0]);
        Assert.StartsWith("! no broker can be reached", lines[1], StringComparison.Ordinal);
        Assert.Matches("^FILE +TOPIC +LAG +BEHIND +RATE +STATE$", lines[2]);
        Assert.Equal("…long-directory/access.log  web_log     12.3 MB   2 min  4.5 MB/s  waiting: its…", lines[3]);
        Assert.Equal("/var/log/syslog             a_topic_w…      0 B       -         -  current", lines[4]);
        Assert.Equal("and 1 more", StatusTable.Show(Report, isRunning: true, 80, 1).Last());
    }

    [Fact]
    public void More_columns_show_more()
    {
        string[] lines = [.. StatusTable.Show(Report, isRunning: false, 200, 10)];
        Assert.All(lines, static line => Assert.True(line.Length <= 200, line));
        Assert.Contains("does not answer; this is what", lines[0], StringComparison.Ordinal);
        Assert.StartsWith("/var/log/containers/some-application-7d4b9c-xyz/a-rather-long-directory/access.log", lines[3], StringComparison.Ordinal);
        Assert.Contains("waiting: its partition is not connected", lines[3], StringComparison.Ordinal);
        Assert.Equal(["agent  on : 0 files, 0 B behind, 0 B/s", "no files"], StatusTable.Show(new AgentReport(), isRunning: true, 80, 10));
    }

    [Fact]
    public void A_report_is_the_same_after_json()
    {
        AgentReport back = ReportJson.TryRead(ReportJson.Write(Report))!;
        Assert.Equal(Report.Files, back.Files);
        Assert.Equal(Report.Problems, back.Problems);
        Assert.Equal(Report with { Files = [], Problems = [], LeftOut = [] }, back with { Files = [], Problems = [], LeftOut = [] });
        Assert.Null(ReportJson.TryRead("no json"u8));
    }
}
