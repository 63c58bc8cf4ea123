using LogPipeline.Broker.Pipeline;
using LogPipeline.Broker.Tests.Harness;
using LogPipeline.Protocol.Messages;

namespace LogPipeline.Broker.Tests.Requests;

/// <summary>The bit fields are those that Apache Kafka 4.2 answers without an authorizer.</summary>
public sealed class AuthorizedOperationsTests
{
    private const int OnTopic = 0b1101_1111_1000;
    private const int OnGroup = 0b1101_0100_1000;
    private const int OnCluster = 0b1_1111_1010_0000;

    [Fact]
    public async Task Metadata_tells_them_when_it_is_asked()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreatedAsync("t");
        var request = new MetadataRequest
        {
            Topics = [new() { Name = "t" }, new() { Name = "nowhere" }], AllowAutoTopicCreation = false,
            IncludeClusterAuthorizedOperations = true, IncludeTopicAuthorizedOperations = true,
        };
        MetadataResponse response = await client.SendAsync<MetadataRequest, MetadataResponse>(request, 8);
        Assert.Equal(OnCluster, response.ClusterAuthorizedOperations);
        Assert.Equal([OnTopic, OnTopic], response.Topics.Select(topic => topic.TopicAuthorizedOperations));
        MetadataResponse silent = await client.SendAsync<MetadataRequest, MetadataResponse>(new() { Topics = [new() { Name = "t" }] }, 8);
        Assert.Equal((int.MinValue, int.MinValue), (silent.ClusterAuthorizedOperations, silent.Topics[0].TopicAuthorizedOperations));
    }

    [Fact]
    public async Task DescribeCluster_and_DescribeGroups_tell_them_when_they_are_asked()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreatedAsync("t");
        await client.SendAsync<OffsetCommitRequest, OffsetCommitResponse>(
            new() { GroupId = "g", Topics = [new() { Name = "t", Partitions = [new() { CommittedOffset = 0 }] }] }, 8);
        Assert.Equal(OnCluster, (await client.SendAsync<DescribeClusterRequest, DescribeClusterResponse>(
            new() { IncludeClusterAuthorizedOperations = true })).ClusterAuthorizedOperations);
        DescribeGroupsResponse groups = await client.SendAsync<DescribeGroupsRequest, DescribeGroupsResponse>(
            new() { Groups = ["g", "nowhere"], IncludeAuthorizedOperations = true });
        Assert.Equal([OnGroup, int.MinValue], groups.Groups.Select(group => group.AuthorizedOperations));
    }

    [Fact]
    public async Task What_the_authorizer_refuses_is_not_among_them()
    {
        await using var broker = new TestBroker();
        broker.Core.Pipeline.Policies = new RequestPolicies(new ReadsOnly(), Quota: null);
        TestClient client = broker.Connect();
        await client.CreatedAsync("t");
        var request = new MetadataRequest { Topics = [new() { Name = "t" }], IncludeTopicAuthorizedOperations = true };
        MetadataResponse response = await client.SendAsync<MetadataRequest, MetadataResponse>(request);
        Assert.Equal(1 << (int)Operation.Read, response.Topics[0].TopicAuthorizedOperations);
    }

    private sealed class ReadsOnly : IAuthorizer
    {
        public bool Allows(Principal principal, string clientHost, Operation operation, ResourceType type, string name) => operation == Operation.Read;
    }
}
