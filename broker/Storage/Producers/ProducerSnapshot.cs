using System.Buffers.Binary;
using LogPipeline.Files;
using LogPipeline.Protocol.Records;

namespace LogPipeline.Storage.Producers;

/// <summary>
/// The producers as they stood at an offset: Kafka's file, which knows one batch of each, and behind it our part for the earlier
/// batches, where Kafka's readers do not look but their checksum does. Big-endian:
/// <code>
///  0  i16 version 1
///  2  u32 CRC-32C of all that follows
///  6  i32 count, then for each producer
///         i64 id, i16 epoch, i32 last sequence, i64 last offset, i32 offset delta, i64 timestamp,
///         i32 coordinator epoch, i64 first offset of the open transaction (-1 none)
///  .. u32 "LPB2", then for each producer, in the same order
///         i32 sequences that the log took up to the last one, i32 number of earlier batches, and for each of these, oldest first,
///         i32 last sequence, i64 last offset, i32 offset delta, i64 timestamp
/// </code>
/// Before "LPB2" there was "LPB1": i32 number of earlier batches, and each of them led by its producer's i64 id. It does not say what
/// was taken before them.
/// </summary>
internal static class ProducerSnapshot
{
    private const int HeaderSize = 10;
    private const int ProducerSize = 46;
    private const int BatchSize = 24;
    private const int OursSize = 8;
    private const int MarkSize = 4;
    private const uint Mark = 0x4c504232;
    private const uint MarkBefore = 0x4c504231;

