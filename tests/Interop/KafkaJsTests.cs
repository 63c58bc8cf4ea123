namespace LogPipeline.Interop;

/// <summary>kafkajs 2.2.4, installed into a scratch directory.</summary>
public sealed class KafkaJsTests(BrokerFixture broker) : IClassFixture<BrokerFixture>
{
    [RequiresFact("node", "npm")]
    public async Task Creates_a_topic_produces_gzip_and_reads_it_in_a_group()
    {
        File.Copy(Path.Combine(AppContext.BaseDirectory, "KafkaJs", "client.js"), Path.Combine(broker.Scratch, "client.js"));
        await ForeignProgram.RunAsync("npm", ["install", "--silent", "--no-audit", "--no-fund", "--prefix", broker.Scratch, "kafkajs@2.2.4"], directory: broker.Scratch);
        Assert.Equal("created users partitions 2\n", await RunAsync("create", "2"));
        Assert.Equal("acked 500 errors 0\n", await RunAsync("produce", "500"));
        Assert.Equal("consumed 500\n", await RunAsync("group", "readers", "500"));
    }

    private Task<string> RunAsync(string verb, params string[] rest) =>
        ForeignProgram.RunAsync("node", ["client.js", verb, broker.Address, "users", .. rest], directory: broker.Scratch);
}
