using System.Text;
using LogPipeline.Client.Consuming;
using LogPipeline.Client.Metadata;
using LogPipeline.Client.Tests.Connections;
using LogPipeline.Protocol.Compression;
using LogPipeline.Protocol.Messages;
using LogPipeline.Protocol.Records;
using LogPipeline.Protocol.Wire;
using LogPipeline.Testing.Time;

namespace LogPipeline.Client.Tests.Consuming;

/// <summary>A log of two producers' transactions, of which the first one of producer 7 was aborted.</summary>
public sealed class ReadCommittedTests
{
    private const short Transactional = 0x10;
    private const short Control = 0x30;
    private static readonly TopicPartition Partition = new("t", 0);

    private static readonly byte[][] Log =
    [
        Batch(0, "a", producer: 7, Transactional),
        Batch(1, "b", producer: 8, Transactional),
        Batch(2, "c", producer: -1, 0),
        Batch(3, "d", producer: 7, Transactional),
        Marker(4, producer: 7, type: 0),
        Batch(5, "e", producer: 7, Transactional),
        Marker(6, producer: 7, type: 1),
        Marker(7, producer: 8, type: 1),
    ];

    private readonly ManualTime _time = new();
    private readonly ScriptedBroker _broker = new();
    private readonly List<sbyte> _levels = [];

    [Theory]
    [InlineData(true, 0, "b c e")]
    [InlineData(true, 3, "e")] // in the middle of what was aborted
    [InlineData(true, 5, "e")]
    [InlineData(false, 0, "a b c d e")]
    public void Records_of_aborted_transactions_are_left_out_where_committed_ones_alone_are_read(bool readCommitted, long from, string expected) => OneThread.Run(_time, async () =>
    {
        _broker.Lead("t", partitions: 1);
        _broker.OnAsync<FetchRequest, FetchResponse>(FetchAsync, newest: 12);
        await using var cluster = new ClusterClient(new ClientOptions { Bootstrap = ["b:1"] }, _broker, _time, new Random(1));
        await using var consumer = new Consumer(new ConsumerOptions { ReadCommitted = readCommitted }, cluster, _time, new Random(2));
        consumer.Assign([Partition]);
        consumer.Seek(Partition, from);
        using var late = new CancellationTokenSource(TimeSpan.FromSeconds(5), _time);
        IReadOnlyList<ConsumedRecord> records = await consumer.PollAsync(late.Token);
        Assert.Equal(expected, string.Join(' ', records.Select(static record => Encoding.UTF8.GetString(record.Value!.Value.Span))));
        Assert.Equal(8, consumer.Position(Partition));
        Assert.All(_levels, level => Assert.Equal(readCommitted ? 1 : 0, level));
    });

    private async Task<FetchResponse?> FetchAsync(FetchRequest request)
    {
        await Task.Delay(TimeSpan.FromMilliseconds(1), _time); // so that time passes also when nothing else waits
        _levels.Add(request.IsolationLevel);
        long from = request.Topics[0].Partitions[0].FetchOffset;
        return new FetchResponse
        {
            Responses = [new()
            {
                Topic = "t",
                Partitions = [new()
                {
                    HighWatermark = Log.Length,
                    Records = new RecordSet(Log.Skip((int)from).SelectMany(static batch => batch).ToArray()),
                    AbortedTransactions = request.IsolationLevel == 1 && from < 5 ? [new() { ProducerId = 7, FirstOffset = 0 }] : null,
                }],
            }],
        };
    }

    private static byte[] Batch(long offset, string value, long producer, short attributes) => Built(offset, producer, attributes, null, Encoding.UTF8.GetBytes(value));

    private static byte[] Marker(long offset, long producer, byte type) => Built(offset, producer, Control, [0, 0, 0, type], [0, 0, 0, 0, 0, 0]);

    private static byte[] Built(long offset, long producer, short attributes, byte[]? key, byte[] value)
    {
        using var builder = new RecordBatchBuilder(CompressionCodec.None, 1024);
        builder.TryAppend(1, key is not null, key, hasValue: true, value, 0, default);
        byte[] batch = builder.Build(producer, 0, -1, attributes).ToArray();
        RecordBatch.Stamp(batch, offset, 0);
        return batch;
    }
}
