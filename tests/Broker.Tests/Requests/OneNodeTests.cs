using LogPipeline.Broker.Tests.Harness;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;

namespace LogPipeline.Broker.Tests.Requests;

/// <summary>Requests that concern a cluster, as one node answers them.</summary>
public sealed class OneNodeTests
{
    [Fact]
    public async Task The_quorum_is_this_node()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreatedAsync("t");
        DescribeQuorumResponse told = await client.SendAsync<DescribeQuorumRequest, DescribeQuorumResponse>(
            new() { Topics = [new() { TopicName = "__cluster_metadata", Partitions = [new()] }] });
        DescribeQuorumResponse.Topic.Partition partition = Assert.Single(Assert.Single(told.Topics).Partitions);
        Assert.Equal((ErrorCode.None, 1), (partition.ErrorCode, partition.LeaderId));
        DescribeQuorumResponse.Topic.Partition.Replica voter = Assert.Single(partition.CurrentVoters);
        Assert.Equal((1, partition.HighWatermark), (voter.ReplicaId, voter.LogEndOffset));
        Assert.InRange(partition.HighWatermark, 1, long.MaxValue);
        Assert.Empty(partition.Observers);
        DescribeQuorumResponse.Node.Listener listener = Assert.Single(Assert.Single(told.Nodes).Listeners);
        Assert.Equal(("192.0.2.7", (ushort)19092), (listener.Host, listener.Port));
    }

    [Fact]
    public async Task Another_log_has_no_quorum()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreatedAsync("t");
        DescribeQuorumResponse told = await client.SendAsync<DescribeQuorumRequest, DescribeQuorumResponse>(
            new() { Topics = [new() { TopicName = "t", Partitions = [new()] }] });
        Assert.Equal(ErrorCode.UnknownTopicOrPartition, told.Topics[0].Partitions[0].ErrorCode);
    }

    [Fact]
    public async Task Nothing_is_to_be_elected()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreatedAsync("t", 2);
        ElectLeadersResponse told = await client.SendAsync<ElectLeadersRequest, ElectLeadersResponse>(
            new() { TopicPartitions = [new() { Topic = "t", Partitions = [0, 7] }, new() { Topic = "nowhere", Partitions = [0] }] });
        Assert.Equal(ErrorCode.None, told.ErrorCode);
        Assert.Equal(
            [ErrorCode.ElectionNotNeeded, ErrorCode.UnknownTopicOrPartition, ErrorCode.UnknownTopicOrPartition],
            told.ReplicaElectionResults.SelectMany(topic => topic.PartitionResults).Select(partition => partition.ErrorCode));
        ElectLeadersResponse all = await client.SendAsync<ElectLeadersRequest, ElectLeadersResponse>(new() { TopicPartitions = null });
        Assert.Equal((ErrorCode.None, 0), (all.ErrorCode, Assert.Single(all.ReplicaElectionResults).PartitionResults.Count));
        Assert.Equal(ErrorCode.InvalidRequest, (await client.SendAsync<ElectLeadersRequest, ElectLeadersResponse>(new() { ElectionType = 9 })).ErrorCode);
    }

    [Fact]
    public async Task A_partition_whose_log_is_not_open_has_no_leader_to_elect()
    {
        await using var broker = new TestBroker();
        await broker.Connect().CreatedAsync("t", 2);
        broker.Files.DeleteDirectory("/data/t-1");
        broker.Files.FlushDirectory("/data");
        broker.Crash();
        Assert.Equal(ErrorCode.PreferredLeaderNotAvailable, await ElectAsync(broker.Connect(), type: 0));
        Assert.Equal(ErrorCode.EligibleLeadersNotAvailable, await ElectAsync(broker.Connect(), type: 1));
    }

    [Fact]
    public async Task A_partition_can_be_moved_to_where_it_is_and_nowhere_else()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreatedAsync("t", 5);
        AlterPartitionReassignmentsResponse told = await client.SendAsync<AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse>(
            new()
            {
                Topics =
                [
                    new()
                    {
                        Name = "t",
                        Partitions =
                        [
                            new() { PartitionIndex = 0, Replicas = [1] }, new() { PartitionIndex = 1, Replicas = [2] }, new() { PartitionIndex = 2, Replicas = [] },
                            new() { PartitionIndex = 3, Replicas = [1, 1] }, new() { PartitionIndex = 4, Replicas = null }, new() { PartitionIndex = 5, Replicas = [1] },
                        ],
                    },
                ],
            });
        Assert.Equal(
            [
                ErrorCode.None, ErrorCode.InvalidReplicaAssignment, ErrorCode.InvalidReplicaAssignment,
                ErrorCode.InvalidReplicaAssignment, ErrorCode.NoReassignmentInProgress, ErrorCode.UnknownTopicOrPartition,
            ],
            told.Responses[0].Partitions.Select(partition => partition.ErrorCode));
        ListPartitionReassignmentsResponse listed = await client.SendAsync<ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse>(
            new() { Topics = [new() { Name = "t", PartitionIndexes = [0] }] });
        Assert.Equal((ErrorCode.None, 0), (listed.ErrorCode, listed.Topics.Count));
    }

    [Theory]
    [InlineData("metadata.version", 7, ErrorCode.None)]
    [InlineData("metadata.version", 8, ErrorCode.InvalidUpdateVersion)]
    [InlineData("group.version", 1, ErrorCode.InvalidUpdateVersion)]
    public async Task A_feature_stays_at_its_level(string feature, short level, ErrorCode error)
    {
        await using var broker = new TestBroker();
        var request = new UpdateFeaturesRequest { FeatureUpdates = [new() { Feature = feature, MaxVersionLevel = level }] };
        UpdateFeaturesResponse one = await broker.Connect().SendAsync<UpdateFeaturesRequest, UpdateFeaturesResponse>(request);
        Assert.Equal((error, error != ErrorCode.None), (one.ErrorCode, one.ErrorMessage is not null));
        UpdateFeaturesResponse each = await broker.Connect().SendAsync<UpdateFeaturesRequest, UpdateFeaturesResponse>(request, 1);
        Assert.Equal((error, error == ErrorCode.None ? 1 : 0), (each.ErrorCode, each.Results.Count));
    }

    [Fact]
    public async Task Topics_and_brokers_have_settings()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreatedAsync("t");
        Assert.Equal(["2 t", "4 1", "8 1"], await ListAsync(client, []));
        Assert.Equal(["2 t"], await ListAsync(client, [2, 32]));
        Assert.Equal(
            ErrorCode.UnsupportedVersion,
            (await client.SendAsync<ListConfigResourcesRequest, ListConfigResourcesResponse>(new() { ResourceTypes = [77] })).ErrorCode);
        Assert.Empty((await client.SendAsync<ListConfigResourcesRequest, ListConfigResourcesResponse>(new(), 0)).ConfigResources);
    }

    [Theory]
    [InlineData("1", ErrorCode.None)]
    [InlineData("7", ErrorCode.InvalidRequest)]
    public async Task The_brokers_loggers_have_no_levels_of_their_own(string broker, ErrorCode error)
    {
        await using var one = new TestBroker();
        DescribeConfigsResponse told = await one.Connect().SendAsync<DescribeConfigsRequest, DescribeConfigsResponse>(
            new() { Resources = [new() { ResourceType = 8, ResourceName = broker, ConfigurationKeys = null }] });
        Assert.Equal((error, 0), (told.Results[0].ErrorCode, told.Results[0].Configs.Count));
    }

    /// <summary>Asks for all partitions; what went wrong with the only one that is told.</summary>
    private static async Task<ErrorCode> ElectAsync(TestClient client, sbyte type)
    {
        ElectLeadersResponse told = await client.SendAsync<ElectLeadersRequest, ElectLeadersResponse>(new() { ElectionType = type, TopicPartitions = null });
        return Assert.Single(Assert.Single(told.ReplicaElectionResults).PartitionResults).ErrorCode;
    }

    private static async Task<List<string>> ListAsync(TestClient client, List<sbyte> types)
    {
        ListConfigResourcesResponse told = await client.SendAsync<ListConfigResourcesRequest, ListConfigResourcesResponse>(new() { ResourceTypes = types });
        Assert.Equal(ErrorCode.None, told.ErrorCode);
        return told.ConfigResources.ConvertAll(resource => $"{resource.ResourceType} {resource.ResourceName}");
    }
}
