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
        foreach (ServedPartition partition in topic.Partitions)
        {
            Run(partition.Log);
        }
    }

    public void Dispose() => _decoder.Dispose();

    private void Run(PartitionLog log)
    {
        long offset = log.LogStartOffset;
        while (offset < log.HighWatermark)
        {
            ErrorCode error = log.Read(offset, ReadBytes, wholeFirstBatch: true, out LogSlice slice);
            if (error != ErrorCode.None || slice.Length == 0)
            {
                throw new IOException($"{log.Topic}-{log.Partition} cannot be read at offset {offset}: {error}");
            }
            byte[] bytes = GC.AllocateUninitializedArray<byte>(slice.Length);
            slice.CopyTo(bytes);
            for (ReadOnlyMemory<byte> rest = bytes; BatchHeader.TryParse(rest.Span, out BatchHeader header); rest = rest[header.SizeInBytes..])
            {
                if (!header.IsControl)
                {
                    Run(log, rest.Span[..header.SizeInBytes], header);
                }
                offset = header.NextOffset;
            }
        }
    }

    private void Run(PartitionLog log, ReadOnlySpan<byte> batch, in BatchHeader header)
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
                logger.GroupRecordSkipped(log.Topic, log.Partition, reader.Offset, e.Message);
            }
        }
    }
}
