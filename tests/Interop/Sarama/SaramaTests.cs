using System.Text.RegularExpressions;

namespace LogPipeline.Interop.Sarama;

/// <summary>sarama 1.22 of Debian, as it comes (protocol version 0.8.2: message format 0) and with newer versions.</summary>
public sealed class SaramaTests(BrokerFixture broker, SaramaProgram sarama) : IClassFixture<BrokerFixture>, IClassFixture<SaramaProgram>
{
    [RequiresFact("go")]
    public async Task Creates_a_topic_produces_keyed_records_and_reads_them_in_a_group()
    {
        Assert.Equal("created orders\n", await sarama.RunAsync("create", broker.Address, "orders", "3"));
        Assert.Equal("acked 5000 partitions 3\n", await sarama.RunAsync("produce", broker.Address, "orders", "5000"));
        Assert.Equal("consumed 5000\n", await sarama.RunAsync("group", broker.Address, "orders", "readers", "5000"));
    }

    [RequiresFact("go")]
    public async Task As_it_comes_it_creates_a_topic_by_writing_to_it_and_reads_from_either_end()
    {
        Assert.Equal("partition 0 offset 0\npartition 0 offset 1\n", await sarama.RunAsync("sync", broker.Address, SaramaProgram.Default, "logs", "none", "first", "second"));
        Assert.Equal("ready\n0  first\n1  second\n", await sarama.RunAsync("read", broker.Address, SaramaProgram.Default, "logs", "oldest", "2"));
        await using ForeignProcess newest = sarama.Start("read", broker.Address, SaramaProgram.Default, "logs", "newest", "1");
        await newest.UntilAsync(static line => line == "ready");
        await sarama.RunAsync("sync", broker.Address, SaramaProgram.Default, "logs", "none", "third");
        Assert.Equal("2  third", await newest.UntilAsync(static line => line.StartsWith('2')));
    }

    [RequiresFact("go")]
    public async Task Every_version_reads_what_every_other_wrote_with_any_codec()
    {
        string[] all = [SaramaProgram.Default, "0.10.2.0", "0.11.0.0", "2.0.0"];
        foreach (string codec in new[] { "none", "gzip", "snappy", "lz4" })
        {
            string[] versions = codec == "lz4" ? all[1..] : all; // in format 0 sarama does not know the header checksum that lz4 has there
            var expected = new List<string>();
            foreach (string version in versions)
            {
                Assert.Equal("acked 250\n", await sarama.RunAsync("batch", broker.Address, version, $"mixed_{codec}", codec, "250"));
                int before = expected.Count;
                expected.AddRange(Enumerable.Range(0, 250).Select(i => $"{before + i} k record {i}"));
            }
            foreach (string version in versions)
            {
                string read = await sarama.RunAsync("read", broker.Address, version, $"mixed_{codec}", "oldest", $"{expected.Count}");
                Assert.Equal($"ready\n{string.Join('\n', expected)}\n", read);
            }
        }
    }

    [RequiresFact("go")]
    public async Task Records_go_to_the_partition_that_is_given_hashed_or_of_their_time()
    {
        await sarama.RunAsync("create", broker.Address, "placed", "4");
        Assert.All(await PlaceAsync("manual"), static one => Assert.Equal(2, one.Partition));
        Assert.True((await PlaceAsync("random")).Select(static one => one.Partition).Distinct().Count() > 1);
        (int Key, int Partition)[] hashed = await PlaceAsync("hash");
        Assert.True(hashed.Select(static one => one.Partition).Distinct().Count() > 1);
        Assert.All(hashed.GroupBy(static one => one.Key), static key => Assert.Single(key.Select(static one => one.Partition).Distinct()));
        Assert.All(await PlaceAsync("time"), static one => Assert.Equal((1_700_000_000 + one.Key) % 4, one.Partition));
    }

    private async Task<(int Key, int Partition)[]> PlaceAsync(string how)
    {
        string said = await sarama.RunAsync("place", broker.Address, "placed", how, "200");
        (int Key, int Partition)[] placed =
            [.. Regex.Matches(said, @"^(\d+) (\d+)$", RegexOptions.Multiline).Select(static line => (int.Parse(line.Groups[1].ValueSpan), int.Parse(line.Groups[2].ValueSpan)))];
        Assert.Equal(200, placed.Length);
        return placed;
    }
}
