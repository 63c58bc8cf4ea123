using LogPipeline.Broker.Tests.Harness;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;
using Told = LogPipeline.Protocol.Messages.DescribeLogDirsResponse.Result;

namespace LogPipeline.Broker.Tests.Requests;

public sealed class LogDirTests
{
    [Fact]
    public async Task The_one_directory_is_described_with_the_size_of_each_partition_and_the_room_on_its_volume()
    {
        await using var broker = new TestBroker();
        broker.Disk.Capacity = 10 << 20;
        TestClient client = broker.Connect();
        await client.CreatedAsync("a", 2);
        await client.CreatedAsync("b");
        byte[] batch = Ask.Batch(3);
        await client.ProduceAsync("a", [.. batch], partition: 1);
        Told told = await DescribeAsync(client, null);
        Assert.Equal((ErrorCode.None, "/data", 10 << 20), (told.ErrorCode, told.LogDir, told.TotalBytes));
        Assert.InRange(told.UsableBytes, 1, (10 << 20) - batch.Length);
        Assert.Equal(["a", "b"], told.Topics.Select(topic => topic.Name));
        Assert.Equal([0, batch.Length], told.Topics[0].Partitions.Select(partition => partition.PartitionSize));
    }

    [Fact]
    public async Task Only_what_is_asked_for_and_here_is_described()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreatedAsync("a", 3);
        Told told = await DescribeAsync(client, [("a", [2, 9]), ("nowhere", [0]), ("a", [0])]);
        Assert.Equal([0, 2], Assert.Single(told.Topics).Partitions.Select(partition => partition.PartitionIndex));
        Assert.Empty((await DescribeAsync(client, [("a", [7])])).Topics);
        Assert.Empty((await DescribeAsync(client, [])).Topics);
    }

    private static async Task<Told> DescribeAsync(TestClient client, (string Name, int[] Partitions)[]? topics)
    {
        DescribeLogDirsResponse response = await client.SendAsync<DescribeLogDirsRequest, DescribeLogDirsResponse>(
            new() { Topics = topics?.Select(topic => new DescribeLogDirsRequest.Topic { Name = topic.Name, Partitions = [.. topic.Partitions] }).ToList() });
        Assert.Equal(ErrorCode.None, response.ErrorCode);
        return Assert.Single(response.Results);
    }
}
