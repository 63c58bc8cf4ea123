namespace LogPipeline.Interop;

/// <summary>sarama 1.22 of Debian, protocol version V2_0_0_0.</summary>
public sealed class SaramaTests(BrokerFixture broker) : IClassFixture<BrokerFixture>
{
    [RequiresFact("go")]
    public async Task Creates_a_topic_produces_keyed_records_and_reads_them_in_a_group()
    {
        string program = Path.Combine(broker.Scratch, "sarama");
        await ForeignProgram.RunAsync(
            "go", ["build", "-o", program, Path.Combine(AppContext.BaseDirectory, "Sarama", "main.go")],
            environment: [("GO111MODULE", "off"), ("GOPATH", "/usr/share/gocode"), ("GOCACHE", Path.Combine(broker.Scratch, "gocache"))]);
        Assert.Equal("created orders\n", await ForeignProgram.RunAsync(program, ["create", broker.Address, "orders", "3"]));
        Assert.Equal("acked 5000 partitions 3\n", await ForeignProgram.RunAsync(program, ["produce", broker.Address, "orders", "5000"]));
        Assert.Equal("consumed 5000\n", await ForeignProgram.RunAsync(program, ["group", broker.Address, "orders", "readers", "5000"]));
    }
}
