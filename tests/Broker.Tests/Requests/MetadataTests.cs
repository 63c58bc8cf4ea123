using LogPipeline.Broker.Tests.Harness;
using LogPipeline.Broker.Topics;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;

namespace LogPipeline.Broker.Tests.Requests;

public sealed class MetadataTests
{
    [Fact]
    public async Task A_name_beside_a_wrong_id_finds_nothing_and_creates_nothing()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreatedAsync("t");
        var wrong = Guid.NewGuid();
        MetadataResponse response = await client.SendAsync<MetadataRequest, MetadataResponse>(
            new() { Topics = [new() { Name = "t", TopicId = wrong }, new() { Name = "new" }] }, 12);
        MetadataResponse.Topic answer = Assert.Single(response.Topics);
        Assert.Equal((ErrorCode.UnknownTopicId, null, wrong), (answer.ErrorCode, answer.Name, answer.TopicId));
        Assert.Null(broker.Core.Topics.Find("new"));
    }

    [Fact]
    public async Task A_topic_is_found_by_its_id_alone()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreatedAsync("t", 2);
        Guid id = broker.Core.Topics.Find("t")!.Id;
        MetadataResponse response = await client.SendAsync<MetadataRequest, MetadataResponse>(
            new() { Topics = [new() { TopicId = id }], AllowAutoTopicCreation = false, IncludeTopicAuthorizedOperations = true }, 12);
        MetadataResponse.Topic answer = Assert.Single(response.Topics);
        Assert.Equal((ErrorCode.None, "t", id, 2), (answer.ErrorCode, answer.Name, answer.TopicId, answer.Partitions.Count));
    }

    [Fact]
    public async Task An_id_is_refused_before_the_version_that_finds_topics_by_it()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreatedAsync("t");
        MetadataResponse response = await client.SendAsync<MetadataRequest, MetadataResponse>(
            new() { Topics = [new() { Name = "t", TopicId = broker.Core.Topics.Find("t")!.Id }, new() { Name = null }] }, 11);
        Assert.Equal([("t", ErrorCode.InvalidRequest), ("", ErrorCode.InvalidRequest)], response.Topics.Select(topic => (topic.Name, topic.ErrorCode)));
    }

    [Fact]
    public async Task Names_that_metrics_cannot_tell_apart_are_refused()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreatedAsync("a.b");
        CreateTopicsResponse.Topic refused = await client.CreateTopicAsync("a_b");
        Assert.Equal((ErrorCode.InvalidTopicException, "Topic 'a_b' collides with existing topic: a.b"), (refused.ErrorCode, refused.ErrorMessage));
        Assert.Equal(ErrorCode.InvalidTopicException, (await client.MetadataAsync("a_b", create: true)).ErrorCode);
        Assert.Equal(ErrorCode.TopicAlreadyExists, (await client.CreateTopicAsync("a.b")).ErrorCode);
        Assert.Equal(ErrorCode.None, (await client.CreateTopicAsync("a-b")).ErrorCode);
        Assert.Equal(ErrorCode.None, (await client.CreateTopicAsync("a_c")).ErrorCode);
    }

    // Two requests may have looked for a topic that collides before either has created its own.
    [Fact]
    public async Task Of_two_that_collide_one_is_created()
    {
        await using var broker = new TestBroker();
        Assert.True(broker.Core.Topics.Create("a.b", 1, new Dictionary<string, string>()).Created);
        (Topic existing, bool created) = broker.Core.Topics.Create("a_b", 1, new Dictionary<string, string>());
        Assert.Equal(("a.b", false), (existing.Name, created));
    }
}
