using LogPipeline.Broker.Tests.Harness;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;
using Answer = LogPipeline.Protocol.Messages.ListOffsetsResponse.Topic.Partition;

namespace LogPipeline.Broker.Tests.Requests;

public sealed class ListOffsetsTests
{
    [Fact]
    public async Task A_damaged_batch_is_an_error_of_its_partition_and_the_others_are_answered()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreatedAsync("t", 2);
        await client.ProduceAsync("t", Ask.Batch(3), 0);
        await client.ProduceAsync("t", Ask.Batch(3), 1);
        broker.Disk.Corrupt("/data/t-0/00000000000000000000.log", 75, 4);
        var request = new ListOffsetsRequest
        {
            Topics = [new() { Name = "t", Partitions = [new() { PartitionIndex = 0, Timestamp = 1 }, new() { PartitionIndex = 1, Timestamp = 1 }] }],
        };
        ListOffsetsResponse response = await client.SendAsync<ListOffsetsRequest, ListOffsetsResponse>(request, 5);
        Assert.Equal([ErrorCode.CorruptMessage, ErrorCode.None], response.Topics[0].Partitions.Select(partition => partition.ErrorCode));
        Assert.Equal(0, response.Topics[0].Partitions[1].Offset);
    }

    [Theory]
    [InlineData(-2)]
    [InlineData(-4)]
    public async Task The_earliest_offset_comes_with_the_epoch_that_the_log_begins_in(long timestamp)
    {
        await using var broker = new TestBroker();
        await broker.Connect().CreatedAsync("t");
        Answer empty = await FindAsync(broker.Connect(), timestamp);
        Assert.Equal((0, EpochOf(broker)), (empty.Offset, empty.LeaderEpoch));
        await broker.Connect().ProduceAsync("t", Ask.Batch(3));
        int first = EpochOf(broker);
        await broker.RestartAsync();
        await broker.Connect().ProduceAsync("t", Ask.Batch(3));
        Assert.True(EpochOf(broker) > first);
        Answer begun = await FindAsync(broker.Connect(), timestamp);
        Assert.Equal((0, first), (begun.Offset, begun.LeaderEpoch));
        await broker.Connect().SendAsync<DeleteRecordsRequest, DeleteRecordsResponse>(
            new() { Topics = [new() { Name = "t", Partitions = [new() { Offset = 4 }] }] });
        Answer later = await FindAsync(broker.Connect(), timestamp);
        Assert.Equal((4, EpochOf(broker)), (later.Offset, later.LeaderEpoch));
    }

    [Fact]
    public async Task A_partition_that_is_named_twice_is_refused_and_the_others_are_answered()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreatedAsync("t", 2);
        var request = new ListOffsetsRequest
        {
            Topics = [new() { Name = "t", Partitions = [new() { Timestamp = -1 }, new() { PartitionIndex = 1, Timestamp = -1 }, new() { Timestamp = -2 }] }],
        };
        ListOffsetsResponse response = await client.SendAsync<ListOffsetsRequest, ListOffsetsResponse>(request);
        Assert.Equal(
            [ErrorCode.InvalidRequest, ErrorCode.None],
            response.Topics[0].Partitions.Select(partition => partition.ErrorCode));
    }

    [Fact]
    public async Task Version_0_tells_where_segments_begin_and_the_log_ends_as_Kafka_3_9()
    {
        await using var broker = new TestBroker(("log.segment.bytes", "1048576"));
        TestClient client = broker.Connect();
        await client.CreatedAsync("t");
        Assert.Equal([0], await OldAsync(client, -1));
        for (int i = 0; i < 3; i++)
        {
            broker.Time.Advance(TimeSpan.FromMinutes(1));
            await client.ProduceAsync("t", Ask.Batch(2, size: 300_000)); // two segments cannot share it
        }
        long now = broker.Time.GetUtcNow().ToUnixTimeMilliseconds();
        Assert.Equal([6, 4, 2, 0], await OldAsync(client, -1));
        Assert.Equal([6], await OldAsync(client, -1, countMax: 1));
        Assert.Empty(await OldAsync(client, -1, countMax: 0));
        Assert.Equal([0], await OldAsync(client, -2));
        Assert.Equal([6, 4, 2, 0], await OldAsync(client, now + 1));
        Assert.Equal([2, 0], await OldAsync(client, now - 1));
        Assert.Empty(await OldAsync(client, 1));
        Assert.Equal(ErrorCode.UnsupportedVersion, (await AskOldAsync(client, -3, 1)).ErrorCode);
    }

    private static async Task<List<long>> OldAsync(TestClient client, long timestamp, int countMax = 10)
    {
        Answer answer = await AskOldAsync(client, timestamp, countMax);
        Assert.Equal(ErrorCode.None, answer.ErrorCode);
        return answer.OldStyleOffsets;
    }

    private static async Task<Answer> AskOldAsync(TestClient client, long timestamp, int countMax) =>
        (await client.SendAsync<ListOffsetsRequest, ListOffsetsResponse>(
            new() { Topics = [new() { Name = "t", Partitions = [new() { Timestamp = timestamp, MaxNumOffsets = countMax }] }] }, 0)).Topics[0].Partitions[0];

    private static int EpochOf(TestBroker broker) => broker.Core.Topics.Find("t")!.Partitions[0].LeaderEpoch;

    private static async Task<Answer> FindAsync(TestClient client, long timestamp) =>
        (await client.SendAsync<ListOffsetsRequest, ListOffsetsResponse>(
            new() { Topics = [new() { Name = "t", Partitions = [new() { Timestamp = timestamp }] }] })).Topics[0].Partitions[0];
}
