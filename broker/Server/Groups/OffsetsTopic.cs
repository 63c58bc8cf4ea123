using LogPipeline.Broker.Cluster;
using LogPipeline.Broker.Partitions;
using LogPipeline.Broker.Settings;
using LogPipeline.Broker.Topics;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Compression;
using LogPipeline.Protocol.Records;
using LogPipeline.Protocol.Wire;
using LogPipeline.Storage;

namespace LogPipeline.Broker.Groups;

/// <summary>One record to write: a key, and a value or null to delete it.</summary>
internal readonly record struct GroupRecord(FrameBuffer Key, FrameBuffer? Value) : IDisposable
{
    public void Dispose()
    {
        Key.Dispose();
        Value?.Dispose();
    }
}

/// <summary>The internal topic that keeps offsets and group metadata.</summary>
internal sealed class OffsetsTopic(TopicRegistry topics, BrokerSettings settings, TimeProvider time)
{
    private const int BatchBytesMax = 512 * 1024;

    /// <summary>The topic, created when it is not there yet.</summary>
    /// <exception cref="IOException">The disk refused.</exception>
    public Topic Ensure() => topics.Find(TopicName.Offsets) ?? topics.Create(
        TopicName.Offsets,
        settings.OffsetsPartitions,
        new Dictionary<string, string>
        {
            ["cleanup.policy"] = "compact",
            ["compression.type"] = "producer",
            ["segment.bytes"] = settings.OffsetsSegmentBytes,
        }).Topic;

    /// <summary>
    /// Appends records of one group together, in order; durable after <see cref="OffsetsPosition.FlushedAsync"/>. Disposes each as it
    /// goes, so that a caller who makes them one by one holds one at a time.
    /// </summary>
    /// <exception cref="IOException">The disk refused.</exception>
    public OffsetsPosition Append(string group, IEnumerable<GroupRecord> records)
    {
        Topic topic = Ensure();
        Partition partition = topic.Partitions[Number(group, topic.Partitions.Count)];
        long timestamp = time.GetUtcNow().ToUnixTimeMilliseconds();
        using var builder = new RecordBatchBuilder(CompressionCodec.None, BatchBytesMax);
        long end = -1;
        foreach (GroupRecord record in records)
        {
            using (record)
            {
                if (!TryAdd(builder, timestamp, record))
                {
                    end = Append(partition, builder);
                    builder.Reset();
                    TryAdd(builder, timestamp, record);
                }
            }
        }
        end = builder.Count > 0 ? Append(partition, builder) : end;
        return new OffsetsPosition(partition, end);
    }

    /// <summary>Kafka's choice of partition: Java's string hash, so that a directory means the same to both.</summary>
    public static int Number(string group, int partitions)
    {
        int hash = 0;
        foreach (char unit in group)
        {
            hash = unchecked((31 * hash) + unit);
        }
        return hash == int.MinValue ? 0 : Math.Abs(hash) % partitions;
    }

    private static bool TryAdd(RecordBatchBuilder builder, long timestamp, GroupRecord record) => builder.TryAppend(
        timestamp, true, record.Key.Bytes.Span, record.Value is not null, record.Value is null ? default : record.Value.Bytes.Span, 0, default);

    private static long Append(Partition partition, RecordBatchBuilder builder)
    {
        AppendResult result = partition.Append(builder.Build(), AppendOrigin.Broker);
        return result.Error == ErrorCode.None
            ? result.LastOffset + 1
            : throw new IOException($"{partition.Topic}-{partition.Number} refused a batch of the broker's own: {result.Error}");
    }
}

/// <summary>How far a partition must be committed for what was appended to count.</summary>
internal readonly record struct OffsetsPosition(Partition Partition, long EndOffset)
{
    /// <exception cref="IOException">The flush failed.</exception>
    public ValueTask FlushedAsync(CancellationToken cancellation) => Partition.CommittedAsync(EndOffset, cancellation);
}
