using System.Buffers.Binary;
using System.IO.Hashing;

namespace LogPipeline.Protocol.Compression;

/// <summary>
/// What precedes the blocks of an LZ4 frame, little-endian:
/// <code>
/// u32 magic 0x184D2204
/// u8  flags: 7-6 version 1, 5 blocks are independent, 4 block checksums, 3 content size, 2 content checksum, 1 zero, 0 dictionary
/// u8  bits 6-4 the largest block: 4 = 64 KiB, 5 = 256 KiB, 6 = 1 MiB, 7 = 4 MiB
/// [u64 content size] [u32 dictionary]
/// u8  second byte of the xxHash-32 of all since the flags
/// </code>
/// A frame to be skipped is a magic of 0x184D2A50 to 5F, a u32 size and so many bytes.
/// </summary>
internal readonly struct Lz4FrameHeader
{
    private const uint Magic = 0x184D2204;
    private const uint SkippedMagic = 0x184D2A50;

    private readonly byte _flags;

    private Lz4FrameHeader(byte flags, byte block)
    {
        _flags = flags;
        BlockSizeMax = 1 << (8 + (2 * (block >> 4)));
    }

    /// <summary>The frame holds no blocks.</summary>
    public bool IsSkipped => _flags == 0;

    /// <summary>Blocks refer back to the 64 KiB before them.</summary>
    public bool IsLinked => (_flags & 0x20) == 0;

    public bool HasBlockChecksums => (_flags & 0x10) != 0;

    public bool HasContentChecksum => (_flags & 0x04) != 0;

    /// <summary>The most that a block unpacks to, in bytes.</summary>
    public int BlockSizeMax { get; }

    /// <summary>Reads a header, or a whole frame that is to be skipped.</summary>
    /// <param name="from">The bytes from the magic on.</param>
    /// <param name="checksChecksum">Whether a wrong header checksum is refused.</param>
    /// <param name="header">The header.</param>
    /// <returns>The bytes that it takes.</returns>
    /// <exception cref="CorruptRecordException">This is no LZ4 frame, or one that needs a dictionary.</exception>
    public static int Read(ReadOnlySpan<byte> from, bool checksChecksum, out Lz4FrameHeader header)
    {
        header = default;
        uint magic = UInt32At(from, 0);
        if ((magic & ~0xfu) == SkippedMagic)
        {
            uint size = UInt32At(from, 4);
            return size <= from.Length - 8 ? 8 + (int)size : throw Early();
        }
        if (magic != Magic || from.Length < 7)
        {
            throw new CorruptRecordException("lz4: no frame");
        }
        byte flags = from[4];
        byte block = from[5];
        if ((flags & 0xc3) != 0x40 || (block & 0x8f) != 0 || block < 0x40)
        {
            throw new CorruptRecordException($"lz4: a frame of flags {flags:x2} {block:x2} is not known");
        }
        int checksumAt = (flags & 0x08) != 0 ? 14 : 6;
        if (from.Length <= checksumAt)
        {
            throw Early();
        }
        if (checksChecksum && from[checksumAt] != Checksum(from[4..checksumAt]))
        {
            throw new CorruptRecordException("lz4: the frame header's checksum is wrong");
        }
        header = new Lz4FrameHeader(flags, block);
        return checksumAt + 1;
    }

    /// <summary>The checksum byte of a header.</summary>
    public static byte Checksum(ReadOnlySpan<byte> header) => (byte)(XxHash32.HashToUInt32(header) >> 8);

    public static uint UInt32At(ReadOnlySpan<byte> from, int at) =>
        at <= from.Length - 4 ? BinaryPrimitives.ReadUInt32LittleEndian(from[at..]) : throw Early();

    public static void RequireChecksum(ReadOnlySpan<byte> bytes, uint expected)
    {
        if (XxHash32.HashToUInt32(bytes) != expected)
        {
            throw new CorruptRecordException("lz4: a checksum is wrong");
        }
    }

    private static CorruptRecordException Early() => new("lz4: the frame ends early");
}
