using LogPipeline.Broker.Tests.Harness;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;
using Place = LogPipeline.Protocol.Messages.DescribeTopicPartitionsRequest.Place;

namespace LogPipeline.Broker.Tests.Requests;

public sealed class DescribeTopicPartitionsTests
{
    [Fact]
    public async Task All_topics_are_told_in_pages_by_name()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreatedAsync("b", 3);
        await client.CreatedAsync("a", 2);
        await client.CreatedAsync("c", 1);
        var told = new List<string>();
        var pages = new List<int>();
        Place? cursor = null;
        do
        {
            DescribeTopicPartitionsResponse page = await client.SendAsync<DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse>(
                new() { ResponsePartitionLimit = 2, Cursor = cursor });
            told.AddRange(page.Topics.SelectMany(topic => topic.Partitions.Select(partition => $"{topic.Name}-{partition.PartitionIndex}")));
            pages.Add(page.Topics.Sum(topic => topic.Partitions.Count));
            cursor = page.NextCursor;
        }
        while (cursor is not null);
        Assert.Equal(["a-0", "a-1", "b-0", "b-1", "b-2", "c-0"], told);
        Assert.Equal([2, 2, 2], pages);
    }

    [Fact]
    public async Task Named_topics_are_told_once_and_unknown_ones_are_not_created()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreatedAsync("t", 2);
        DescribeTopicPartitionsResponse told = await client.SendAsync<DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse>(
            new() { Topics = [new() { Name = "t" }, new() { Name = "nowhere" }, new() { Name = "no/slash" }, new() { Name = "t" }] });
        Assert.Equal(
            [("no/slash", ErrorCode.InvalidTopicException), ("nowhere", ErrorCode.UnknownTopicOrPartition), ("t", ErrorCode.None)],
            told.Topics.Select(topic => (topic.Name, topic.ErrorCode)));
        Assert.Equal(broker.Core.Topics.Find("t")!.Id, told.Topics[2].TopicId);
        Assert.Equal(1, told.Topics[2].Partitions[1].LeaderId);
        Assert.Null(broker.Core.Topics.Find("nowhere"));
    }

    [Theory]
    [InlineData("t", -1)]
    [InlineData("u", 0)]
    public async Task A_page_that_begins_nowhere_is_refused(string topic, int partition)
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreatedAsync("t");
        DescribeTopicPartitionsResponse told = await client.SendAsync<DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse>(
            new() { Topics = [new() { Name = "t" }], Cursor = new() { TopicName = topic, PartitionIndex = partition } });
        Assert.Equal(ErrorCode.InvalidRequest, Assert.Single(told.Topics).ErrorCode);
    }
}
