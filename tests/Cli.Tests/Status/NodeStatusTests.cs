using LogPipeline.Cli.Status;

namespace LogPipeline.Cli.Tests.Status;

public sealed class NodeStatusTests
{
    private static readonly DateTimeOffset Begin = DateTimeOffset.UnixEpoch;

    private static NodeSnapshot Snapshot(int second, string metrics, params (string, string)[] parts) =>
        new(Begin.AddSeconds(second), parts.All(static part => part.Item2 == "ok"), parts, MetricSample.Parse(metrics));

    private static string Text(NodeStatus status, int width = 160)
    {
        using var to = new StringWriter();
        StatusText.Write(status, to, width);
        return to.ToString().ReplaceLineEndings("\n");
    }

    [Fact]
    public void A_sample_has_its_labels_as_they_were()
    {
        MetricSample sample = Assert.Single(MetricSample.Parse("# HELP x y\n# TYPE x gauge\nx{file=\"/a \\\"b\\\"\\\\c\\nd\",topic=\"t,{1}\"} 1.5E3\nbroken{\nalso\n"));
        Assert.Equal("x", sample.Name);
        Assert.Equal("/a \"b\"\\c\nd", sample["file"]);
        Assert.Equal("t,{1}", sample["topic"]);
        Assert.Equal("", sample["other"]);
        Assert.Equal(1500, sample.Value);
    }

    [Fact]
    public void Rates_lags_and_what_is_wrong_are_shown()
    {
        (string, string)[] parts = [("broker", "ok"), ("agent", "ok"), ("sink a", "ok"), ("sink b", "the database does not answer")];
        const string Before = "logpipe_agent_acked_records_total 100\nlogpipe_sinks_rows_total{sink=\"a\"} 1000\nlogpipe_sinks_rows_total{sink=\"b\"} 7\n";
        const string Now = """
            logpipe_broker_connections{listener="x"} 2
            logpipe_broker_connections{listener="y"} 3
            logpipe_broker_received_bytes_total 3000
            logpipe_agent_acked_records_total 2100
            logpipe_agent_lag_bytes{file="/x"} 500
            logpipe_agent_files_open 1
            logpipe_sinks_rows_total{sink="a"} 1400
            logpipe_sinks_rows_total{sink="b"} 7
            logpipe_sinks_dead_letters_total{sink="b"} 3
            logpipe_sinks_lag_records{partition="0",sink="a",topic="t"} 0
            logpipe_sinks_lag_seconds{partition="0",sink="a",topic="t"} 0
            logpipe_sinks_lag_records{partition="1",sink="b",topic="t"} 1234
            logpipe_sinks_lag_seconds{partition="1",sink="b",topic="t"} 75
            logpipe_sinks_lag_seconds{partition="2",sink="b",topic="t"} 0
            """;
        var status = new NodeStatus(Snapshot(0, Before, parts), Snapshot(2, Now, parts));
        Assert.False(status.IsWell);
        Assert.Equal("""
            PART    STATE                         WORK
            broker  ok                            1.5 kB/s in, 0 B/s out, 5 connections
            agent   ok                            1,000 lines/s, 500 B behind, 1 files open
            sink a  ok                            200 rows/s, 0 records behind
            sink b  the database does not answer  0 rows/s, 1,234 records behind, the oldest 1 min, 3 dead letters since it started

            SINK  TOPIC  PARTITION  RECORDS BEHIND  OLDEST
            b     t              1            1234  1 min
            b     t              2               -  -

            """.ReplaceLineEndings("\n"), Text(status));
        string narrow = Text(status, 80);
        Assert.Contains("sink b  see below  0 rows/s, 1,234 records behind, the oldest 1 min, 3 dead letters since it started\n", narrow, StringComparison.Ordinal);
        Assert.Contains("\nsink b: the database does not answer\n", narrow, StringComparison.Ordinal);
    }

    [Fact]
    public void A_counter_that_began_anew_is_no_negative_rate()
    {
        var status = new NodeStatus(Snapshot(0, "logpipe_sinks_rows_total{sink=\"a\"} 100"), Snapshot(1, "logpipe_sinks_rows_total{sink=\"a\"} 5", ("sink a", "ok")));
        Assert.StartsWith("0 rows/s", Assert.Single(status.Parts).Work, StringComparison.Ordinal);
    }
}
