using LogPipeline.Broker.Tests.Harness;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;

namespace LogPipeline.Broker.Tests.Requests;

public sealed class TopicTests
{
    [Fact]
    public async Task Metadata_creates_a_topic_before_it_answers_and_tells_the_address_the_client_came_in_on()
    {
        await using var broker = new TestBroker(("num.partitions", "3"));
        TestClient client = broker.Connect();
        var request = new MetadataRequest { Topics = [new() { Name = "web_log" }] };
        MetadataResponse response = await client.SendAsync<MetadataRequest, MetadataResponse>(request);
        MetadataResponse.Broker node = Assert.Single(response.Brokers);
        Assert.Equal(("192.0.2.7", 19092, node.NodeId), (node.Host, node.Port, response.ControllerId));
        MetadataResponse.Topic topic = Assert.Single(response.Topics);
        Assert.Equal((ErrorCode.None, 3), (topic.ErrorCode, topic.Partitions.Count));
        Assert.NotEqual(Guid.Empty, topic.TopicId);
        Assert.All(topic.Partitions, partition => Assert.Equal([node.NodeId], partition.IsrNodes));
    }

    [Fact]
    public async Task The_configured_address_is_told_instead()
    {
        await using var broker = new TestBroker(("advertised.listeners", "PLAINTEXT://logs.example:9092"));
        MetadataResponse response = await broker.Connect().SendAsync<MetadataRequest, MetadataResponse>(new MetadataRequest { Topics = [] });
        Assert.Equal(("logs.example", 9092), (response.Brokers[0].Host, response.Brokers[0].Port));
        FindCoordinatorResponse coordinator = await broker.Connect().SendAsync<FindCoordinatorRequest, FindCoordinatorResponse>(new() { Key = "g" }, 2);
        Assert.Equal((ErrorCode.None, "logs.example"), (coordinator.ErrorCode, coordinator.Host));
    }

