using System.Buffers.Binary;

namespace LogPipeline.Contract;

/// <summary>What is unusual about a record. The values are written into records and never change.</summary>
[Flags]
public enum PositionFlags : byte
{
    None = 0,

    /// <summary>The line ended in CR LF; neither byte is in the record's value.</summary>
    CarriageReturn = 1,

    /// <summary>The line has no line feed: the file generation ended without one, or the rest of a container's line did not come in time.</summary>
    NoNewline = 2,

    /// <summary>The line was longer than the limit; this record is one of its parts.</summary>
    Cut = 4,

    /// <summary>The agent cannot know whether this range was delivered before: a sink drops it where its store already has the range.</summary>
    Again = 8,

    /// <summary>The agent's clock was far off, so the record carries the nearest plausible timestamp instead.</summary>
    TimestampClamped = 16,

    /// <summary>
    /// The value is not the file's bytes: it was decoded, taken out of a container's line, joined, or redacted. Its range of the file is
    /// proved by <see cref="RecordPosition.FileSum"/>.
    /// </summary>
    Shaped = 32,
}

/// <summary>
/// Where a record's bytes lie in a file: the value of the header <c>pos</c>. Positions are bytes from the start of the generation.
/// </summary>
/// <remarks>
/// <code>
/// big-endian
///   0  version        u8    1
///   1  flags          u8    PositionFlags
///   2  agent id       16    names one life of an agent's state directory
///  18  generation     u64   names one life of one file
///  26  covered begin  i64   end of the record before, so that stored ranges merge without holes
///  34  line begin     i64   first byte of the whole line; the same in all its parts
///  42  end            i64   after the terminator, or after the part's last byte
///  50  part           i32   0 = a whole line, else 1, 2, ...
///  54  last           u8    1 on a whole line and on the last part
///  55  file sum       u24   with the flag Shaped; else zero
/// </code>
/// </remarks>
/// <param name="Flags">What is unusual about the record.</param>
/// <param name="AgentId">Random identity of one life of an agent's state directory.</param>
/// <param name="Generation">Random identity of one life of one file.</param>
/// <param name="CoveredBegin">First byte of the range that this record accounts for: the end of the record before it.</param>
/// <param name="LineBegin">First byte of the whole line; the same in all parts of a long line.</param>
/// <param name="End">One past the terminator, or past the last byte of this part.</param>
/// <param name="Part">0 for a whole line, else the part's number from 1.</param>
/// <param name="IsLast">True on a whole line and on the last part.</param>
public readonly record struct RecordPosition(
    PositionFlags Flags, Guid AgentId, ulong Generation, long CoveredBegin, long LineBegin, long End, int Part, bool IsLast)
{
    /// <summary>Length of the encoded position in bytes.</summary>
    public const int Size = 58;

    /// <summary>Index of the flags byte, for those who set a flag in an encoded position.</summary>
    public const int FlagsOffset = 1;

    /// <summary>Index of the file sum, for those who write it into an encoded position.</summary>
    public const int FileSumOffset = 55;

    private const byte Version = 1;

    /// <summary>
    /// Of a record with <see cref="PositionFlags.Shaped"/>: <see cref="RecordSum.OfFile"/> of the file's bytes from <see cref="FileBegin"/> to
    /// <see cref="End"/>, so that the record can be held against its file. Else 0.
    /// </summary>
    public int FileSum { get; init; }

    /// <summary>First byte of the record's own bytes in the file: a later part of a line begins where the part before it ended.</summary>
    public long FileBegin => Math.Max(CoveredBegin, LineBegin);

    /// <summary>Writes the position into the first <see cref="Size"/> bytes of <paramref name="to"/>.</summary>
    public void Write(Span<byte> to)
    {
        to = to[..Size];
        to[0] = Version;
        to[FlagsOffset] = (byte)Flags;
        AgentId.TryWriteBytes(to[2..], bigEndian: true, out _);
        BinaryPrimitives.WriteUInt64BigEndian(to[18..], Generation);
        BinaryPrimitives.WriteInt64BigEndian(to[26..], CoveredBegin);
        BinaryPrimitives.WriteInt64BigEndian(to[34..], LineBegin);
        BinaryPrimitives.WriteInt64BigEndian(to[42..], End);
        BinaryPrimitives.WriteInt32BigEndian(to[50..], Part);
        to[54] = IsLast ? (byte)1 : (byte)0;
        WriteFileSum(to[FileSumOffset..], FileSum);
    }

    /// <summary>Writes a file sum of 24 bits.</summary>
    public static void WriteFileSum(Span<byte> to, int sum)
    {
        to[0] = (byte)(sum >> 16);
        BinaryPrimitives.WriteUInt16BigEndian(to[1..], (ushort)sum);
    }

    /// <summary>Reads a header value; returns false when it has another length or version, or contradicts itself.</summary>
    public static bool TryRead(ReadOnlySpan<byte> from, out RecordPosition position)
    {
        if (from.Length != Size || from[0] != Version)
        {
            position = default;
            return false;
        }
        position = new RecordPosition(
            (PositionFlags)from[FlagsOffset],
            new Guid(from.Slice(2, 16), bigEndian: true),
            BinaryPrimitives.ReadUInt64BigEndian(from[18..]),
            BinaryPrimitives.ReadInt64BigEndian(from[26..]),
            BinaryPrimitives.ReadInt64BigEndian(from[34..]),
            BinaryPrimitives.ReadInt64BigEndian(from[42..]),
            BinaryPrimitives.ReadInt32BigEndian(from[50..]),
            from[54] != 0)
        {
            FileSum = (from[FileSumOffset] << 16) | BinaryPrimitives.ReadUInt16BigEndian(from[(FileSumOffset + 1)..]),
        };
        return position is { CoveredBegin: >= 0, LineBegin: >= 0, Part: >= 0 }
            && position.CoveredBegin < position.End
            && position.LineBegin < position.End;
    }
}