    public static byte[] Encode(ProducerTable producers)
    {
        int earlier = producers.Entries.Sum(static entry => entry.Count - 1);
        byte[] bytes = new byte[HeaderSize + (producers.Count * (ProducerSize + OursSize)) + MarkSize + (earlier * BatchSize)];
        BinaryPrimitives.WriteInt16BigEndian(bytes, 1);
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(6), producers.Count);
        Span<byte> to = bytes.AsSpan(HeaderSize);
        foreach (ProducerEntry entry in producers.Entries)
        {
            WriteProducer(to, entry);
            to = to[ProducerSize..];
        }
        BinaryPrimitives.WriteUInt32BigEndian(to, Mark);
        to = to[MarkSize..];
        foreach (ProducerEntry entry in producers.Entries)
        {
            BinaryPrimitives.WriteInt32BigEndian(to, entry.Taken);
            BinaryPrimitives.WriteInt32BigEndian(to[4..], entry.Count - 1);
            to = to[OursSize..];
            for (int i = 0; i < entry.Count - 1; i++)
            {
                WriteBatch(to, entry[i]);
                to = to[BatchSize..];
            }
        }
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(2), Crc32C.Compute(bytes.AsSpan(6)));
        return bytes;
    }

    /// <summary>Reads a snapshot; null when it is missing, damaged or of a version we do not know.</summary>
    public static ProducerTable? TryRead(IFileSystem files, string path)
    {
        byte[]? bytes = AtomicFile.ReadAll(files, path);
        return bytes is null ? null : TryDecode(bytes);
    }

    /// <summary>Decodes a snapshot; null when it is damaged or of a version we do not know.</summary>
    public static ProducerTable? TryDecode(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < HeaderSize
            || BinaryPrimitives.ReadInt16BigEndian(bytes) != 1
            || BinaryPrimitives.ReadUInt32BigEndian(bytes[2..]) != Crc32C.Compute(bytes[6..]))
        {
            return null;
        }
        int count = BinaryPrimitives.ReadInt32BigEndian(bytes[6..]);
        ReadOnlySpan<byte> from = bytes[HeaderSize..];
        if (count < 0 || (long)count * ProducerSize > from.Length)
        {
            return null;
        }
        ReadOnlySpan<byte> producers = from[..(count * ProducerSize)];
        ReadOnlySpan<byte> ours = from[producers.Length..];
        // Kafka's own snapshots end before our part.
        uint mark = ours.Length < MarkSize ? 0 : BinaryPrimitives.ReadUInt32BigEndian(ours);
        return mark == Mark
            ? Decode(producers, ours[MarkSize..])
            : DecodeBefore(producers, mark == MarkBefore && ours.Length >= MarkSize + 4 ? ours[(MarkSize + 4)..] : default);
    }

    private static ProducerTable? Decode(ReadOnlySpan<byte> producers, ReadOnlySpan<byte> ours)
    {
        ProducerTable table = new();
        for (; producers.Length > 0; producers = producers[ProducerSize..])
        {
            int earlier = ours.Length < OursSize ? -1 : BinaryPrimitives.ReadInt32BigEndian(ours[4..]);
            if (earlier is < 0 or >= ProducerEntry.BatchesMax || ours.Length < OursSize + (earlier * BatchSize))
            {
                return null;
            }
            (long id, short epoch) = ReadProducer(producers);
            for (int i = 0; i < earlier; i++)
            {
                table.Add(id, epoch, ReadBatch(ours[(OursSize + (i * BatchSize))..]));
            }
            table.Add(id, epoch, ReadBatch(producers[10..])).RestoreTaken(BinaryPrimitives.ReadInt32BigEndian(ours));
            ours = ours[(OursSize + (earlier * BatchSize))..];
        }
        return table;
    }

    // A snapshot of Kafka, or of ours as it was before: what was taken before the batches in it is not known.
    private static ProducerTable DecodeBefore(ReadOnlySpan<byte> producers, ReadOnlySpan<byte> ours)
    {
        Dictionary<long, List<ProducerBatch>> earlier = [];
        for (; ours.Length >= 8 + BatchSize; ours = ours[(8 + BatchSize)..])
        {
            long id = BinaryPrimitives.ReadInt64BigEndian(ours);
            if (!earlier.TryGetValue(id, out List<ProducerBatch>? batches))
            {
                earlier.Add(id, batches = []);
            }
            batches.Add(ReadBatch(ours[8..]));
        }
        ProducerTable table = new();
        for (; producers.Length > 0; producers = producers[ProducerSize..])
        {
            (long id, short epoch) = ReadProducer(producers);
            foreach (ProducerBatch batch in earlier.GetValueOrDefault(id) ?? [])
            {
                table.Add(id, epoch, in batch);
            }
            table.Add(id, epoch, ReadBatch(producers[10..]));
        }
        return table;
    }

    private static void WriteProducer(Span<byte> to, ProducerEntry entry)
    {
        BinaryPrimitives.WriteInt64BigEndian(to, entry.ProducerId);
        BinaryPrimitives.WriteInt16BigEndian(to[8..], entry.Epoch);
        WriteBatch(to[10..], entry.Last);
        BinaryPrimitives.WriteInt32BigEndian(to[34..], -1);
        BinaryPrimitives.WriteInt64BigEndian(to[38..], -1);
    }

    private static (long Id, short Epoch) ReadProducer(ReadOnlySpan<byte> from) =>
        (BinaryPrimitives.ReadInt64BigEndian(from), BinaryPrimitives.ReadInt16BigEndian(from[8..]));

    private static void WriteBatch(Span<byte> to, ProducerBatch batch)
    {
        BinaryPrimitives.WriteInt32BigEndian(to, batch.LastSequence);
        BinaryPrimitives.WriteInt64BigEndian(to[4..], batch.LastOffset);
        BinaryPrimitives.WriteInt32BigEndian(to[12..], batch.OffsetDelta);
        BinaryPrimitives.WriteInt64BigEndian(to[16..], batch.Timestamp);
    }

    private static ProducerBatch ReadBatch(ReadOnlySpan<byte> from) => new(
        BinaryPrimitives.ReadInt32BigEndian(from),
        BinaryPrimitives.ReadInt64BigEndian(from[4..]),
        BinaryPrimitives.ReadInt32BigEndian(from[12..]),
        BinaryPrimitives.ReadInt64BigEndian(from[16..]));
}
