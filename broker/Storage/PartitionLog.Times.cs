using System.Buffers;
using LogPipeline.Files;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Compression;
using LogPipeline.Protocol.Records;
using LogPipeline.Storage.Segments;

namespace LogPipeline.Storage;

/// <summary>
/// Offsets by time, below a limit that the caller sets. A batch is passed over by what its header says, so it must be sound: a search that
/// comes to a damaged one says so, since what is looked for may be in it.
/// </summary>
public sealed partial class PartitionLog
{
    /// <summary>The first record at or after a time (milliseconds since 1970), below a limit; null when there is none.</summary>
    /// <exception cref="IOException">The disk refused, or the log is damaged there.</exception>
    public TimedOffset? OffsetForTime(long timestamp, long limitOffset) =>
        WhileRemoved(start => OffsetForTime(timestamp, EndAt(limitOffset), start));

    /// <summary>The record with the largest timestamp below a limit; null when there is none.</summary>
    /// <exception cref="IOException">The disk refused, or the log is damaged there.</exception>
    public TimedOffset? MaxTimestamp(long limitOffset) =>
        WhileRemoved(_ => LargestTimestamp(EndAt(limitOffset))) is >= 0 and var largest ? OffsetForTime(largest, limitOffset) : null;

    // Segments may be removed while they are read: then the log's start has risen, and what is left is looked at again.
    private T WhileRemoved<T>(Func<long, T> look)
    {
        HashSet<string> examined = [];
        while (true)
        {
            long start = LogStartOffset;
            try
            {
                return look(start);
            }
            catch (FileNotFoundException) when (LogStartOffset > start)
            {
            }
            catch (CorruptLogException e) when (examined.Add(e.DamagedFile))
            {
                Examine(e.DamagedFile);
            }
        }
    }

    private TimedOffset? OffsetForTime(long timestamp, LogEnd end, long start)
    {
        foreach (LogSegment segment in SegmentsTo(end))
        {
            RequireIndexes(segment);
            if (segment.MaxTimestamp < timestamp)
            {
                continue;
            }
            long limit = LimitOf(segment, end);
            using FileUse use = segment.Use();
            long position = segment.Offsets.PositionBefore(Math.Max(start, segment.Times.OffsetBefore(timestamp)));
            for (; SegmentScan.TryReadHeader(use.File, position, limit, out BatchHeader header); position += header.SizeInBytes)
            {
                RequireSound(segment, use.File, position, position + header.SizeInBytes);
                if (header.MaxTimestamp >= timestamp
                    && header.LastOffset >= start
                    && FirstRecordAt(use.File, position, in header, timestamp, start) is { } found)
                {
                    return found;
                }
            }
            if (position < limit)
            {
                throw new CorruptLogException(segment.Path, position, -1, "no record batch begins here");
            }
        }
        return null;
    }

    private long LargestTimestamp(LogEnd end)
    {
        long largest = -1;
        foreach (LogSegment segment in SegmentsTo(end))
        {
            RequireIndexes(segment);
            if (segment != end.Segment)
            {
                largest = Math.Max(largest, segment.MaxTimestamp);
                continue;
            }
            int count = segment.Times.CountBelow(end.Offset);
            (long timestamp, long offset) = count == 0 ? (-1L, segment.BaseOffset) : segment.Times[count - 1];
            largest = Math.Max(largest, timestamp);
            long position = segment.Offsets.PositionBefore(offset);
            using FileUse use = segment.Use();
            for (; SegmentScan.TryReadHeader(use.File, position, end.Position, out BatchHeader header); position += header.SizeInBytes)
            {
                RequireSound(segment, use.File, position, position + header.SizeInBytes);
                largest = Math.Max(largest, header.MaxTimestamp);
            }
        }
        return largest;
    }

    private static TimedOffset? FirstRecordAt(IFile file, long position, in BatchHeader header, long timestamp, long start)
    {
        byte[] bytes = ArrayPool<byte>.Shared.Rent(header.SizeInBytes);
        try
        {
            Span<byte> batch = bytes.AsSpan(0, header.SizeInBytes);
            file.ReadFully(batch, position);
            if (!RecordBatch.CrcIsValid(batch))
            {
                throw new CorruptLogException(file.Path, position, header.BaseOffset, "the batch's checksum is wrong");
            }
            using var decoder = new BatchDecoder();
            var records = new RecordReader(decoder.Records(batch, in header), in header);
            while (records.Read())
            {
                if (records.Timestamp >= timestamp && records.Offset >= start)
                {
                    return new TimedOffset(records.Offset, records.Timestamp, header.LeaderEpoch);
                }
            }
            return null;
        }
        catch (UnsupportedCompressionException)
        {
            // Exact to the batch: a version before took batches of any codec number.
            return new TimedOffset(Math.Max(start, header.BaseOffset), header.MaxTimestamp, header.LeaderEpoch);
        }
        catch (CorruptRecordException e)
        {
            throw new CorruptLogException(file.Path, position, header.BaseOffset, e.Message);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }
}
