using LogPipeline.Protocol;
using LogPipeline.Protocol.Compression;
using LogPipeline.Protocol.Records;

namespace LogPipeline.Client.Consuming.Fetching;

/// <summary>Turns batches into records whose memory the caller owns: one array a batch, the records are slices of it.</summary>
internal sealed class RecordDecoder : IDisposable
{
    private readonly BatchDecoder _decoder = new();

    /// <summary>
    /// Appends the records from the fetch offset on; control records and those of aborted transactions are left out. Gives the batch that cannot be read, before which it ends;
    /// null when all were.
    /// </summary>
    public CorruptBatchException? Decode(PartitionBatches batches, List<ConsumedRecord> to)
    {
        ReadOnlySpan<byte> rest = batches.Batches.Span;
        AbortedTransactions? aborted = batches.Aborted.Count > 0 ? new AbortedTransactions(batches.Aborted) : null;
        while (BatchHeader.TryParse(rest, out BatchHeader header) && header.SizeInBytes <= rest.Length)
        {
            int before = to.Count;
            try
            {
                bool isAborted = aborted?.Has(in header, rest[RecordBatch.HeaderSize..header.SizeInBytes]) == true;
                if (!header.IsControl && !isAborted)
                {
                    DecodeBatch(rest[..header.SizeInBytes], header, batches, to);
                }
            }
            catch (Exception e) when (e is CorruptRecordException or UnsupportedCompressionException)
            {
                to.RemoveRange(before, to.Count - before);
                return new CorruptBatchException(batches.Partition, Math.Max(header.BaseOffset, batches.FetchOffset), e.Message);
            }
            rest = rest[header.SizeInBytes..];
        }
        return null;
    }

    public void Dispose() => _decoder.Dispose();

    private void DecodeBatch(ReadOnlySpan<byte> batch, in BatchHeader header, PartitionBatches batches, List<ConsumedRecord> to)
    {
        byte[] area = _decoder.Records(batch, header).ToArray();
        var reader = new RecordReader(area, header);
        while (reader.Read())
        {
            if (reader.Offset < batches.FetchOffset)
            {
                continue;
            }
            to.Add(new ConsumedRecord
            {
                Partition = batches.Partition,
                Offset = reader.Offset,
                Timestamp = reader.Timestamp,
                HasAppendTime = header.IsLogAppendTime,
                LeaderEpoch = header.LeaderEpoch,
                Key = reader.HasKey ? Slice(area, reader.Key) : null,
                Value = reader.HasValue ? Slice(area, reader.Value) : null,
                HeaderCount = reader.HeaderCount,
                EncodedHeaders = Slice(area, reader.Headers),
            });
        }
    }

    private static ReadOnlyMemory<byte> Slice(byte[] area, ReadOnlySpan<byte> part) =>
        !part.IsEmpty && ((ReadOnlySpan<byte>)area).Overlaps(part, out int at) ? area.AsMemory(at, part.Length) : default;
}
