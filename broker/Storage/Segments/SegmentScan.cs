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

    /// <summary>The batch that holds an offset, or the first one behind it; null when compaction has left none behind it.</summary>
    /// <param name="segment">With its indexes loaded.</param>
    /// <param name="file">Its file.</param>
    /// <param name="offset">Below the offset that <paramref name="limit"/> stands for.</param>
    /// <param name="limit">A batch border, in bytes.</param>
    /// <param name="damaged">What of the log is known to be damaged: it is stepped over.</param>
    public static (long Position, BatchHeader Header)? Find(LogSegment segment, IFile file, long offset, long limit, DamagedBatch[] damaged)
    {
        long position = DamagedBatch.StepOver(damaged, segment.BaseOffset, segment.Offsets.PositionBefore(offset));
        if (!TryReadHeader(file, position, limit, out BatchHeader header) || header.BaseOffset > offset)
        {
            position = DamagedBatch.StepOver(damaged, segment.BaseOffset, 0); // an index that lies: walk from the start
        }
        while (TryReadHeader(file, position, limit, out header))
        {
            if (header.LastOffset >= offset)
            {
                return (position, header);
            }
            position = DamagedBatch.StepOver(damaged, segment.BaseOffset, position + header.SizeInBytes);
        }
        return position >= limit ? null : throw new CorruptLogException(segment.Path, position, offset, "no record batch begins here");
    }

    /// <summary>The position of the batch border at an offset; null when there is none.</summary>
    /// <param name="segment">With its indexes loaded up to the offset.</param>
    /// <param name="file">Its file.</param>
    /// <param name="offset">Behind the segment's base offset.</param>
    /// <param name="limit">Where the file's batches end, in bytes.</param>
    /// <param name="cleanOffset">Up to here offsets may be missing: the border lies before the first batch behind.</param>
    public static long? BorderAt(LogSegment segment, IFile file, long offset, long limit, long cleanOffset)
    {
        long position = segment.Offsets.PositionBefore(offset);
        long end = -1;
        BatchHeader header;
        while (TryReadHeader(file, position, limit, out header) && header.BaseOffset < offset)
        {
            position += header.SizeInBytes;
            end = header.NextOffset;
        }
        bool isBorder = end == offset || header.BaseOffset == offset;
        bool isInHole = end < offset && offset <= cleanOffset && (position == limit || header.BaseOffset > offset);
        return isBorder || isInHole ? position : null;
    }
}
