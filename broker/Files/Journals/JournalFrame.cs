using System.Buffers.Binary;

namespace LogPipeline.Files.Journals;

/// <summary>The bytes of a commit. All integers are big-endian.</summary>
/// <remarks>
/// A commit lies in one file. It begins at a multiple of 4,096, so that it shares no sector and no page with a commit that is
/// durable already: a torn write damages nothing acknowledged, and overwriting whole pages needs no read before.
/// <code>
///   +-------+-------+--   --+-----+-------------+
///   | frame | frame |  ...  | end | zeros       |   each frame begins at a multiple of 8
///   +-------+-------+--   --+-----+-------------+
///   ^ multiple of 4,096                         ^ multiple of 4,096
///
///   frame    0  crc      u32  CRC-32C of all that follows in the frame
///            4  length   u32  bytes of payload
///            8  life     u64  random, not 0; one opening of the journal
///           16  commit   i64
///           24  index    i32  place among the frames of its commit, from 0
///           28  kind     u32  1 payload; 2 end: no payload, index = how many frames the commit has
///           32  payload, then zeros up to a multiple of 8
/// </code>
/// A commit is there when its frames 0 … n-1 and its end are. A recycled file shows whole frames of earlier laps and lives around
/// it: those are told apart by life and commit number.
/// </remarks>
internal readonly record struct JournalFrame(ulong Life, long Commit, int Index, bool IsEnd, int Length)
{
    public const int HeaderSize = 32;
    public const int Block = 4096;

    private const uint Payload = 1;
    private const uint End = 2;
    private const int FrameAlignment = 8;

    /// <summary>Bytes of the frame in the file, up to where the next one begins.</summary>
    public int Size => SizeOf(Length);

    public static int SizeOf(int payload) => Align(HeaderSize + payload, FrameAlignment);

    public static int BlocksFor(int bytes) => Align(bytes, Block);

    /// <summary>Seals a frame whose payload is in place behind the header.</summary>
    /// <param name="frame">Header and payload, without the zeros at the end.</param>
    public void WriteHeader(Span<byte> frame, Func<ReadOnlySpan<byte>, uint> checksum)
    {
        BinaryPrimitives.WriteInt32BigEndian(frame[4..], Length);
        BinaryPrimitives.WriteUInt64BigEndian(frame[8..], Life);
        BinaryPrimitives.WriteInt64BigEndian(frame[16..], Commit);
        BinaryPrimitives.WriteInt32BigEndian(frame[24..], Index);
        BinaryPrimitives.WriteUInt32BigEndian(frame[28..], IsEnd ? End : Payload);
        BinaryPrimitives.WriteUInt32BigEndian(frame, checksum(frame[4..(HeaderSize + Length)]));
    }

    /// <summary>The life that a frame at the start of these bytes would be of.</summary>
    public static ulong LifeAt(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]);

    /// <summary>The frame at the start of these bytes; false when none is there that is whole and sound.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, Func<ReadOnlySpan<byte>, uint> checksum, out JournalFrame frame)
    {
        frame = default;
        if (bytes.Length < HeaderSize)
        {
            return false;
        }
        int length = BinaryPrimitives.ReadInt32BigEndian(bytes[4..]);
        if (length < 0
            || length > bytes.Length - HeaderSize
            || BinaryPrimitives.ReadUInt32BigEndian(bytes) != checksum(bytes[4..(HeaderSize + length)]))
        {
            return false;
        }
        uint kind = BinaryPrimitives.ReadUInt32BigEndian(bytes[28..]);
        frame = new JournalFrame(
            LifeAt(bytes),
            BinaryPrimitives.ReadInt64BigEndian(bytes[16..]),
            BinaryPrimitives.ReadInt32BigEndian(bytes[24..]),
            kind == End,
            length);
        return kind is Payload or End && frame.Index >= 0;
    }

    private static int Align(int bytes, int to) => checked(bytes + to - 1) / to * to;
}
