using LogPipeline.Broker.Partitions;
using LogPipeline.Broker.Telemetry;
using LogPipeline.Broker.Topics;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Records;
using LogPipeline.Protocol.Wire;
using LogPipeline.Storage;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Broker.Groups;

/// <summary>Reads __consumer_offsets from its start and gives each record to the groups.</summary>
internal sealed class OffsetsReplay(GroupCoordinator groups, ILogger logger) : IDisposable
{
    private const int ReadBytes = 1 << 20;

    private readonly BatchDecoder _decoder = new();

    /// <summary>Records read.</summary>
    public long Records { get; private set; }

    public void Run(Topic topic)
    {
        foreach (Partition partition in topic.Partitions)
        {
            if (partition.Role != PartitionRole.Offline)
            {
                Run(partition);
            }
        }
    }

    public void Dispose() => _decoder.Dispose();

    private void Run(Partition partition)
    {
        long offset = partition.LogStartOffset;
        while (offset < partition.HighWatermark)
        {
            ErrorCode error = partition.Read(offset, ReadBytes, wholeFirstBatch: true, out LogSlice slice);
            if (error != ErrorCode.None || slice.Length == 0)
            {
                throw new IOException($"{partition.Topic}-{partition.Number} cannot be read at offset {offset}: {error}");
            }
            byte[] bytes = GC.AllocateUninitializedArray<byte>(slice.Length);
            slice.CopyTo(bytes);
            for (ReadOnlyMemory<byte> rest = bytes; BatchHeader.TryParse(rest.Span, out BatchHeader header); rest = rest[header.SizeInBytes..])
            {
                if (!header.IsControl)
                {
                    Run(partition, rest.Span[..header.SizeInBytes], header);
                }
                offset = header.NextOffset;
            }
        }
    }

    private void Run(Partition partition, ReadOnlySpan<byte> batch, in BatchHeader header)
    {
        var reader = new RecordReader(_decoder.Records(batch, header), header);
        while (reader.Read())
        {
            Records++;
            try
            {
                ReadOnlyMemory<byte>? value = null;
                if (reader.HasValue)
                {
                    value = reader.Value.ToArray();
                }
                groups.Apply(reader.Key.ToArray(), value, reader.Offset);
            }
            catch (MalformedMessageException e)
            {
                logger.GroupRecordSkipped(partition.Topic, partition.Number, reader.Offset, e.Message);
            }
        }
    }
}
