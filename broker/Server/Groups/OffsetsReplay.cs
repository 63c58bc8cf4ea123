using LogPipeline.Broker.Partitions;
using LogPipeline.Broker.Telemetry;
using LogPipeline.Broker.Topics;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Compression;
using LogPipeline.Protocol.Records;
using LogPipeline.Protocol.Wire;
using LogPipeline.Storage;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Broker.Groups;

// A start must not fail because of what lies in this topic: a damaged batch, one that cannot be unpacked, and a record that is not
// understood are each told in the diagnostics and stepped over. A partition that is offline, or whose disk refuses to be read, makes
// its groups unavailable: answering for them from nothing would send their consumers back to the start.
/// <summary>Reads __consumer_offsets from its start and applies each record to the groups.</summary>
internal sealed class OffsetsReplay(GroupCoordinator groups, ILogger logger) : IDisposable
{
    private readonly BatchDecoder _decoder = new();

    /// <summary>Records that were understood.</summary>
    public long Records { get; private set; }

    /// <summary>Reads all partitions; returns the numbers of those that could not be read.</summary>
    public IReadOnlySet<int> Run(Topic topic)
    {
        var unread = new HashSet<int>();
        foreach (Partition partition in topic.Partitions)
        {
            try
            {
                Run(partition);
            }
            catch (IOException e)
            {
                logger.GroupLogUnread(e, partition.Topic, partition.Number);
                unread.Add(partition.Number);
            }
        }
        return unread;
    }

    public void Dispose() => _decoder.Dispose();

    private void Run(Partition partition)
    {
        PartitionLog log = partition.Log ?? throw new IOException("the partition is offline");
        using SalvageReader reader = log.Salvage(part =>
            logger.GroupLogDamaged(part.File, part.Position, part.Length, part.Offset, part.Reason));
        while (reader.Read() && reader.Header.BaseOffset < partition.HighWatermark)
        {
            if (!reader.Header.IsControl)
            {
                Run(partition, reader.Batch, reader.Header);
            }
        }
    }

    private void Run(Partition partition, ReadOnlySpan<byte> batch, in BatchHeader header)
    {
        try
        {
            var reader = new RecordReader(_decoder.Records(batch, header), header);
            while (reader.Read())
            {
                Apply(partition, reader);
            }
        }
        catch (Exception e) when (e is CorruptRecordException or UnsupportedCompressionException)
        {
            logger.GroupBatchSkipped(partition.Topic, partition.Number, header.BaseOffset, header.LastOffset, e.Message);
        }
    }

    private void Apply(Partition partition, in RecordReader record)
    {
        try
        {
            ReadOnlyMemory<byte>? value = null;
            if (record.HasValue)
            {
                value = record.Value.ToArray();
            }
            groups.Apply(record.Key.ToArray(), value, record.Offset);
            Records++;
        }
        catch (MalformedMessageException e)
        {
            logger.GroupRecordSkipped(partition.Topic, partition.Number, record.Offset, e.Message);
        }
    }
}
