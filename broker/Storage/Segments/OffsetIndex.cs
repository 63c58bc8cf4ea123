using System.Buffers.Binary;
using LogPipeline.Files;

namespace LogPipeline.Storage.Segments;

/// <summary>
/// Where in a segment offsets are; sparse. Entry, big-endian:
/// <code>
/// 0  i32  last offset of a batch - base offset
/// 4  i32  position at which that batch begins
/// </code>
/// </summary>
internal sealed class OffsetIndex(IFileSystem files, OpenFiles open, string path, long baseOffset)
{
    public const int EntrySize = 8;

    private readonly IndexFile _entries = new(files, open, path, EntrySize);

    public IndexFile Entries => _entries;

    public void Append(long lastOffset, long position)
    {
        Span<byte> entry = stackalloc byte[EntrySize];
        BinaryPrimitives.WriteInt32BigEndian(entry, checked((int)(lastOffset - baseOffset)));
        BinaryPrimitives.WriteInt32BigEndian(entry[4..], checked((int)position));
        _entries.Append(entry);
    }

    public (long LastOffset, long Position) this[int index]
    {
        get
        {
            Span<byte> entry = stackalloc byte[EntrySize];
            _entries.Read(index, entry);
            return (baseOffset + BinaryPrimitives.ReadInt32BigEndian(entry), BinaryPrimitives.ReadInt32BigEndian(entry[4..]));
        }
    }

    /// <summary>The position in the last entry; 0 when there is none.</summary>
    public long LastPosition => _entries.Count is > 0 and int count ? this[count - 1].Position : 0;

    /// <summary>A position at which a batch begins, at or before the batch that holds the offset.</summary>
    public long PositionBefore(long offset)
    {
        int count = CountBelow(offset);
        return count < _entries.Count && this[count].LastOffset == offset ? this[count].Position : count == 0 ? 0 : this[count - 1].Position;
    }

    /// <summary>The last indexed batch border at or before a position; 0 when there is none.</summary>
    public long BorderBefore(long position) => LastAt(position)?.Position ?? 0;

    /// <summary>The last entry whose batch begins at or before a position; null when there is none.</summary>
    public (long LastOffset, long Position)? LastAt(long position)
    {
        int count = _entries.CountWhile(
            static (index, entry, limit) => !IsPadding(index, entry) && BinaryPrimitives.ReadInt32BigEndian(entry[4..]) <= limit, position);
        return count == 0 ? null : this[count - 1];
    }

    /// <summary>Entries of batches that end before the offset.</summary>
    public int CountBelow(long offset) => _entries.CountWhile(
        static (index, entry, relative) => !IsPadding(index, entry) && BinaryPrimitives.ReadInt32BigEndian(entry) < relative,
        offset - baseOffset);

    // Kafka preallocates the file with zeros, and leaves them there when it crashes.
    private static bool IsPadding(int index, ReadOnlySpan<byte> entry) => index > 0 && BinaryPrimitives.ReadInt64BigEndian(entry) == 0;
}
