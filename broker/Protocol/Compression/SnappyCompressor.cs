using System.Buffers.Binary;
using Snappier;

namespace LogPipeline.Protocol.Compression;

/// <summary>
/// Snappy. Writes the framing of Java's clients (xerial), big-endian: <c>82 "SNAPPY" 00 | i32 version 1 | i32 compatible version 1</c>,
/// then for every 32 KiB <c>i32 length | block</c>. Reads it, and the one bare block that librdkafka, sarama and others write.
/// </summary>
internal sealed class SnappyCompressor : ICompressor
{
    private const int BlockSize = 32 << 10;
    private const int FrameHeaderSize = 16;

    /// <summary>A byte of a block stands for less than so many bytes: three bytes copy 64 at most.</summary>
    private const int RatioMax = 22;

    private static ReadOnlySpan<byte> FrameHeader =>
        [0x82, (byte)'S', (byte)'N', (byte)'A', (byte)'P', (byte)'P', (byte)'Y', 0, 0, 0, 0, 1, 0, 0, 0, 1];

    private static ReadOnlySpan<byte> Magic => FrameHeader[..8];

    public int Compress(ReadOnlySpan<byte> plain, ref byte[] buffer, int start)
    {
        int blocks = (plain.Length + BlockSize - 1) / BlockSize;
        int bound = checked(FrameHeaderSize + (blocks * (4 + Snappy.GetMaxCompressedLength(BlockSize))));
        PooledBytes.Grow(ref buffer, checked(start + bound), keep: start);
        Span<byte> to = buffer.AsSpan(start);
        FrameHeader.CopyTo(to);
        int at = FrameHeaderSize;
        for (int from = 0; from < plain.Length; from += BlockSize)
        {
            int size = Snappy.Compress(plain.Slice(from, Math.Min(BlockSize, plain.Length - from)), to[(at + 4)..]);
            BinaryPrimitives.WriteInt32BigEndian(to[at..], size);
            at += 4 + size;
        }
        return start + at;
    }

    public int Decompress(ReadOnlySpan<byte> packed, ref byte[] buffer, int bytesMax)
    {
        if (!packed.StartsWith(Magic))
        {
            return Block(packed, ref buffer, 0, bytesMax);
        }
        if (packed.Length < FrameHeaderSize)
        {
            throw new CorruptRecordException("snappy: the frame ends early");
        }
        int length = 0;
        for (packed = packed[FrameHeaderSize..]; !packed.IsEmpty;)
        {
            int size = packed.Length < 4 ? -1 : BinaryPrimitives.ReadInt32BigEndian(packed);
            if (size < 0 || size > packed.Length - 4)
            {
                throw new CorruptRecordException($"snappy: a block of {size} bytes, where {Math.Max(0, packed.Length - 4)} are left");
            }
            length = Block(packed.Slice(4, size), ref buffer, length, bytesMax);
            packed = packed[(4 + size)..];
        }
        return length;
    }

    public void Dispose()
    {
    }

    // Appends what one block unpacks to; returns the new length.
    private static int Block(ReadOnlySpan<byte> block, ref byte[] buffer, int length, int bytesMax)
    {
        try
        {
            long unpacked = (uint)Snappy.GetUncompressedLength(block);
            if (length + unpacked > bytesMax)
            {
                throw Compressors.TooLong("snappy", bytesMax);
            }
            if (unpacked > (long)block.Length * RatioMax)
            {
                throw new CorruptRecordException($"snappy: a block of {block.Length} bytes says that it unpacks to {unpacked}");
            }
            PooledBytes.Grow(ref buffer, length + (int)unpacked, keep: length, most: bytesMax);
            return length + Snappy.Decompress(block, buffer.AsSpan(length, (int)unpacked));
        }
        catch (Exception e) when (e is InvalidDataException or ArgumentException)
        {
            throw new CorruptRecordException("snappy: " + e.Message, e);
        }
    }
}