    [Fact]
    public async Task Metadata_does_not_create_what_it_may_not()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        Assert.Equal(ErrorCode.UnknownTopicOrPartition, (await client.MetadataAsync("t", create: false)).ErrorCode);
        Assert.Equal(ErrorCode.InvalidTopicException, (await client.MetadataAsync("no/slash", create: true)).ErrorCode);
        await using var strict = new TestBroker(("auto.create.topics.enable", "false"));
        Assert.Equal(ErrorCode.UnknownTopicOrPartition, (await strict.Connect().MetadataAsync("t", create: true)).ErrorCode);
    }

    [Theory]
    [InlineData(int.MaxValue)]
    [InlineData(10_001)]
    public async Task More_than_ten_thousand_partitions_in_one_request_are_refused_and_a_start_knows_nothing_of_them(int partitions)
    {
        await using var broker = new TestBroker();
        await broker.Connect().CreatedAsync("good");
        CreateTopicsResponse.Topic answer = await broker.Connect().CreateTopicAsync("huge", partitions);
        Assert.Equal(ErrorCode.PolicyViolation, answer.ErrorCode);
        var both = new CreateTopicsRequest
        {
            Topics = [.. new[] { "a", "b" }.Select(name => new CreateTopicsRequest.Topic { Name = name, NumPartitions = 5001, ReplicationFactor = 1 })],
        };
        CreateTopicsResponse refused = await broker.Connect().SendAsync<CreateTopicsRequest, CreateTopicsResponse>(both);
        Assert.All(refused.Topics, topic => Assert.Equal(ErrorCode.PolicyViolation, topic.ErrorCode));
        broker.Crash();
        Assert.Equal(["good"], broker.Core.Topics.All.Select(topic => topic.Name));
    }

    [Fact]
    public async Task Metadata_creates_no_more_than_one_request_may()
    {
        await using var broker = new TestBroker(("num.partitions", "5000"));
        var request = new MetadataRequest
        {
            Topics = [.. Enumerable.Range(0, 3).Select(number => new MetadataRequest.Topic { Name = $"t{number}" })],
            AllowAutoTopicCreation = true,
        };
        MetadataResponse response = await broker.Connect().SendAsync<MetadataRequest, MetadataResponse>(request, 9);
        Assert.Equal([ErrorCode.None, ErrorCode.None, ErrorCode.PolicyViolation], response.Topics.Select(topic => topic.ErrorCode));
    }

    [Fact]
    public async Task A_topic_that_needs_more_files_than_may_be_open_is_refused_with_the_number_that_fits()
    {
        await using var broker = new TestBroker();
        broker.Files.HandlesMax = 1500;
        CreateTopicsResponse.Topic answer = await broker.Connect().CreateTopicAsync("many", 600);
        Assert.Equal(ErrorCode.PolicyViolation, answer.ErrorCode);
        Assert.Contains("600 partitions need 600 file handles", answer.ErrorMessage, StringComparison.Ordinal);
        broker.Crash();
        Assert.Empty(broker.Core.Topics.All);
    }

    [Theory]
    [InlineData("t", 1, 9, ErrorCode.InvalidReplicationFactor, "replication factor")]
    [InlineData("t", 0, 1, ErrorCode.InvalidPartitions, "non-positive")]
    [InlineData("no/slash", 1, 1, ErrorCode.InvalidTopicException, "Topic name is invalid")]
    [InlineData("..", 1, 1, ErrorCode.InvalidTopicException, "not allowed")]
    [InlineData("there", 1, 1, ErrorCode.TopicAlreadyExists, "Topic 'there' already exists.")]
    public async Task CreateTopics_refuses_in_Kafkas_words(string name, int partitions, short replicas, ErrorCode error, string text)
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreatedAsync("there");
        CreateTopicsResponse.Topic answer = await client.CreateTopicAsync(name, partitions, replicas);
        Assert.Equal(error, answer.ErrorCode);
        Assert.Contains(text, answer.ErrorMessage, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("retention.ms", "soon", "Invalid value soon for configuration retention.ms: Not a number of type LONG")]
    [InlineData("no.such.key", "1", "Unknown topic config name: no.such.key")]
    [InlineData("cleanup.policy", "burn", "String must be one of")]
    [InlineData("segment.bytes", "1", "Value must be at least")]
    public async Task CreateTopics_checks_settings(string name, string value, string text)
    {
        await using var broker = new TestBroker();
        CreateTopicsResponse.Topic answer = await broker.Connect().CreateTopicAsync("t", 1, 1, (name, value));
        Assert.Equal(ErrorCode.InvalidConfig, answer.ErrorCode);
        Assert.Contains(text, answer.ErrorMessage, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Topics_their_ids_and_settings_survive_a_restart_and_a_power_cut()
    {
        await using var broker = new TestBroker();
        CreateTopicsResponse.Topic made = await broker.Connect().CreateTopicAsync("t", 2, 1, ("retention.ms", "3600000"));
        await broker.RestartAsync();
        await CheckAsync();
        broker.Crash();
        await CheckAsync();

        async Task CheckAsync()
        {
            MetadataResponse.Topic found = await broker.Connect().MetadataAsync("t", version: 12);
            Assert.Equal((ErrorCode.None, made.TopicId, 2), (found.ErrorCode, found.TopicId, found.Partitions.Count));
            DescribeConfigsResponse.Result.Config retention = await ConfigAsync(broker.Connect(), 2, "t", "retention.ms");
            Assert.Equal(("3600000", (sbyte)1), (retention.Value, retention.ConfigSource));
        }
    }

    [Fact]
    public async Task A_deleted_topic_is_gone_after_a_power_cut_and_its_name_free_for_a_new_one()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        CreateTopicsResponse.Topic made = await client.CreateTopicAsync("t");
        await client.ProduceAsync("t", Ask.Batch(3));
        DeleteTopicsResponse deleted = await client.SendAsync<DeleteTopicsRequest, DeleteTopicsResponse>(new() { Topics = [new() { Name = "t" }] });
        Assert.Equal(ErrorCode.None, deleted.Responses[0].ErrorCode);
        broker.Crash();
        client = broker.Connect();
        Assert.Equal(ErrorCode.UnknownTopicOrPartition, (await client.MetadataAsync("t")).ErrorCode);
        CreateTopicsResponse.Topic again = await client.CreateTopicAsync("t");
        Assert.NotEqual(made.TopicId, again.TopicId);
        Assert.Equal(0, (await client.ProduceAsync("t", Ask.Batch(1))).BaseOffset);
        deleted = await client.SendAsync<DeleteTopicsRequest, DeleteTopicsResponse>(new() { Topics = [new() { Name = "nowhere" }] });
        Assert.Equal(ErrorCode.UnknownTopicOrPartition, deleted.Responses[0].ErrorCode);
    }

    [Fact]
    public async Task A_disk_that_refuses_any_call_of_a_deletion_does_not_keep_the_name_for_ever()
    {
        bool wasReached = true;
        for (int call = 1; wasReached; call++)
        {
            await using var broker = new TestBroker();
            TestClient client = broker.Connect();
            CreateTopicsResponse.Topic made = await client.CreateTopicAsync("t", 2);
            await client.ProduceAsync("t", Ask.Batch(3));
            int left = call;
            broker.Files.Before = _ =>
            {
                if (--left == 0)
                {
                    throw new IOException("No space left on device");
                }
            };
            await client.SendAsync<DeleteTopicsRequest, DeleteTopicsResponse>(new() { Topics = [new() { Name = "t" }] });
            wasReached = left <= 0;
            broker.Files.Before = null;
            CreateTopicsResponse.Topic again = await client.CreateTopicAsync("t", 1);
            Assert.Equal(ErrorCode.None, again.ErrorCode);
            Assert.NotEqual(made.TopicId, again.TopicId);
            Assert.Equal(0, (await client.ProduceAsync("t", Ask.Batch(1))).BaseOffset);
            broker.Crash();
            MetadataResponse.Topic found = await broker.Connect().MetadataAsync("t", version: 12);
            Assert.Equal((again.TopicId, 1), (found.TopicId, found.Partitions.Count));
        }
    }

    [Fact]
    public async Task The_power_may_fail_at_any_call_of_a_creation_or_deletion()
    {
        for (int call = 1; call < 60; call++)
        {
            await using var broker = new TestBroker();
            int left = call;
            broker.Files.Before = _ =>
            {
                if (--left == 0)
                {
                    broker.Files.Kill();
                }
            };
            TestClient client = broker.Connect();
            try
            {
                await client.CreateTopicAsync("t", 2);
                await client.SendAsync<DeleteTopicsRequest, DeleteTopicsResponse>(new() { Topics = [new() { Name = "t" }] });
            }
            catch (System.Threading.Channels.ChannelClosedException)
            {
            }
            broker.Files.Kill();
            broker.Crash();
            MetadataResponse.Topic found = await broker.Connect().MetadataAsync("t");
            Assert.Contains((found.ErrorCode, found.Partitions.Count), new[] { (ErrorCode.None, 2), (ErrorCode.UnknownTopicOrPartition, 0) });
        }
    }

    [Fact]
    public async Task DescribeConfigs_tells_the_brokers_settings_by_Kafkas_names()
    {
        await using var broker = new TestBroker(("num.partitions", "4"));
        TestClient client = broker.Connect();
        Assert.Equal(("4", (sbyte)4), ((await ConfigAsync(client, 4, "1", "num.partitions")).Value, (await ConfigAsync(client, 4, "1", "num.partitions")).ConfigSource));
        Assert.Equal("1073741824", (await ConfigAsync(client, 4, "1", "log.segment.bytes")).Value);
        DescribeConfigsResponse other = await client.SendAsync<DescribeConfigsRequest, DescribeConfigsResponse>(
            new() { Resources = [new() { ResourceType = 4, ResourceName = "9" }, new() { ResourceType = 2, ResourceName = "nowhere" }] });
        Assert.Equal([ErrorCode.InvalidRequest, ErrorCode.UnknownTopicOrPartition], other.Results.Select(r => r.ErrorCode));
    }

    [Fact]
    public async Task DescribeCluster_names_this_broker_alone()
    {
        await using var broker = new TestBroker();
        DescribeClusterResponse response = await broker.Connect().SendAsync<DescribeClusterRequest, DescribeClusterResponse>(new());
        Assert.Equal((ErrorCode.None, broker.Core.ClusterId, 1), (response.ErrorCode, response.ClusterId, response.Brokers.Count));
        Assert.Equal(22, response.ClusterId.Length);
    }

    private static async Task<DescribeConfigsResponse.Result.Config> ConfigAsync(TestClient client, sbyte type, string name, string key)
    {
        DescribeConfigsResponse response = await client.SendAsync<DescribeConfigsRequest, DescribeConfigsResponse>(
            new() { Resources = [new() { ResourceType = type, ResourceName = name, ConfigurationKeys = [key] }] });
        Assert.Equal(ErrorCode.None, response.Results[0].ErrorCode);
        return Assert.Single(response.Results[0].Configs);
    }
}
