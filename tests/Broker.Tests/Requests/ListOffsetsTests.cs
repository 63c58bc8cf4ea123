using LogPipeline.Broker.Tests.Harness;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;

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
}
