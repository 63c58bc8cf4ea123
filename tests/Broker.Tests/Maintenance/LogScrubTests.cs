using LogPipeline.Broker.Tests.Harness;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Compression;
using LogPipeline.Protocol.Messages;
using LogPipeline.Protocol.Records;

namespace LogPipeline.Broker.Tests.Maintenance;

/// <summary>A scrub that runs beside clients: what it finds damaged is told, and no client gets it.</summary>
public sealed class LogScrubTests
{
    private const int Size = 600_000; // a segment of the least size holds one such record

    [Fact]
    public async Task Flipped_bit_is_found_told_and_not_served_while_the_rest_is()
    {
        await using var broker = new TestBroker(("log.scrub.bytes.per.second", "1000000000000"));
        TestClient client = await ProducedAsync(broker);
        broker.Disk.Corrupt(SegmentOf(broker, 1), 5000, 4);
        Assert.Null(broker.Core.Problem);
        await broker.Time.RunAsync(PassedAsync(broker), TimeSpan.FromSeconds(10));
        Assert.Contains(broker.Log.Lines, line => line.Contains("t-0 is damaged in", StringComparison.Ordinal) && line.Contains("at position 0: the batch's checksum is wrong", StringComparison.Ordinal));
        Assert.Equal("1 batches are damaged and not served, the first is t-0 at offset 1", broker.Core.Problem);
        Assert.Equal([0], (await client.FetchAsync(Ask.Fetch("t", 0))).Responses[0].Partitions[0].BaseOffsets());
        Assert.Equal(ErrorCode.CorruptMessage, (await client.FetchAsync(Ask.Fetch("t", 1))).Responses[0].Partitions[0].ErrorCode);
        Assert.Equal(2, (await client.FetchAsync(Ask.Fetch("t", 2))).Responses[0].Partitions[0].BaseOffsets()[0]);
    }

    [Fact]
    public async Task Bit_that_flips_while_the_broker_is_stopped_is_found_by_the_first_fetch()
    {
        await using var broker = new TestBroker(("log.scrub.bytes.per.second", "0"));
        await ProducedAsync(broker);
        string segment = SegmentOf(broker, 1);
        await broker.RestartAsync(() => broker.Disk.Corrupt(segment, 5000, 4));
        TestClient client = broker.Connect();
        Assert.Null(broker.Core.Problem);
        Assert.Equal(ErrorCode.CorruptMessage, (await client.FetchAsync(Ask.Fetch("t", 1))).Responses[0].Partitions[0].ErrorCode);
        Assert.Equal([0], (await client.FetchAsync(Ask.Fetch("t", 0))).Responses[0].Partitions[0].BaseOffsets());
        Assert.Equal([2], (await client.FetchAsync(Ask.Fetch("t", 2))).Responses[0].Partitions[0].BaseOffsets());
        Assert.Equal(1, broker.Log.Count($"t-0 is damaged in {segment} at position 0: the batch's checksum is wrong"));
        Assert.Equal("1 batches are damaged and not served, the first is t-0 at offset 1", broker.Core.Problem);
        FetchResponse.Response.Partition old = (await client.FetchAsync(Ask.Fetch("t", 1), version: 2)).Responses[0].Partitions[0];
        Assert.Equal((ErrorCode.CorruptMessage, 0), (old.ErrorCode, old.Records.Length));
    }

    [Fact]
    public async Task Nothing_is_read_when_the_rate_is_zero()
    {
        await using var broker = new TestBroker(("log.scrub.bytes.per.second", "0"));
        await ProducedAsync(broker);
        broker.Disk.Corrupt(SegmentOf(broker, 1), 5000, 4);
        await broker.Core.Scrub.PassAsync(CancellationToken.None);
        Assert.Null(broker.Core.Problem);
    }

    [Fact]
    public async Task Rate_bounds_how_much_is_read_in_a_second()
    {
        await using var broker = new TestBroker(("log.scrub.bytes.per.second", "60000"));
        await ProducedAsync(broker);
        DateTimeOffset begun = broker.Time.GetUtcNow();
        Task pass = broker.Core.Scrub.PassAsync(CancellationToken.None);
        await broker.Time.RunAsync(DoneAsync(), TimeSpan.FromSeconds(1));
        Assert.True(broker.Time.GetUtcNow() - begun >= TimeSpan.FromSeconds(30), "three closed segments of 600 kB were read too fast");

        async Task<bool> DoneAsync()
        {
            await pass;
            return true;
        }
    }

    private static async Task<TestClient> ProducedAsync(TestBroker broker)
    {
        TestClient client = broker.Connect();
        await client.CreateTopicAsync("t", 1, 1, ("segment.bytes", "1048576"));
        for (int i = 0; i < 4; i++)
        {
            using var builder = new RecordBatchBuilder(CompressionCodec.None, 1 << 20);
            Assert.True(builder.TryAppend(broker.Time.GetUtcNow().ToUnixTimeMilliseconds(), new byte[Size]));
            Assert.Equal(i, (await client.ProduceAsync("t", builder.Build().ToArray())).BaseOffset);
        }
        return client;
    }

    private static string SegmentOf(TestBroker broker, long offset) => $"{broker.Core.Topics.Find("t")!.Partitions[0].Log!.Directory}/{offset:D20}.log";

    private static async Task<bool> PassedAsync(TestBroker broker)
    {
        while (broker.Log.Count("is damaged in") == 0)
        {
            await Task.Yield();
        }
        return true;
    }
}
