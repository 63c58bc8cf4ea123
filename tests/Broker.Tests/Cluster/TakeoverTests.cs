using System.Text;
using LogPipeline.Broker.Cluster;
using LogPipeline.Broker.Cluster.Records;
using LogPipeline.Broker.Tests.Harness;
using LogPipeline.Files;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;
using LogPipeline.Protocol.Records;
using LogPipeline.Testing.Files;
using LogPipeline.Testing.Time;

namespace LogPipeline.Broker.Tests.Cluster;

/// <summary>A data directory of the version before, with topics.json and broker-settings.json and without a metadata log, is taken over whatever crashes.</summary>
public sealed class TakeoverTests
{
    private const string Cluster = "AAAAAAAAAAAAAAAAAAAAAQ";
    private const string Kept = "00112233-4455-4677-8899-aabbccddeeff";
    private const string Doomed = "10112233-4455-4677-8899-aabbccddeeff";

    private readonly ManualTime _time = new();

    [Fact]
    public async Task Cluster_id_topic_ids_settings_records_and_epochs_stay()
    {
        MemoryDisk disk = OldDirectory();
        using BrokerCore core = Start(disk);
        await RequireAsync(core);
        Assert.False(new MemoryFileSystem(disk).FileExists("/data/topics.json"));
        Assert.False(new MemoryFileSystem(disk).FileExists("/data/broker-settings.json"));
    }

    [Fact]
    public void Broker_settings_that_were_changed_in_the_file_after_the_metadata_log_began_are_taken_over_too()
    {
        MemoryDisk disk = OldDirectory();
        Start(disk).Dispose();
        Write(disk, "/data/broker-settings.json", """{ "version": 0, "cluster": {}, "broker": { "log.retention.ms": "5000" } }""");
        Start(disk).Dispose();
        using BrokerCore core = Start(disk);
        Assert.Equal("5000", core.Settings.Value("log.retention.ms"));
        Assert.NotEqual("2000000", core.Settings.Value("message.max.bytes"));
    }

    [Fact]
    public async Task A_crash_at_any_call_of_the_takeover_is_made_good_by_the_next_start()
    {
        bool isOver = false;
        for (int call = 0; !isOver; call++)
        {
            foreach (bool power in (bool[])[false, true])
            {
                MemoryDisk disk = OldDirectory();
                var files = new MemoryFileSystem(disk);
                int left = call;
                files.Before = _ =>
                {
                    if (left-- == 0)
                    {
                        files.Kill();
                    }
                };
                try
                {
                    Start(disk, files);
                }
                catch (ObjectDisposedException)
                {
                }
                isOver = files.IsAlive;
                files.Kill();
                if (power)
                {
                    disk.LosePower(new Random(call));
                }
                using BrokerCore core = Start(disk);
                await RequireAsync(core);
            }
        }
    }

