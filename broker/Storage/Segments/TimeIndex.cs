using System.Buffers.Binary;
using LogPipeline.Files;

namespace LogPipeline.Storage.Segments;

/// <summary>
/// The largest timestamp up to some offsets of a segment; sparse, both columns ascend. Entry, big-endian:
/// <code>
/// 0  i64  largest timestamp so far
/// 8  i32  last offset of the batch that holds it - base offset
/// </code>
/// </summary>
internal sealed class TimeIndex(IFileSystem files, OpenFiles open, string path, long baseOffset)
{
    public const int EntrySize = 12;

    private readonly IndexFile _entries = new(files, open, path, EntrySize);

    public IndexFile Entries => _entries;

    /// <summary>Adds an entry if the timestamp is larger than the last one.</summary>
    public void Append(long timestamp, long lastOffset)
    {
        int count = _entries.Count;
        if (timestamp < 0 || (count > 0 && timestamp <= this[count - 1].Timestamp))
        {
            return;
        }
        Span<byte> entry = stackalloc byte[EntrySize];
        BinaryPrimitives.WriteInt64BigEndian(entry, timestamp);
        BinaryPrimitives.WriteInt32BigEndian(entry[8..], checked((int)(lastOffset - baseOffset)));
        _entries.Append(entry);
    }

    public (long Timestamp, long LastOffset) this[int index]
    {
        get
        {
            Span<byte> entry = stackalloc byte[EntrySize];
            _entries.Read(index, entry);
            return (BinaryPrimitives.ReadInt64BigEndian(entry), baseOffset + BinaryPrimitives.ReadInt32BigEndian(entry[8..]));
        }
    }

    /// <summary>An offset before which no record has this timestamp or a later one.</summary>
    public long OffsetBefore(long timestamp)
    {
        int count = _entries.CountWhile(
            static (index, entry, limit) => !IsPadding(index, entry) && BinaryPrimitives.ReadInt64BigEndian(entry) < limit, timestamp);
        return count == 0 ? baseOffset : this[count - 1].LastOffset + 1;
    }

    /// <summary>Entries of batches that end before the offset.</summary>
    public int CountBelow(long offset) => _entries.CountWhile(
        static (index, entry, relative) => !IsPadding(index, entry) && BinaryPrimitives.ReadInt32BigEndian(entry[8..]) < relative,
        offset - baseOffset);

    private static bool IsPadding(int index, ReadOnlySpan<byte> entry) => index > 0 && BinaryPrimitives.ReadInt64BigEndian(entry) == 0;
}
