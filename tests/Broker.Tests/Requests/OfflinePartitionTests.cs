using LogPipeline.Broker.Tests.Harness;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;

namespace LogPipeline.Broker.Tests.Requests;

/// <summary>A partition that cannot be opened answers with an error, and everything else is served.</summary>
public sealed class OfflinePartitionTests
{
    [Fact]
    public async Task One_flipped_bit_after_a_crash_takes_one_partition_offline_and_no_other()
    {
        await using var broker = new TestBroker(("log.journal.batch.max.bytes", "0"));
        TestClient client = broker.Connect();
        await client.CreatedAsync("t", 3);
        for (int partition = 0; partition < 3; partition++)
        {
            Assert.Equal(ErrorCode.None, (await client.ProduceAsync("t", Ask.Batch(2), partition)).ErrorCode);
        }
        broker.Disk.Corrupt("/data/t-1/00000000000000000000.log", 90, 4);
        broker.Crash();
        await RequireOnlyOneOfflineAsync(broker.Connect());
        DeleteTopicsResponse deleted = await broker.Connect().SendAsync<DeleteTopicsRequest, DeleteTopicsResponse>(new() { TopicNames = ["t"] }, 5);
        Assert.Equal(ErrorCode.None, deleted.Responses[0].ErrorCode);
        await broker.Connect().CreatedAsync("t", 3);
        Assert.Equal(ErrorCode.None, (await broker.Connect().ProduceAsync("t", Ask.Batch(2), 1)).ErrorCode);
    }

    [Fact]
    public async Task A_partition_whose_directory_is_gone_is_not_served_from_the_start()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreatedAsync("t", 3);
        for (int partition = 0; partition < 3; partition++)
        {
            await client.ProduceAsync("t", Ask.Batch(2), partition);
        }
        broker.Files.DeleteDirectory("/data/t-1");
        broker.Files.FlushDirectory("/data");
        broker.Crash();
        await RequireOnlyOneOfflineAsync(broker.Connect());
        await broker.RestartAsync();
        await RequireOnlyOneOfflineAsync(broker.Connect());
    }

    private static async Task RequireOnlyOneOfflineAsync(TestClient client)
    {
        for (int partition = 0; partition < 3; partition++)
        {
            ErrorCode expected = partition == 1 ? ErrorCode.KafkaStorageError : ErrorCode.None;
            FetchResponse fetched = await client.FetchAsync(Ask.Fetch("t", 0, partition: partition));
            Assert.Equal(expected, fetched.Responses[0].Partitions[0].ErrorCode);
            Assert.Equal(expected, (await client.ProduceAsync("t", Ask.Batch(1), partition)).ErrorCode);
            ListOffsetsResponse offsets = await client.SendAsync<ListOffsetsRequest, ListOffsetsResponse>(
                new() { Topics = [new() { Name = "t", Partitions = [new() { PartitionIndex = partition, Timestamp = 0 }] }] }, 5);
            Assert.Equal(expected, offsets.Topics[0].Partitions[0].ErrorCode);
        }
        Assert.Equal(3, (await client.MetadataAsync("t")).Partitions.Count);
    }
}
