using LogPipeline.Broker.Tests.Harness;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;

namespace LogPipeline.Broker.Tests.Requests;

public sealed class DeleteRecordsTests
{
    [Fact]
    public async Task Records_below_the_new_start_are_gone_and_stay_gone_after_a_power_cut()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreatedAsync("t");
        for (int i = 0; i < 5; i++)
        {
            await client.ProduceAsync("t", Ask.Batch(1));
        }
        Assert.Equal((ErrorCode.None, 3), await DeleteAsync(client, "t", 3));
        await CheckAsync(client);
        broker.Crash();
        await CheckAsync(broker.Connect());

        static async Task CheckAsync(TestClient client)
        {
            FetchResponse below = await client.FetchAsync(Ask.Fetch("t", 2));
            Assert.Equal(ErrorCode.OffsetOutOfRange, below.Responses[0].Partitions[0].ErrorCode);
            FetchResponse from = await client.FetchAsync(Ask.Fetch("t", 3));
            Assert.Equal([3, 4], from.Responses[0].Partitions[0].BaseOffsets());
            ListOffsetsResponse start = await client.SendAsync<ListOffsetsRequest, ListOffsetsResponse>(
                new() { Topics = [new() { Name = "t", Partitions = [new() { Timestamp = -2 }] }] });
            Assert.Equal(3, start.Topics[0].Partitions[0].Offset);
        }
    }

    [Fact]
    public async Task An_offset_of_minus_one_deletes_up_to_the_high_watermark_and_appends_go_on_from_there()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreatedAsync("t");
        await client.ProduceAsync("t", Ask.Batch(7));
        Assert.Equal((ErrorCode.None, 7), await DeleteAsync(client, "t", -1));
        broker.Crash();
        Assert.Equal(7, (await broker.Connect().ProduceAsync("t", Ask.Batch(1))).BaseOffset);
    }

    [Fact]
    public async Task A_start_never_falls()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreatedAsync("t");
        await client.ProduceAsync("t", Ask.Batch(7));
        await DeleteAsync(client, "t", 5);
        Assert.Equal((ErrorCode.None, 5), await DeleteAsync(client, "t", 2));
    }

    [Theory]
    [InlineData("t", 0, 8, ErrorCode.OffsetOutOfRange)]
    [InlineData("t", 0, -2, ErrorCode.OffsetOutOfRange)]
    [InlineData("t", 9, 1, ErrorCode.UnknownTopicOrPartition)]
    [InlineData("nowhere", 0, 1, ErrorCode.UnknownTopicOrPartition)]
    [InlineData("compacted", 0, 0, ErrorCode.PolicyViolation)]
    [InlineData("__consumer_offsets", 0, 0, ErrorCode.InvalidTopicException)]
    public async Task What_cannot_be_deleted_is_refused_as_Kafka_does(string topic, int partition, long offset, ErrorCode error)
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreatedAsync("t");
        await client.CreateTopicAsync("compacted", 1, 1, ("cleanup.policy", "compact"));
        await client.SendAsync<FindCoordinatorRequest, FindCoordinatorResponse>(new() { Key = "g" }, 2);
        await client.ProduceAsync("t", Ask.Batch(7));
        Assert.Equal((error, -1), await DeleteAsync(client, topic, offset, partition));
        Assert.Equal([0], (await client.FetchAsync(Ask.Fetch("t", 0))).Responses[0].Partitions[0].BaseOffsets());
    }

    [Fact]
    public async Task A_disk_that_refuses_to_keep_the_new_start_is_told()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreatedAsync("t");
        await client.ProduceAsync("t", Ask.Batch(7));
        broker.Files.Before = call =>
        {
            if (call.Path.Contains("log-start-offset-checkpoint", StringComparison.Ordinal))
            {
                throw new IOException("No space left on device");
            }
        };
        Assert.Equal((ErrorCode.KafkaStorageError, -1), await DeleteAsync(client, "t", 3));
        broker.Files.Before = null;
        Assert.Equal((ErrorCode.None, 4), await DeleteAsync(client, "t", 4));
    }

    private static async Task<(ErrorCode Error, long LowWatermark)> DeleteAsync(TestClient client, string topic, long offset, int partition = 0)
    {
        DeleteRecordsResponse response = await client.SendAsync<DeleteRecordsRequest, DeleteRecordsResponse>(
            new() { Topics = [new() { Name = topic, Partitions = [new() { PartitionIndex = partition, Offset = offset }] }] });
        DeleteRecordsResponse.Topic.Partition answer = response.Topics[0].Partitions[0];
        return (answer.ErrorCode, answer.LowWatermark);
    }
}
