using LogPipeline.Protocol;
using LogPipeline.Protocol.Compression;
using LogPipeline.Protocol.Messages;
using LogPipeline.Protocol.Records;
using LogPipeline.Protocol.Wire;

namespace LogPipeline.EndToEnd.Fuzz;

/// <summary>A well-behaved client: on one connection it writes a record, reads it back, and begins again.</summary>
internal sealed class Neighbour(int port)
{
    private const string Topic = "neighbour";
    private const short ProduceVersion = 9;
    private const short FetchVersion = 11;

    /// <summary>Where the CRC of a record batch begins: what is before it, the broker writes.</summary>
    private const int CrcPosition = 17;

    /// <summary>Records written and read back.</summary>
    public long Records { get; private set; }

    /// <summary>Goes on until <paramref name="stop"/>; every answer must be the one that it would get with no one else there.</summary>
    public void Run(CancellationToken stop)
    {
        using var connection = new FrameConnection(port);
        var create = new CreateTopicsRequest { Topics = [new() { Name = Topic, NumPartitions = 1, ReplicationFactor = 1 }] };
        Assert.Equal(ErrorCode.None, connection.Ask<CreateTopicsRequest, CreateTopicsResponse>(create, 5).Topics[0].ErrorCode);
        for (; !stop.IsCancellationRequested; Records++)
        {
            byte[] batch = BatchOf(Records);
            ProduceResponse.Response.PartitionResponse written = connection.Ask<ProduceRequest, ProduceResponse>(Produce(batch), ProduceVersion).Responses[0].PartitionResponses[0];
            Assert.Equal((ErrorCode.None, Records), (written.ErrorCode, written.BaseOffset));
            FetchResponse.Response.Partition read = connection.Ask<FetchRequest, FetchResponse>(Fetch(Records), FetchVersion).Responses[0].Partitions[0];
            Assert.Equal((ErrorCode.None, Records + 1), (read.ErrorCode, read.HighWatermark));
            Assert.True(BatchHeader.TryParse(read.Records.Memory.Span, out BatchHeader header) && header.BaseOffset == Records);
            Assert.Equal(batch[CrcPosition..], read.Records.Memory[CrcPosition..].ToArray());
        }
    }

    private static byte[] BatchOf(long number)
    {
        using var builder = new RecordBatchBuilder(CompressionCodec.None, 1 << 20);
        builder.TryAppend(1_767_225_600_000 + number, BitConverter.GetBytes(number));
        return builder.Build(-1, -1, -1).ToArray();
    }

    private static ProduceRequest Produce(byte[] batch) => new()
    {
        Acks = -1,
        TimeoutMs = 30_000,
        TopicData = [new() { Name = Topic, PartitionData = [new() { Index = 0, Records = new RecordSet(batch) }] }],
    };

    private static FetchRequest Fetch(long offset) => new()
    {
        MaxWaitMs = 30_000,
        MinBytes = 1,
        Topics = [new() { Name = Topic, Partitions = [new() { Index = 0, FetchOffset = offset, PartitionMaxBytes = 1 << 20 }] }],
    };
}
