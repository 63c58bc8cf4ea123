using LogPipeline.Files;
using LogPipeline.Protocol.Records;

namespace LogPipeline.Storage.Segments;

/// <summary>Walks a segment's batches by their headers.</summary>
internal static class SegmentScan
{
    /// <summary>The header of the batch at a position; false when no whole batch lies there before the limit.</summary>
    public static bool TryReadHeader(IFile file, long position, long limit, out BatchHeader header)
    {
        header = default;
        Span<byte> bytes = stackalloc byte[RecordBatch.HeaderSize];
        return position >= 0
            && position + RecordBatch.HeaderSize <= limit
            && file.ReadFully(bytes, position) == bytes.Length
            && BatchHeader.TryParse(bytes, out header)
            && position + header.SizeInBytes <= limit;
    }

    /// <summary>The batch that holds an offset, or the first one behind it.</summary>
    /// <param name="segment">With its indexes loaded.</param>
    /// <param name="file">Its file.</param>
    /// <param name="offset">Below the offset that <paramref name="limit"/> stands for.</param>
    /// <param name="limit">A batch border, in bytes.</param>
    public static (long Position, BatchHeader Header) Find(LogSegment segment, IFile file, long offset, long limit)
    {
        long position = segment.Offsets.PositionBefore(offset);
        if (!TryReadHeader(file, position, limit, out BatchHeader header) || header.BaseOffset > offset)
        {
            position = 0; // an index that lies: walk from the start
        }
        while (TryReadHeader(file, position, limit, out header))
        {
            if (header.LastOffset >= offset)
            {
                return (position, header);
            }
            position += header.SizeInBytes;
        }
        throw new CorruptLogException(segment.Path, position, offset, "no record batch begins here");
    }

    /// <summary>The position of the batch border at an offset.</summary>
    public static long? BorderAt(LogSegment segment, IFile file, long offset, long limit)
    {
        if (offset == segment.BaseOffset)
        {
            return 0;
        }
        long position = segment.Offsets.PositionBefore(offset);
        while (TryReadHeader(file, position, limit, out BatchHeader header) && header.BaseOffset < offset)
        {
            position += header.SizeInBytes;
            if (header.NextOffset == offset)
            {
                return position;
            }
        }
        return TryReadHeader(file, position, limit, out BatchHeader at) && at.BaseOffset == offset ? position : null;
    }
}
