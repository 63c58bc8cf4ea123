using System.Buffers.Binary;
using LogPipeline.Protocol.Records;

namespace LogPipeline.Storage.Journals;

/// <summary>
/// What stands before a batch in the commit journal: where the same bytes lie in the partition's segment. Its own checksum tells,
/// when the frame around it is damaged, which batch was hit.
/// </summary>
/// <remarks>
/// <code>
///    0  crc              u32  CRC-32C of what follows, without the batch
///    4  kind             i32  JournalEntryKind
///    8  topic id         16
///   24  partition        i32
///   28  leader epoch     i32
///   32  base offset      i64
///   40  segment          i64  base offset of the segment
///   48  position         i32  of the batch in the segment's file
///   52  batch length     i32
///   56  cuts             i32  how often the log had been cut (log-cuts)
///   60  the batch as it is in the segment; nothing for Forget
/// </code>
/// </remarks>
internal readonly record struct JournalEntryHead(
    JournalEntryKind Kind, Guid TopicId, int Partition, int LeaderEpoch, long BaseOffset, long SegmentOffset, int Position, int BatchLength, int Cuts)
{
    public const int Size = 60;

    public void Write(Span<byte> to)
    {
        BinaryPrimitives.WriteInt32BigEndian(to[4..], (int)Kind);
        TopicId.TryWriteBytes(to[8..], bigEndian: true, out _);
        BinaryPrimitives.WriteInt32BigEndian(to[24..], Partition);
        BinaryPrimitives.WriteInt32BigEndian(to[28..], LeaderEpoch);
        BinaryPrimitives.WriteInt64BigEndian(to[32..], BaseOffset);
        BinaryPrimitives.WriteInt64BigEndian(to[40..], SegmentOffset);
        BinaryPrimitives.WriteInt32BigEndian(to[48..], Position);
        BinaryPrimitives.WriteInt32BigEndian(to[52..], BatchLength);
        BinaryPrimitives.WriteInt32BigEndian(to[56..], Cuts);
        BinaryPrimitives.WriteUInt32BigEndian(to, Crc32C.Compute(to[4..Size]));
    }

    /// <summary>False when the bytes are no head.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out JournalEntryHead head)
    {
        head = default;
        if (bytes.Length < Size || BinaryPrimitives.ReadUInt32BigEndian(bytes) != Crc32C.Compute(bytes[4..Size]))
        {
            return false;
        }
        head = new JournalEntryHead(
            (JournalEntryKind)BinaryPrimitives.ReadInt32BigEndian(bytes[4..]),
            new Guid(bytes.Slice(8, 16), bigEndian: true),
            BinaryPrimitives.ReadInt32BigEndian(bytes[24..]),
            BinaryPrimitives.ReadInt32BigEndian(bytes[28..]),
            BinaryPrimitives.ReadInt64BigEndian(bytes[32..]),
            BinaryPrimitives.ReadInt64BigEndian(bytes[40..]),
            BinaryPrimitives.ReadInt32BigEndian(bytes[48..]),
            BinaryPrimitives.ReadInt32BigEndian(bytes[52..]),
            BinaryPrimitives.ReadInt32BigEndian(bytes[56..]));
        return Enum.IsDefined(head.Kind) && head.BatchLength >= 0;
    }
}

/// <summary>What an entry of the commit journal says. The values are on disk.</summary>
internal enum JournalEntryKind
{
    /// <summary>A batch was appended.</summary>
    Batch = 1,

    /// <summary>Earlier entries of this partition do not count any more: the log was deleted or cut.</summary>
    Forget = 2,
}
