using LogPipeline.Protocol.Records;

namespace LogPipeline.Client.Consuming.Fetching;

/// <summary>
/// The whole batches in a partition's records field: a broker may cut the last one, and begins with the batch that contains the offset asked
/// for, which may end before it on a compacted log. They end before a corrupt one, which comes first when it is asked for in its turn.
/// </summary>
internal readonly record struct WholeBatches(ReadOnlyMemory<byte> Memory, long NextOffset, int LastEpoch)
{
    /// <summary>Walks the headers; throws <see cref="CorruptBatchException"/> when no batch can be given though bytes came for one.</summary>
    public static WholeBatches Of(ReadOnlyMemory<byte> records, long fetchOffset, bool checkCrc, TopicPartition partition)
    {
        int begin = 0;
        int end = 0;
        long next = fetchOffset;
        int epoch = -1;
        string? fault = null;
        while (end < records.Length && (fault = FaultOf(records.Span[end..], fetchOffset, checkCrc, out BatchHeader header)) is null)
        {
            end += header.SizeInBytes;
            if (header.NextOffset > fetchOffset)
            {
                (next, epoch) = (header.NextOffset, header.LeaderEpoch);
            }
            else if (next == fetchOffset)
            {
                begin = end;
            }
        }
        return fault is null || end > begin
            ? new WholeBatches(records[begin..end], next, epoch)
            : throw new CorruptBatchException(partition, fetchOffset, fault);
    }

    private static string? FaultOf(ReadOnlySpan<byte> batch, long fetchOffset, bool checkCrc, out BatchHeader header)
    {
        if (!BatchHeader.TryParse(batch, out header))
        {
            return $"its {batch.Length} bytes do not begin as a record batch does";
        }
        if (header.SizeInBytes > batch.Length)
        {
            return $"it says to be of {header.SizeInBytes} bytes, and {batch.Length} came";
        }
        return checkCrc && header.NextOffset > fetchOffset && !RecordBatch.CrcIsValid(batch[..header.SizeInBytes])
            ? $"offsets {header.BaseOffset} to {header.LastOffset} fail their CRC"
            : null;
    }
}
