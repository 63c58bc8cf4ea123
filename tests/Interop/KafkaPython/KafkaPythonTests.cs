namespace LogPipeline.Interop.KafkaPython;

/// <summary>kafka-python 2.0 of Debian, which finds out the broker's version by trying, and speaks that of old brokers when told to.</summary>
public sealed class KafkaPythonTests(BrokerFixture broker) : IClassFixture<BrokerFixture>
{
    private const string Python = "/usr/bin/python3"; // Debian's, which has Debian's packages
    private const string Package = "/usr/lib/python3/dist-packages/kafka/__init__.py";
    private const string Auto = "auto";

    [RequiresFact(Python, Package)]
    public async Task A_group_reads_what_clients_of_each_version_wrote()
    {
        string[] versions = [Auto, "0.9", "0.10", "0.11"];
        int written = 0;
        foreach (string version in versions)
        {
            foreach (string codec in new[] { "none", "gzip" })
            {
                Assert.Equal("acked 200\n", await RunAsync("produce", version, codec, "200"));
                written += 200;
            }
        }
        foreach (string version in versions)
        {
            Assert.Equal($"consumed {written} distinct 200\n", await RunAsync("group", version, $"readers-{version}", $"{written}"));
        }
    }

    private static string Client => Path.Combine(AppContext.BaseDirectory, "KafkaPython", "client.py");

    private Task<string> RunAsync(string verb, string version, params string[] rest) =>
        ForeignProgram.RunAsync(Python, [Client, verb, broker.Address, version, "python", .. rest]);
}
