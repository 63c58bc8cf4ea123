using System.Buffers.Binary;
using System.Text;
using LogPipeline.Client.Consuming;
using LogPipeline.Client.Metadata;
using LogPipeline.Client.Tests.Connections;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Compression;
using LogPipeline.Protocol.Messages;
using LogPipeline.Protocol.Records;
using LogPipeline.Protocol.Wire;
using LogPipeline.Testing.Time;

namespace LogPipeline.Client.Tests.Consuming;

/// <summary>A log of three batches of one record each, at offsets 10 to 12, the middle one of which is corrupt.</summary>
public sealed class CorruptBatchTests
{
    private static readonly TopicPartition Partition = new("t", 0);

    private readonly ManualTime _time = new();
    private readonly ScriptedBroker _broker = new();
    private readonly byte[][] _log = [Batch(10), Batch(11), Batch(12)];

    public CorruptBatchTests()
    {
        _broker.Lead("t", partitions: 1);
        _broker.OnAsync<FetchRequest, FetchResponse>(FetchAsync, newest: 12);
    }

    public static TheoryData<string, Action<byte[]>> Damages() => new()
    {
        { "fail their CRC", batch => batch[^1] ^= 1 },
        { "says to be of", batch => BinaryPrimitives.WriteInt32BigEndian(batch.AsSpan(8), 1 << 20) },
        { "do not begin as", batch => BinaryPrimitives.WriteInt32BigEndian(batch.AsSpan(8), -1) },
        { "do not begin as", batch => batch[16] = 7 },
    };

    [Theory]
    [MemberData(nameof(Damages))]
    public void What_precedes_it_is_read_then_it_is_told_and_a_seek_reads_on(string reason, Action<byte[]> damage) => OneThread.Run(_time, async () =>
    {
        damage(_log[1]);
        await using var cluster = new ClusterClient(new ClientOptions { Bootstrap = ["b:1"] }, _broker, _time, new Random(1));
        await using var consumer = new Consumer(new ConsumerOptions(), cluster, _time, new Random(2));
        consumer.Assign([Partition]);
        consumer.Seek(Partition, 10);
        Assert.Equal(["10"], await PollAsync(consumer));
        for (int poll = 0; poll < 2; poll++)
        {
            CorruptBatchException corrupt = await Assert.ThrowsAsync<CorruptBatchException>(() => PollAsync(consumer));
            Assert.Equal((ErrorCode.CorruptMessage, Partition, 11), (corrupt.Code, corrupt.Partition, corrupt.Offset));
            Assert.StartsWith("t-0: the batch at offset 11 cannot be read: ", corrupt.Message, StringComparison.Ordinal);
            Assert.Contains(reason, corrupt.Message, StringComparison.Ordinal);
        }
        consumer.Seek(Partition, 12);
        Assert.Equal(["12"], await PollAsync(consumer));
    });

    private async Task<IEnumerable<string>> PollAsync(Consumer consumer)
    {
        using var late = new CancellationTokenSource(TimeSpan.FromSeconds(5), _time);
        return (await consumer.PollAsync(late.Token)).Select(record => Encoding.UTF8.GetString(record.Value!.Value.Span));
    }

    private async Task<FetchResponse?> FetchAsync(FetchRequest request)
    {
        // So that time passes also when nothing else waits.
        await Task.Delay(TimeSpan.FromMilliseconds(1), _time);
        int first = (int)request.Topics[0].Partitions[0].FetchOffset - 10;
        byte[] records = [.. _log.Skip(first).SelectMany(batch => batch)];
        if (records.Length == 0)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(request.MaxWaitMs), _time);
        }
        return new FetchResponse
        {
            Responses = [new() { Topic = "t", Partitions = [new() { HighWatermark = 13, LogStartOffset = 10, Records = new RecordSet(records) }] }],
        };
    }

    private static byte[] Batch(long offset)
    {
        using var builder = new RecordBatchBuilder(CompressionCodec.None, 1024);
        builder.TryAppend(1, Encoding.UTF8.GetBytes($"{offset}"));
        byte[] batch = builder.Build().ToArray();
        RecordBatch.Stamp(batch, offset, 0);
        return batch;
    }
}
