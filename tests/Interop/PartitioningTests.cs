using System.Text;
using System.Text.RegularExpressions;
using LogPipeline.Client;
using LogPipeline.Client.Connections;
using LogPipeline.Client.Metadata;
using LogPipeline.Client.Producing;

namespace LogPipeline.Interop;

/// <summary>Where our producer puts records, as kcat finds them; sarama's choices are in its own tests.</summary>
public sealed partial class PartitioningTests(BrokerFixture broker) : IClassFixture<BrokerFixture>
{
    private const int Partitions = 4;
    private const int Records = 200;

    private static readonly DateTimeOffset Begin = DateTimeOffset.FromUnixTimeSeconds(1_700_000_000);

    [RequiresFact("kcat")]
    public async Task A_partition_that_is_given_counts()
    {
        Assert.All(await PlaceAsync("given", partitioner: null, partition: 2), static one => Assert.Equal(2, one.Partition));
    }

    [RequiresFact("kcat")]
    public async Task A_key_goes_where_Javas_and_librdkafkas_murmur2_put_it()
    {
        Placed[] ours = await PlaceAsync("hashed", partitioner: null);
        Assert.True(ours.Select(static one => one.Partition).Distinct().Count() > 1);
        string lines = string.Concat(Enumerable.Range(0, Records).Select(static i => $"{Key(i)}:theirs\n"));
        await KcatAsync(lines, "-P", "-t", "hashed", "-K", ":", "-X", "partitioner=murmur2_random");
        ILookup<string, int> byKey = (await ReadAsync("hashed")).ToLookup(static one => one.Key, static one => one.Partition);
        Assert.Equal(10, byKey.Count);
        Assert.All(byKey, static key =>
        {
            Assert.Equal(2 * Records / 10, key.Count());
            Assert.Single(key.Distinct());
        });
    }

    [RequiresFact("kcat")]
    public async Task A_slice_of_time_goes_to_one_partition_and_the_next_to_the_next()
    {
        Placed[] placed = await PlaceAsync("sliced", new TimeSlicePartitioner(TimeSpan.FromMinutes(1)));
        Assert.All(placed, static one => Assert.Equal(one.Timestamp / 60_000 % Partitions, one.Partition));
        Assert.Equal(Partitions, placed.Select(static one => one.Partition).Distinct().Count());
    }

    [RequiresFact("kcat")]
    public async Task Chance_uses_every_partition()
    {
        Placed[] placed = await PlaceAsync("random", new RandomPartitioner());
        Assert.Equal(Partitions, placed.Select(static one => one.Partition).Distinct().Count());
    }

    // Record i has key i % 10, and is i seconds later than the first.
    private async Task<Placed[]> PlaceAsync(string topic, IPartitioner? partitioner, int? partition = null)
    {
        await broker.CreateTopicAsync(topic, Partitions);
        await using var cluster = new ClusterClient(new ClientOptions { Bootstrap = [broker.Address] }, new TcpConnector(), TimeProvider.System, new Random(1));
        await using (var producer = new Producer(new ProducerOptions { Partitioner = partitioner }, cluster, TimeProvider.System, new Random(1)))
        {
            for (int i = 0; i < Records; i++)
            {
                var record = new ProducerRecord { Topic = topic, Partition = partition, Key = Encoding.UTF8.GetBytes(Key(i)), Value = "ours"u8.ToArray(), Timestamp = Begin.AddSeconds(i) };
                await producer.PostAsync(record, delivered: null, CancellationToken.None);
            }
        }
        Placed[] placed = await ReadAsync(topic);
        Assert.Equal(Records, placed.Length);
        return placed;
    }

    private async Task<Placed[]> ReadAsync(string topic)
    {
        string read = await KcatAsync(null, "-C", "-e", "-q", "-t", topic, "-o", "beginning", "-f", "%p %k %T\n");
        return [.. Line().Matches(read).Select(static line => new Placed(int.Parse(line.Groups[1].ValueSpan), line.Groups[2].Value, long.Parse(line.Groups[3].ValueSpan)))];
    }

    private static string Key(int i) => $"key-{i % 10}";

    private Task<string> KcatAsync(string? input, params string[] arguments) => ForeignProgram.RunAsync("kcat", ["-b", broker.Address, .. arguments], input);

    [GeneratedRegex(@"^(\d+) (\S+) (\d+)$", RegexOptions.Multiline)]
    private static partial Regex Line();

    private readonly record struct Placed(int Partition, string Key, long Timestamp);
}