    [Theory]
    [InlineData("version=3\ncluster.id=AAAAAAAAAAAAAAAAAAAAAQ\nnode=1\n", "version 3")]
    [InlineData("version=2\ncluster.id=AAAAAAAAAAAAAAAAAAAAAQ\nnode=2\n", "node 2")]
    public void A_directory_of_a_version_or_node_that_is_not_ours_is_refused_in_one_line(string properties, string said)
    {
        MemoryDisk disk = OldDirectory();
        Write(disk, "/data/meta.properties", properties);
        BrokerStartException refusal = Assert.Throws<BrokerStartException>(() => Start(disk));
        Assert.Contains(said, refusal.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', refusal.Message);
        Assert.True(new MemoryFileSystem(disk).FileExists("/data/topics.json"));
    }

    [Fact]
    public void The_version_is_raised_so_that_the_program_before_finds_no_node_id_and_a_line_says_why()
    {
        MemoryDisk disk = OldDirectory();
        using BrokerCore core = Start(disk);
        string properties = Encoding.UTF8.GetString(AtomicFile.ReadAll(new MemoryFileSystem(disk), "/data/meta.properties")!);
        Assert.StartsWith("version=2\n", properties, StringComparison.Ordinal);
        string[] others = [.. properties.Split('\n').Where(line => !line.StartsWith('#'))];
        Assert.DoesNotContain(others, line => line.Contains("node.id", StringComparison.Ordinal));
        Assert.DoesNotContain(others, line => line.Contains("broker.id", StringComparison.Ordinal));
        Assert.Contains("\n# A program that finds no node.id or broker.id here is too old", properties, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("metadata.version", 8)]
    [InlineData("metadata.version", 0)]
    [InlineData("group.version", 1)]
    public void A_metadata_log_that_uses_a_feature_at_a_level_not_known_here_is_refused_with_its_place(string feature, short level)
    {
        string said = RefusalOf(MetadataBatch.Of([new FeatureLevelRecord { Name = feature, FeatureLevel = level }], 0));
        Assert.Contains($"feature {feature} at level {level} is not known here", said, StringComparison.Ordinal);
    }

    [Fact]
    public void A_metadata_batch_whose_records_are_not_what_its_header_says_is_refused_with_its_place()
    {
        byte[] batch = MetadataBatch.Of([new TopicRecord { Name = "t", TopicId = Guid.Parse(Kept) }], 0);
        batch[^1] = 1; // one header is told and none follows
        RecordBatch.Seal(batch);
        RefusalOf(batch);
    }

    private string RefusalOf(byte[] metadata)
    {
        var disk = new MemoryDisk(_time);
        new MemoryFileSystem(disk).CreateDirectory("/data");
        Write(disk, "/data/meta.properties", $"version=2\ncluster.id={Cluster}\nnode=1\n");
        RecordBatch.Stamp(metadata, 0, 7);
        Log(disk, "__cluster_metadata-0", "AAAAAAAAAAAAAAAAAAAAAQ", metadata);
        string said = Assert.Throws<BrokerStartException>(() => Start(disk)).Message;
        Assert.StartsWith("/data/__cluster_metadata-0, batch at offset 0: ", said, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', said);
        return said;
    }

    private static async Task RequireAsync(BrokerCore core)
    {
        Assert.Equal(Cluster, core.ClusterId);
        var client = new TestClient(core, new ManualTime());
        MetadataResponse all = await client.SendAsync<MetadataRequest, MetadataResponse>(new MetadataRequest { Topics = null });
        MetadataResponse.Topic topic = Assert.Single(all.Topics);
        Assert.Equal(("web_log", Guid.Parse(Kept), 2), (topic.Name, topic.TopicId, topic.Partitions.Count));
        Assert.All(topic.Partitions, partition => Assert.InRange(partition.LeaderEpoch, 8, 9)); // 7 was the last one; a crash may cost one
        DescribeConfigsResponse configs = await client.SendAsync<DescribeConfigsRequest, DescribeConfigsResponse>(
            new() { Resources = [new() { ResourceType = 2, ResourceName = "web_log", ConfigurationKeys = ["retention.ms"] }] });
        Assert.Equal("3600000", configs.Results[0].Configs[0].Value);
        Assert.Equal(("2000000", "7200000"), (core.Settings.Value("message.max.bytes"), core.Settings.Value("log.retention.ms")));
        FetchResponse fetched = await client.FetchAsync(Ask.Fetch("web_log", 0, partition: 1));
        Assert.Equal([0L], fetched.Responses[0].Partitions[0].BaseOffsets());
        Assert.Equal(3, (await client.ProduceAsync("web_log", Ask.Batch(1), 1)).BaseOffset);
        Assert.Equal(ErrorCode.UnknownTopicOrPartition, (await client.MetadataAsync("gone")).ErrorCode);
    }

    private BrokerCore Start(MemoryDisk disk, MemoryFileSystem? files = null) => BrokerCore.Open(
        new BrokerOptions { DataDirectory = "/data" }, files ?? new MemoryFileSystem(disk), _time, new Random(1));

    // As version 0.1 leaves it: web_log with two partitions, three records in the second one, and a deletion cut short.
    private MemoryDisk OldDirectory()
    {
        var disk = new MemoryDisk(_time);
        new MemoryFileSystem(disk).CreateDirectory("/data");
        Write(disk, "/data/meta.properties", $"version=1\ncluster.id={Cluster}\ndirectory.id=AAAAAAAAAAAAAAAAAAAAAg\nnode.id=1\n");
        Write(disk, "/data/broker.checkpoint", "version=1\nleader.epoch=7\nproducer.id.end=2000\n");
        Write(disk, "/data/topics.json", $$"""
            { "version": 0, "topics": [
              { "name": "web_log", "id": "{{Kept}}", "partitions": 2, "deleting": false, "settings": { "retention.ms": "3600000" } },
              { "name": "gone", "id": "{{Doomed}}", "partitions": 1, "deleting": true, "settings": {} } ] }
            """);
        Write(disk, "/data/broker-settings.json", """
            { "version": 0, "cluster": { "message.max.bytes": "2000000" }, "broker": { "log.retention.ms": "7200000" } }
            """);
        byte[] batch = Ask.Batch(3);
        RecordBatch.Stamp(batch, 0, 7);
        Log(disk, "web_log-0", "ABEiM0RVRneImaq7zN3u_w", []);
        Log(disk, "web_log-1", "ABEiM0RVRneImaq7zN3u_w", batch);
        Log(disk, "gone-0", "EBEiM0RVRneImaq7zN3u_w", batch);
        return disk;
    }

    private static void Log(MemoryDisk disk, string name, string topicId, byte[] batches)
    {
        new MemoryFileSystem(disk).CreateDirectory("/data/" + name);
        Write(disk, $"/data/{name}/partition.metadata", $"version: 0\ntopic_id: {topicId}\n");
        AtomicFile.Replace(new MemoryFileSystem(disk), $"/data/{name}/00000000000000000000.log", batches);
    }

    private static void Write(MemoryDisk disk, string path, string text) =>
        AtomicFile.Replace(new MemoryFileSystem(disk), path, Encoding.UTF8.GetBytes(text));
}
