using System.Buffers.Binary;
using LogPipeline.Files;
using LogPipeline.Protocol.Records;

namespace LogPipeline.Storage.Producers;

/// <summary>
/// The producers as they stood at an offset: Kafka's file, which knows one batch of each, and behind it ours for the earlier
/// batches, where Kafka's readers do not look but their checksum does. Big-endian:
/// <code>
///  0  i16 version 1
///  2  u32 CRC-32C of all that follows
///  6  i32 count, then for each producer
///         i64 id, i16 epoch, i32 last sequence, i64 last offset, i32 offset delta, i64 timestamp,
///         i32 coordinator epoch, i64 first offset of the open transaction (-1 none)
///  .. u32 "LPB1", i32 count, then for each earlier batch, oldest first
///         i64 id, i32 last sequence, i64 last offset, i32 offset delta, i64 timestamp
/// </code>
/// </summary>
internal static class ProducerSnapshot
{
    private const int HeaderSize = 10;
    private const int ProducerSize = 46;
    private const int EarlierSize = 32;
    private const uint EarlierMark = 0x4c504231;

    public static byte[] Encode(ProducerTable producers)
    {
        int earlier = producers.Entries.Sum(static entry => entry.Count - 1);
        byte[] bytes = new byte[HeaderSize + (producers.Count * ProducerSize) + 8 + (earlier * EarlierSize)];
        BinaryPrimitives.WriteInt16BigEndian(bytes, 1);
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(6), producers.Count);
        Span<byte> to = bytes.AsSpan(HeaderSize);
        foreach (ProducerEntry entry in producers.Entries)
        {
            WriteProducer(to, entry);
            to = to[ProducerSize..];
        }
        BinaryPrimitives.WriteUInt32BigEndian(to, EarlierMark);
        BinaryPrimitives.WriteInt32BigEndian(to[4..], earlier);
        to = to[8..];
        foreach (ProducerEntry entry in producers.Entries)
        {
            for (int i = 0; i < entry.Count - 1; i++)
            {
                WriteEarlier(to, entry.ProducerId, entry[i]);
                to = to[EarlierSize..];
            }
        }
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(2), Crc32C.Compute(bytes.AsSpan(6)));
        return bytes;
    }

    /// <summary>Reads a snapshot; null when it is missing, damaged or of a version we do not know.</summary>
    public static ProducerTable? TryRead(IFileSystem files, string path)
    {
        byte[]? bytes = AtomicFile.ReadAll(files, path);
        return bytes is { Length: >= HeaderSize }
            && BinaryPrimitives.ReadInt16BigEndian(bytes) == 1
            && BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(2)) == Crc32C.Compute(bytes.AsSpan(6))
                ? Decode(bytes)
                : null;
    }

    private static ProducerTable? Decode(ReadOnlySpan<byte> bytes)
    {
        int count = BinaryPrimitives.ReadInt32BigEndian(bytes[6..]);
        ReadOnlySpan<byte> from = bytes[HeaderSize..];
        if (count < 0 || (long)count * ProducerSize > from.Length)
        {
            return null;
        }
        ReadOnlySpan<byte> producers = from[..(count * ProducerSize)];
        Dictionary<long, List<ProducerBatch>> earlier = DecodeEarlier(from[producers.Length..]);
        var table = new ProducerTable();
        for (; producers.Length > 0; producers = producers[ProducerSize..])
        {
            long id = BinaryPrimitives.ReadInt64BigEndian(producers);
            short epoch = BinaryPrimitives.ReadInt16BigEndian(producers[8..]);
            foreach (ProducerBatch batch in earlier.GetValueOrDefault(id) ?? [])
            {
                table.Add(id, epoch, in batch);
            }
            table.Add(id, epoch, ReadBatch(producers[10..]));
        }
        return table;
    }

    // Kafka's own snapshots end before this part.
    private static Dictionary<long, List<ProducerBatch>> DecodeEarlier(ReadOnlySpan<byte> from)
    {
        var earlier = new Dictionary<long, List<ProducerBatch>>();
        if (from.Length < 8 || BinaryPrimitives.ReadUInt32BigEndian(from) != EarlierMark)
        {
            return earlier;
        }
        for (from = from[8..]; from.Length >= EarlierSize; from = from[EarlierSize..])
        {
            long id = BinaryPrimitives.ReadInt64BigEndian(from);
            if (!earlier.TryGetValue(id, out List<ProducerBatch>? batches))
            {
                earlier.Add(id, batches = []);
            }
            batches.Add(ReadBatch(from[8..]));
        }
        return earlier;
    }

    private static void WriteProducer(Span<byte> to, ProducerEntry entry)
    {
        BinaryPrimitives.WriteInt64BigEndian(to, entry.ProducerId);
        BinaryPrimitives.WriteInt16BigEndian(to[8..], entry.Epoch);
        WriteBatch(to[10..], entry.Last);
        BinaryPrimitives.WriteInt32BigEndian(to[34..], -1);
        BinaryPrimitives.WriteInt64BigEndian(to[38..], -1);
    }

    private static void WriteEarlier(Span<byte> to, long producerId, ProducerBatch batch)
    {
        BinaryPrimitives.WriteInt64BigEndian(to, producerId);
        WriteBatch(to[8..], batch);
    }

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
