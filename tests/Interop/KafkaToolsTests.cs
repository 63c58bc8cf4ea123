namespace LogPipeline.Interop;

/// <summary>Apache Kafka's own command-line tools.</summary>
public sealed class KafkaToolsTests(BrokerFixture broker) : IClassFixture<BrokerFixture>
{
    [RequiresKafkaFact]
    public async Task Topics_records_groups_and_segments_are_what_Kafkas_tools_expect()
    {
        Assert.Contains("Created topic t.", await RunAsync(null, "topics", "--create", "--topic", "t", "--partitions", "1", "--config", "retention.ms=3600000"), StringComparison.Ordinal);
        Assert.Matches("Topic: t.*PartitionCount: 1.*retention.ms=3600000", await RunAsync(null, "topics", "--describe", "--topic", "t"));
        await RunAsync("one\ntwo\nthree\n", "console-producer", "--topic", "t");
        Assert.Equal("one\ntwo\nthree\n", await RunAsync(null, "console-consumer", "--topic", "t", "--group", "g", "--from-beginning", "--max-messages", "3"));
        Assert.Matches(@"g +t +0 +3 +3 +0", await RunAsync(null, "consumer-groups", "--describe", "--group", "g"));
        Assert.Contains("t:0:3", await RunAsync(null, "get-offsets", "--topic", "t"), StringComparison.Ordinal);
        string segment = Path.Combine(broker.Data, "t-0", "00000000000000000000.log");
        Assert.Contains("isvalid: true", await ForeignProgram.RunAsync(ForeignProgram.KafkaTools!, ["4.2", "dump-log", "--files", segment]), StringComparison.Ordinal);
    }

    private Task<string> RunAsync(string? input, string tool, params string[] arguments) =>
        ForeignProgram.RunAsync(ForeignProgram.KafkaTools!, ["4.2", tool, "--bootstrap-server", broker.Address, .. arguments], input);
}
