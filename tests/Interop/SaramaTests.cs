namespace LogPipeline.Interop;

/// <summary>sarama 1.22 of Debian: protocol version V2_0_0_0, and the older ones that it still speaks; its own default is the oldest.</summary>
public sealed class SaramaTests(BrokerFixture broker) : IClassFixture<BrokerFixture>
{
    private readonly string _program = Path.Combine(broker.Scratch, "sarama");

    [RequiresFact("go")]
    public async Task Creates_a_topic_produces_keyed_records_and_reads_them_in_a_group()
    {
        await BuildAsync();
        Assert.Equal("created orders\n", await RunAsync("create", "orders", "3"));
        Assert.Equal("acked 5000 partitions 3\n", await RunAsync("produce", "orders", "5000"));
        Assert.Equal("consumed 5000\n", await RunAsync("group", "orders", "readers", "5000"));
    }

    /// <summary>
    /// Versions before 0.10 send message format 0, those before 0.11 format 1. Format 0 with lz4 is not among them: sarama refuses the header
    /// checksum that it has there, as it refuses Apache Kafka's.
    /// </summary>
    [RequiresFact("go")]
    public async Task Old_and_new_versions_read_what_the_others_wrote_in_every_codec()
    {
        await BuildAsync();
        foreach ((string version, string codec) in ((string, string)[])[
            ("default", "none"), ("default", "gzip"), ("default", "snappy"),
            ("0.10.2.0", "none"), ("0.10.2.0", "gzip"), ("0.10.2.0", "snappy"), ("0.10.2.0", "lz4")])
        {
            string topic = $"from_{version.Replace('.', '-')}_{codec}";
            Assert.Equal("acked 500 partitions 1\n", await RunAsAsync(version, codec, "produce", topic, "500"));
            foreach (string reader in (string[])["0.10.2.0", "2.0.0", .. codec == "lz4" ? (string[])[] : ["default"]])
            {
                Assert.Equal("read 500\n", await RunAsAsync(reader, "none", "read", topic, "500"));
            }
        }
    }

    private Task<string> BuildAsync() => ForeignProgram.RunAsync(
        "go", ["build", "-o", _program, Path.Combine(AppContext.BaseDirectory, "Sarama", "main.go")],
        environment: [("GO111MODULE", "off"), ("GOPATH", "/usr/share/gocode"), ("GOCACHE", Path.Combine(broker.Scratch, "gocache"))]);

    private Task<string> RunAsync(string verb, params string[] arguments) =>
        ForeignProgram.RunAsync(_program, [verb, broker.Address, .. arguments]);

    private Task<string> RunAsAsync(string version, string codec, string verb, params string[] arguments) =>
        ForeignProgram.RunAsync(_program, [verb, broker.Address, .. arguments], environment: [("SARAMA_VERSION", version), ("SARAMA_CODEC", codec)]);
}
