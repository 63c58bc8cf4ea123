using System.Buffers.Binary;
using K4os.Compression.LZ4;

namespace LogPipeline.Protocol.Compression;

/// <summary>
/// LZ4 frames (https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md). Writes what Kafka's clients write and all of them read:
/// independent blocks of 64 KiB without checksums. Reads every valid frame without a dictionary, and several of them.
/// </summary>
/// <param name="level">How hard to compress.</param>
/// <param name="ofFormat0">
/// For message sets of format 0. Kafka's first lz4 had the header checksum cover the magic too (KAFKA-3160): readers of format 0 expect
/// that value, and since other writers are right, it is not checked there.
/// </param>
internal sealed class Lz4Compressor(int level, bool ofFormat0 = false) : ICompressor
{
    /// <summary>Kafka's default, which is its fast compressor.</summary>
    public const int DefaultLevel = 9;

    private const int BlockSize = 64 << 10;

    /// <summary>The high bit of a block's size: the block is not compressed.</summary>
    private const uint Stored = 0x8000_0000;

    /// <summary>A byte of a compressed block stands for at most so many bytes: it can lengthen a match by 255.</summary>
    private const int RatioMax = 255;

    private readonly LZ4Level _level = level == DefaultLevel ? LZ4Level.L00_FAST : (LZ4Level)Math.Clamp(level, 3, 12);

    // Magic; version 1 with independent blocks; blocks of 64 KiB; header checksum.
    private static ReadOnlySpan<byte> FrameHeader => [0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82];

    /// <summary>The header checksum of the same header where it covers the magic too.</summary>
    private static byte Format0Checksum { get; } = Lz4FrameHeader.Checksum(FrameHeader[..^1]);

    public int Compress(ReadOnlySpan<byte> plain, ref byte[] buffer, int start)
    {
        int blocks = (plain.Length + BlockSize - 1) / BlockSize;
        int bound = checked(FrameHeader.Length + (blocks * (4 + LZ4Codec.MaximumOutputSize(BlockSize))) + 4);
        PooledBytes.Grow(ref buffer, checked(start + bound), keep: start);
        Span<byte> to = buffer.AsSpan(start);
        FrameHeader.CopyTo(to);
        if (ofFormat0)
        {
            to[FrameHeader.Length - 1] = Format0Checksum;
        }
        int at = FrameHeader.Length;
        for (int from = 0; from < plain.Length; from += BlockSize)
        {
            ReadOnlySpan<byte> block = plain.Slice(from, Math.Min(BlockSize, plain.Length - from));
            int size = LZ4Codec.Encode(block, to[(at + 4)..], _level);
            uint sizeField = (uint)size;
            if (size <= 0 || size >= block.Length)
            {
                block.CopyTo(to[(at + 4)..]);
                size = block.Length;
                sizeField = (uint)size | Stored;
            }
            BinaryPrimitives.WriteUInt32LittleEndian(to[at..], sizeField);
            at += 4 + size;
        }
        BinaryPrimitives.WriteUInt32LittleEndian(to[at..], 0);
        return start + at + 4;
    }

    public int Decompress(ReadOnlySpan<byte> packed, ref byte[] buffer, int bytesMax)
    {
        if (packed.IsEmpty)
        {
            throw new CorruptRecordException("lz4: no frame");
        }
        int length = 0;
        while (!packed.IsEmpty)
        {
            packed = packed[Lz4FrameHeader.Read(packed, !ofFormat0, out Lz4FrameHeader frame)..];
            if (!frame.IsSkipped)
            {
                packed = packed[Blocks(packed, in frame, ref buffer, ref length, bytesMax)..];
            }
        }
        return length;
    }

    public void Dispose()
    {
    }

    // Appends what the blocks of one frame unpack to; returns their size with the end mark and the content checksum.
    private static int Blocks(ReadOnlySpan<byte> from, in Lz4FrameHeader frame, ref byte[] buffer, ref int length, int bytesMax)
    {
        int start = length;
        int at = 0;
        while (true)
        {
            uint sizeField = Lz4FrameHeader.UInt32At(from, at);
            at += 4;
            if (sizeField == 0)
            {
                break;
            }
            uint size = sizeField & ~Stored;
            int sizeMax = Math.Min(frame.BlockSizeMax, from.Length - at);
            if (size > sizeMax)
            {
                throw new CorruptRecordException($"lz4: a block of {size} bytes, where {sizeMax} can be");
            }
            ReadOnlySpan<byte> block = from.Slice(at, (int)size);
            at += block.Length;
            if (frame.HasBlockChecksums)
            {
                Lz4FrameHeader.RequireChecksum(block, Lz4FrameHeader.UInt32At(from, at));
                at += 4;
            }
            length = Block(block, (sizeField & Stored) != 0, in frame, ref buffer, start, length, bytesMax);
        }
        if (frame.HasContentChecksum)
        {
            Lz4FrameHeader.RequireChecksum(buffer.AsSpan(start, length - start), Lz4FrameHeader.UInt32At(from, at));
            at += 4;
        }
        return at;
    }

    // Appends what one block unpacks to; returns the new length. A frame's linked blocks refer back to what the ones before gave.
    private static int Block(
        ReadOnlySpan<byte> block, bool isStored, in Lz4FrameHeader frame, ref byte[] buffer, int frameStart, int length, int bytesMax)
    {
        // Room for one byte too many tells a batch that ends at the limit from one that goes on.
        long most = isStored ? block.Length : Math.Min(frame.BlockSizeMax, (long)block.Length * RatioMax);
        int room = (int)Math.Min(most, (long)bytesMax + 1 - length);
        PooledBytes.Grow(ref buffer, length + room, keep: length, most: bytesMax + 1);
        int count;
        if (isStored)
        {
            block[..room].CopyTo(buffer.AsSpan(length));
            count = room;
        }
        else
        {
            Span<byte> to = buffer.AsSpan(length, room);
            int dictionary = frame.IsLinked ? Math.Min(length - frameStart, BlockSize) : 0;
            count = dictionary == 0
                ? LZ4Codec.Decode(block, to)
                : LZ4Codec.Decode(block, to, buffer.AsSpan(length - dictionary, dictionary));
        }
        if (count < 0 && room < most)
        {
            count = room; // the block is longer than the room that the limit leaves
        }
        if (count < 0)
        {
            throw new CorruptRecordException("lz4: a block is damaged");
        }
        return length + count <= bytesMax ? length + count : throw Compressors.TooLong("lz4", bytesMax);
    }
}
