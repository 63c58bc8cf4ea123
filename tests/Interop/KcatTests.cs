namespace LogPipeline.Interop;

/// <summary>librdkafka's command line.</summary>
public sealed class KcatTests(BrokerFixture broker) : IClassFixture<BrokerFixture>
{
    [RequiresFact("kcat")]
    public async Task Lists_the_broker_and_a_topics_partitions()
    {
        await KcatAsync("hello\n", "-P", "-t", "listed");
        string listed = await KcatAsync(null, "-L");
        Assert.Contains($"at {broker.Address}", listed, StringComparison.Ordinal);
        Assert.Matches("partition 0, leader 1, replicas: 1, isrs: 1", listed);
    }

    [RequiresFact("kcat")]
    public async Task Records_go_in_and_come_out_in_order_with_keys_and_headers()
    {
        await KcatAsync("k1:first\nk2:second\n", "-P", "-t", "ordered", "-K", ":", "-H", "host=a");
        string read = await KcatAsync(null, "-C", "-e", "-q", "-t", "ordered", "-o", "beginning", "-f", "%o %k %s %h\\n");
        Assert.Equal("0 k1 first host=a\n1 k2 second host=a\n", read);
    }

    [RequiresFact("kcat")]
    public async Task Compressed_records_come_out_whole()
    {
        string lines = string.Concat(Enumerable.Range(0, 5000).Select(i => $"compressed line {i}\n"));
        foreach (string codec in new[] { "none", "gzip", "snappy", "lz4", "zstd" })
        {
            await KcatAsync(lines, "-P", "-t", $"codec_{codec}", "-z", codec);
            Assert.Equal(lines, await KcatAsync(null, "-C", "-e", "-q", "-t", $"codec_{codec}", "-o", "beginning"));
        }
    }

    /// <summary>librdkafka, told that the broker is an old one, speaks Produce 0 to 2, Fetch 0 to 3 and message formats 0 and 1.</summary>
    [RequiresFact("kcat")]
    public async Task Old_and_new_clients_read_what_the_other_wrote_in_every_codec()
    {
        string lines = string.Concat(Enumerable.Range(0, 3000).Select(i => $"line of a client {i}\n"));
        foreach (string version in new[] { "0.8.2", "0.9.0", "0.10.0" })
        {
            string[] old = ["-X", "api.version.request=false", "-X", $"broker.version.fallback={version}"];
            foreach (string codec in new[] { "none", "gzip", "snappy", "lz4" })
            {
                string topic = $"old_{version.Replace('.', '-')}_{codec}";
                await KcatAsync(lines, ["-P", "-t", topic, "-z", codec, .. old]);
                await KcatAsync(lines, "-P", "-t", topic, "-z", codec, "-H", "dropped=for old clients");
                Assert.Equal(lines + lines, await KcatAsync(null, "-C", "-e", "-q", "-t", topic, "-o", "beginning"));
                Assert.Equal(lines + lines, await KcatAsync(null, ["-C", "-e", "-q", "-t", topic, "-o", "beginning", .. old]));
                Assert.EndsWith("line of a client 2999\n", await KcatAsync(null, ["-C", "-e", "-q", "-t", topic, "-o", "4500", .. old]), StringComparison.Ordinal);
            }
        }
    }

    [RequiresFact("kcat")]
    public async Task A_group_reads_once_and_a_time_finds_its_offset()
    {
        await KcatAsync("one\ntwo\nthree\n", "-P", "-t", "grouped");
        Assert.Equal("one\ntwo\nthree\n", await GroupAsync());
        await KcatAsync("four\n", "-P", "-t", "grouped");
        Assert.Equal("four\n", await GroupAsync());
        Assert.Contains("offset 0", await KcatAsync(null, "-Q", "-t", "grouped:0:1"), StringComparison.Ordinal);

        Task<string> GroupAsync() => KcatAsync(null, "-q", "-e", "-X", "auto.offset.reset=earliest", "-G", "readers", "grouped");
    }

    private Task<string> KcatAsync(string? input, params string[] arguments) =>
        ForeignProgram.RunAsync("kcat", ["-b", broker.Address, .. arguments], input);
}
