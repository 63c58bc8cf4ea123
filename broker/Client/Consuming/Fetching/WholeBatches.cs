using LogPipeline.Protocol.Records;

namespace LogPipeline.Client.Consuming.Fetching;

/// <summary>
/// The whole batches in a partition's records field: a broker may cut the last one, and begins with the batch that contains the offset asked
/// for, which may end before it on a compacted log.
/// </summary>
internal readonly record struct WholeBatches(ReadOnlyMemory<byte> Memory, long NextOffset, int LastEpoch)
{
    /// <summary>Walks the headers; throws <see cref="CorruptRecordException"/> for a batch whose CRC does not fit.</summary>
    public static WholeBatches Of(ReadOnlyMemory<byte> records, long fetchOffset, bool checkCrc, TopicPartition partition)
    {
        ReadOnlySpan<byte> bytes = records.Span;
        int begin = 0;
        int end = 0;
        long next = fetchOffset;
        int epoch = -1;
        while (BatchHeader.TryParse(bytes[end..], out BatchHeader header) && header.SizeInBytes <= bytes.Length - end)
        {
            if (header.NextOffset <= fetchOffset)
            {
                begin = end += header.SizeInBytes;
                continue;
            }
            if (checkCrc && !RecordBatch.CrcIsValid(bytes.Slice(end, header.SizeInBytes)))
            {
                throw new CorruptRecordException($"{partition}: the batch at offset {header.BaseOffset} fails its CRC");
            }
            (next, epoch) = (header.NextOffset, header.LeaderEpoch);
            end += header.SizeInBytes;
        }
        return new WholeBatches(records[begin..end], next, epoch);
    }
}
