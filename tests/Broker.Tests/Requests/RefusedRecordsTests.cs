using LogPipeline.Broker.Tests.Harness;
using LogPipeline.Protocol;
using LogPipeline.Testing.Records;
using Answer = LogPipeline.Protocol.Messages.ProduceResponse.Response.PartitionResponse;

namespace LogPipeline.Broker.Tests.Requests;

/// <summary>Batches that are refused for single records, and what a producer is told of these. Their times begin with the broker's clock.</summary>
public sealed class RefusedRecordsTests
{
    private const string Before = "message.timestamp.before.max.ms";
    private const string After = "message.timestamp.after.max.ms";

    [Fact]
    public async Task Timestamps_before_the_topics_bound_are_told_from_version_8_on()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreateTopicAsync("t", configs: (Before, "1"));
        Assert.Equal(ErrorCode.None, (await client.ProduceAsync("t", Ask.Batch(3))).ErrorCode);
        broker.Time.Advance(TimeSpan.FromMilliseconds(3));
        Answer answer = await client.ProduceAsync("t", Ask.Batch(3));
        Assert.Equal((ErrorCode.InvalidTimestamp, -1L, 0L), (answer.ErrorCode, answer.BaseOffset, answer.LogStartOffset));
        Assert.Equal("One or more records have been rejected due to invalid timestamp", answer.ErrorMessage);
        Assert.Equal([0, 1], answer.RecordErrors.Select(static record => record.BatchIndex));
        Assert.Contains("is out of range", answer.RecordErrors[0].BatchIndexErrorMessage, StringComparison.Ordinal);
        answer = await client.ProduceAsync("t", Ask.Batch(3), version: 7);
        Assert.Equal((ErrorCode.InvalidTimestamp, 0), (answer.ErrorCode, answer.RecordErrors.Count));
    }

    [Fact]
    public async Task A_bound_counts_from_the_moment_it_is_set_and_where_the_topic_has_none_the_brokers()
    {
        await using var broker = new TestBroker(("log." + After, "1"));
        TestClient client = broker.Connect();
        await client.CreatedAsync("t");
        Assert.Equal(ErrorCode.None, (await client.ProduceAsync("t", Ask.Batch(2))).ErrorCode);
        Assert.Equal(ErrorCode.InvalidTimestamp, (await client.ProduceAsync("t", Ask.Batch(3))).ErrorCode);
        Assert.Equal((ErrorCode.None, (string?)null), await client.ChangeAsync(Configs.TopicResource, "t", (Configs.Set, After, "2")));
        Assert.Equal(ErrorCode.None, (await client.ProduceAsync("t", Ask.Batch(3))).ErrorCode);
    }

    [Fact]
    public async Task Old_formats_have_the_same_bounds_and_messages_without_a_time_pass()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        broker.Time.Advance(TimeSpan.FromMilliseconds(2));
        await client.CreateTopicAsync("t", configs: (Before, "1"));
        Assert.Equal(ErrorCode.InvalidTimestamp, (await client.ProduceAsync("t", OldMessages.Message(1, null, "v"), version: 2)).ErrorCode);
        Assert.Equal(ErrorCode.None, (await client.ProduceAsync("t", OldMessages.Message(0, null, "v"), version: 0)).ErrorCode);
    }

    [Fact]
    public async Task Records_without_a_key_are_refused_as_soon_as_a_topic_is_to_be_compacted()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreatedAsync("t");
        Assert.Equal(ErrorCode.None, (await client.ProduceAsync("t", Ask.Batch(2))).ErrorCode);
        await client.ChangeAsync(Configs.TopicResource, "t", (Configs.Append, "cleanup.policy", "compact"));
        Answer answer = await client.ProduceAsync("t", Ask.Batch(2));
        Assert.Equal(ErrorCode.InvalidRecord, answer.ErrorCode);
        Assert.Equal(
            [(0, "Compacted topic cannot accept message without key in topic partition t-0"), (1, "Compacted topic cannot accept message without key in topic partition t-0")],
            answer.RecordErrors.Select(static record => (record.BatchIndex, record.BatchIndexErrorMessage)));
        Assert.Equal(ErrorCode.InvalidRecord, (await client.ProduceAsync("t", OldMessages.Message(1, null, "v"), version: 2)).ErrorCode);
        Assert.Equal(2, (await client.ProduceAsync("t", OldMessages.Message(1, "k", "v"), version: 2)).BaseOffset);
    }
}
