using LogPipeline.Broker.Tests.Harness;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;

namespace LogPipeline.Broker.Tests.Requests;

public sealed class DeleteTopicsTests
{
    [Fact]
    public async Task What_is_named_twice_or_by_name_and_id_is_refused_and_stays()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreatedAsync("a");
        await client.CreatedAsync("b");
        Guid b = (await client.MetadataAsync("b", version: 12)).TopicId;
        Assert.Equal(
            [("a", ErrorCode.InvalidRequest, "Duplicate topic name.")],
            await DeleteAsync(client, new() { TopicNames = ["a", "a"] }, 5));
        Assert.Equal(
            [
                ("a", ErrorCode.InvalidRequest, "You may not specify both topic name and topic id."),
                (null, ErrorCode.InvalidRequest, "Duplicate topic id."),
                (null, ErrorCode.InvalidRequest, "Neither topic name nor id were specified."),
            ],
            await DeleteAsync(client, new() { Topics = [new() { Name = "a", TopicId = b }, new() { TopicId = b }, new() { TopicId = b }, new()] }, 6));
        Assert.Equal(
            [("b", ErrorCode.InvalidRequest, "The provided topic name maps to an ID that was already supplied.")],
            await DeleteAsync(client, new() { Topics = [new() { Name = "b" }, new() { TopicId = b }] }, 6));
        Assert.All(["a", "b"], name => Assert.NotNull(broker.Core.Topics.Find(name)));
    }

    [Fact]
    public async Task By_name_or_id_it_goes_and_what_is_not_there_is_told()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreatedAsync("a");
        await client.CreatedAsync("b");
        Guid b = (await client.MetadataAsync("b", version: 12)).TopicId;
        Assert.Equal(
            [("a", ErrorCode.None, null), ("b", ErrorCode.None, null)],
            await DeleteAsync(client, new() { Topics = [new() { Name = "a" }, new() { TopicId = b }] }, 6));
        Assert.Equal(
            [
                ("a", ErrorCode.UnknownTopicOrPartition, "This server does not host this topic-partition."),
                (null, ErrorCode.UnknownTopicId, "This server does not host this topic ID."),
            ],
            await DeleteAsync(client, new() { Topics = [new() { Name = "a" }, new() { TopicId = b }] }, 6));
    }

    [Theory]
    [InlineData(2, ErrorCode.InvalidRequest)]
    [InlineData(3, ErrorCode.TopicDeletionDisabled)]
    public async Task Where_deletion_is_disabled_old_versions_get_an_error_that_they_know(short version, ErrorCode error)
    {
        await using var broker = new TestBroker(("delete.topic.enable", "false"));
        TestClient client = broker.Connect();
        await client.CreatedAsync("a");
        Assert.Equal([("a", error, null)], await DeleteAsync(client, new() { TopicNames = ["a"] }, version));
    }

    private static async Task<List<(string? Name, ErrorCode Error, string? Message)>> DeleteAsync(TestClient client, DeleteTopicsRequest request, short version)
    {
        DeleteTopicsResponse response = await client.SendAsync<DeleteTopicsRequest, DeleteTopicsResponse>(request, version);
        return response.Responses.ConvertAll(topic => (topic.Name, topic.ErrorCode, topic.ErrorMessage));
    }
}
