using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;
using LogPipeline.Protocol.Compression;
using LogPipeline.Protocol.Records;
using LogPipeline.Protocol.Records.Legacy;
using LogPipeline.Protocol.Wire;

namespace LogPipeline.Protocol.Tests.Records.Legacy;

/// <summary>Record batches to convert.</summary>
internal static class Batches
{
    /// <summary>A batch without one of its records, as compaction leaves it.</summary>
    public static byte[] WithGap(
        CompressionCodec codec, long? appendTime, (long Time, string? Key, string? Value)[] entries, int removed, long baseOffset)
    {
        using var builder = new RecordBatchBuilder(CompressionCodec.None, 1 << 20);
        foreach ((long time, string? key, string? value) in entries)
        {
            builder.TryAppend(time, key is not null, Latin(key), value is not null, Latin(value), 1, [2, (byte)'h', 2, (byte)'v']);
        }
        byte[] whole = builder.Build(7, 3, 11).ToArray();
        int at = RecordBatch.HeaderSize;
        for (int i = 0; i < removed; i++)
        {
            at += SizeAt(whole, at);
        }
        byte[] records = [.. whole[RecordBatch.HeaderSize..at], .. whole[(at + SizeAt(whole, at))..]];
        using ICompressor compressor = Compressors.Create(codec);
        byte[] buffer = [];
        int end = compressor.Compress(records, ref buffer, RecordBatch.HeaderSize);
        whole.AsSpan(0, RecordBatch.HeaderSize).CopyTo(buffer);
        byte[] batch = buffer[..end];
        BinaryPrimitives.WriteInt32BigEndian(batch.AsSpan(8), end - 12);
        BinaryPrimitives.WriteInt32BigEndian(batch.AsSpan(57), entries.Length - 1);
        batch[22] = (byte)((byte)codec | (appendTime is null ? 0 : 8));
        if (appendTime is { } time2)
        {
            BinaryPrimitives.WriteInt64BigEndian(batch.AsSpan(35), time2);
        }
        RecordBatch.Stamp(batch, baseOffset, 5);
        RecordBatch.Seal(batch);
        return batch;
    }

    /// <summary>A whole batch in another format.</summary>
    public static byte[] Down(byte[] batch, sbyte magic, long fromOffset, int bytesMax = int.MaxValue)
    {
        Assert.True(BatchHeader.TryParse(batch, out BatchHeader header));
        using var converter = new DownConverter();
        converter.TryAppend(batch, in header, magic, fromOffset, bytesMax, 64 << 20);
        using PooledRecords records = converter.Take();
        byte[] bytes = new byte[records.Length];
        records.CopyTo(bytes);
        return bytes;
    }

    public static Seen Seen(in RecordReader record) => new(
        record.Offset,
        record.Timestamp,
        record.HasKey ? Encoding.Latin1.GetString(record.Key) : null,
        record.HasValue ? Encoding.Latin1.GetString(record.Value) : null);

    /// <summary>Writes the CRC of a message anew.</summary>
    public static void SealMessage(Span<byte> message) =>
        BinaryPrimitives.WriteUInt32BigEndian(message[12..], Crc32.HashToUInt32(message[16..]));

    private static int SizeAt(byte[] bytes, int at)
    {
        Assert.True(Varint.TryRead(bytes.AsSpan(at), out long length, out int size));
        return size + (int)length;
    }

    private static byte[] Latin(string? text) => text is null ? [] : Encoding.Latin1.GetBytes(text);
}
