using System.Buffers;
using LogPipeline.Files;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Compression;
using LogPipeline.Protocol.Records;
using LogPipeline.Storage.Producers;
using LogPipeline.Storage.Segments;

namespace LogPipeline.Storage;

/// <summary>
/// Reading below a limit that the caller sets (its high watermark), beside appending and without its lock: what lies there never
/// changes. Consumers read on where they stopped, so the last places are remembered and need no search.
/// </summary>
public sealed partial class PartitionLog
{
    private readonly Place?[] _places = new Place?[16]; // by offset; each replaced whole, any may be missing
    private LogEnd? _limit; // the last limit that was not the durable end; replaced whole

    private sealed record Place(long Offset, LogSegment Segment, long Position, int Cuts);

    /// <summary>Finds whole batches from the one that holds <paramref name="offset"/>, up to a limit.</summary>
    /// <param name="offset">Where to begin; the first batch may begin before it.</param>
    /// <param name="limitOffset">Where to end (exclusive): a batch border; beyond the log's end means up to its end.</param>
    /// <param name="bytesMax">Bytes at most.</param>
    /// <param name="wholeFirstBatch">Return the first batch even if it alone is larger than <paramref name="bytesMax"/>.</param>
    /// <param name="slice">The batches, in their file.</param>
    /// <returns>None (the slice may be empty), OffsetOutOfRange, CorruptMessage for an offset that a scrub found damaged, or KafkaStorageError.</returns>
    public ErrorCode Read(long offset, long limitOffset, int bytesMax, bool wholeFirstBatch, out LogSlice slice)
    {
        slice = LogSlice.Empty(offset);
        if (offset < LogStartOffset || offset > LogEndOffset)
        {
            return ErrorCode.OffsetOutOfRange;
        }
        if (offset >= limitOffset)
        {
            return ErrorCode.None;
        }
        try
        {
            LogEnd end = EndAt(limitOffset);
            if (!TryEndBeforeDamage(offset, ref end))
            {
                return ErrorCode.CorruptMessage;
            }
            if (offset >= end.Offset)
            {
                return ErrorCode.None;
            }
            LogSegment[] segments = Volatile.Read(ref _segments);
            int first = Array.FindLastIndex(segments, segment => segment.BaseOffset <= offset);
            if (first < 0)
            {
                return ErrorCode.OffsetOutOfRange; // deleted meanwhile
            }
            slice = Slice(segments.AsSpan(first), offset, end, bytesMax, wholeFirstBatch);
            return ErrorCode.None;
        }
        catch (FileNotFoundException) when (offset < LogStartOffset)
        {
            return ErrorCode.OffsetOutOfRange; // the same
        }
        catch (IOException e)
        {
            Log.ReadRefused(_logger, Name, offset, e);
            return ErrorCode.KafkaStorageError;
        }
    }

    /// <summary>
    /// Whether reading from an offset must load or rebuild a segment's index first, which may read the whole segment: not for a thread
    /// that serves others.
    /// </summary>
    public bool IsCold(long offset) => SegmentOf(offset) is { HasIndexes: false };

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
        }
    }

    private TimedOffset? OffsetForTime(long timestamp, LogEnd end, long start)
    {
        foreach (LogSegment segment in SegmentsTo(end))
        {
            segment.RequireIndexes(Options.IndexIntervalBytes);
            if (segment.MaxTimestamp < timestamp)
            {
                continue;
            }
            long limit = LimitOf(segment, end);
            using FileUse use = segment.Use();
            long position = segment.Offsets.PositionBefore(Math.Max(start, segment.Times.OffsetBefore(timestamp)));
            for (; SegmentScan.TryReadHeader(use.File, position, limit, out BatchHeader header); position += header.SizeInBytes)
            {
                if (header.MaxTimestamp >= timestamp
                    && header.LastOffset >= start
                    && FirstRecordAt(use.File, position, in header, timestamp, start) is { } found)
                {
                    return found;
                }
            }
        }
        return null;
    }

    private long LargestTimestamp(LogEnd end)
    {
        long largest = -1;
        foreach (LogSegment segment in SegmentsTo(end))
        {
            segment.RequireIndexes(Options.IndexIntervalBytes);
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
                largest = Math.Max(largest, header.MaxTimestamp);
            }
        }
        return largest;
    }

    /// <summary>
    /// The largest epoch up to a former <paramref name="epoch"/> that has records, and where it ends, at most at a limit: a former
    /// epoch whose records are all lost ends where the one before it does. One that ended below the log's start ends there: what is behind
    /// it was removed, not cut off.
    /// </summary>
    public (int Epoch, long EndOffset) EndOffsetForEpoch(int epoch, long limitOffset)
    {
        lock (_gate)
        {
            (int Epoch, long EndOffset) found = _epochs.EndOffsetFor(epoch, limitOffset);
            return found.EndOffset < _logStartOffset ? (epoch, _logStartOffset) : found;
        }
    }

    /// <summary>The epoch of the first record that can be read; -1 while none was ever appended.</summary>
    public int StartEpoch
    {
        get
        {
            lock (_gate)
            {
                return _epochs.EpochAt(_logStartOffset);
            }
        }
    }

    /// <summary>The producers as they stand at the log's end.</summary>
    /// <param name="endOffset">That end; what was told may be lost until all below it is durable.</param>
    public IReadOnlyList<ProducerState> Producers(out long endOffset)
    {
        var states = new List<ProducerState>();
        lock (_gate)
        {
            _producers.Expire(HeardSince(Now()));
            endOffset = _endOffset;
            foreach (ProducerEntry entry in _producers.Entries)
            {
                states.Add(new ProducerState(
                    entry.ProducerId, entry.Epoch, entry.Last.LastSequence, entry.Last.LastOffset, entry.LastTimestamp));
            }
        }
        return states;
    }

    /// <summary>A walk over all durable batches that steps over damaged ones, which <paramref name="onDamage"/> is told.</summary>
    public SalvageReader Salvage(Action<DamagedPart> onDamage)
    {
        LogEnd end = _durable.End;
        return new SalvageReader([.. SegmentsTo(end).Select(segment => (segment, LimitOf(segment, end)))], LogStartOffset, onDamage);
    }

    // The place of a limit: nearly always the durable end. Another one is found once and remembered.
    private LogEnd EndAt(long limitOffset)
    {
        LogEnd durable = _durable.End;
        if (limitOffset == durable.Offset)
        {
            return durable;
        }
        LogEnd? known = Volatile.Read(ref _limit);
        if (known?.Offset == limitOffset && known.Cuts == durable.Cuts)
        {
            return known;
        }
        LogEnd written;
        lock (_gate)
        {
            written = WrittenEnd();
        }
        LogEnd found = limitOffset >= written.Offset ? written : EndAt(limitOffset, written);
        Volatile.Write(ref _limit, found);
        return found;
    }

    private LogEnd EndAt(long limitOffset, LogEnd written)
    {
        if (SegmentOf(limitOffset) is not { } segment)
        {
            return new LogEnd(limitOffset, Volatile.Read(ref _segments)[0], 0, written.Cuts);
        }
        using FileUse use = segment.Use();
        return PlaceOf(segment, use.File, limitOffset, written) is { } place
            ? new LogEnd(Math.Min(limitOffset, place.Offset), segment, place.Position, written.Cuts)
            : new LogEnd(limitOffset, segment, LimitOf(segment, written), written.Cuts);
    }

    // Where compaction has left nothing behind the offset in its segment, a later segment goes on.
    private LogSlice Slice(ReadOnlySpan<LogSegment> segments, long offset, LogEnd end, int bytesMax, bool wholeFirstBatch)
    {
        foreach (LogSegment segment in segments)
        {
            if (Slice(segment, Math.Max(offset, segment.BaseOffset), end, bytesMax, wholeFirstBatch) is { } slice)
            {
                return slice;
            }
            if (segment == end.Segment)
            {
                break;
            }
        }
        return offset < CleanOffset
            ? LogSlice.Empty(offset) // nothing is left up to the end
            : throw new CorruptLogException(end.Segment.Path, end.Position, offset, "no record batch begins here");
    }

    private LogSlice? Slice(LogSegment segment, long offset, LogEnd end, int bytesMax, bool wholeFirstBatch)
    {
        FileUse use = segment.Use();
        int length = 0;
        try
        {
            if (PlaceOf(segment, use.File, offset, end) is not { } place)
            {
                return null;
            }
            length = LengthOf(place, use.File, end, bytesMax, wholeFirstBatch);
            return length > 0 ? new LogSlice(use, place.Position, length, place.Offset) : LogSlice.Empty(offset);
        }
        finally
        {
            if (length == 0)
            {
                use.Dispose();
            }
        }
    }

    private LogSegment? SegmentOf(long offset) => Array.FindLast(Volatile.Read(ref _segments), segment => segment.BaseOffset <= offset);

    private Place? PlaceOf(LogSegment segment, IFile file, long offset, LogEnd end)
    {
        Place? known = Volatile.Read(ref _places[offset & (_places.Length - 1)]);
        if (known?.Offset == offset && known.Segment == segment && known.Cuts == end.Cuts && known.Position < LimitOf(segment, end))
        {
            return known;
        }
        segment.RequireIndexes(Options.IndexIntervalBytes);
        return SegmentScan.Find(segment, file, offset, LimitOf(segment, end)) is { } found
            ? new Place(found.Header.BaseOffset, segment, found.Position, end.Cuts)
            : null;
    }

    // Bytes of whole batches from a place on; remembers where the reader will go on.
    private int LengthOf(Place from, IFile file, LogEnd end, int bytesMax, bool wholeFirstBatch)
    {
        LogSegment segment = from.Segment;
        long limit = LimitOf(segment, end);
        if (limit - from.Position <= bytesMax)
        {
            if (segment == end.Segment)
            {
                Remember(new Place(end.Offset, segment, limit, end.Cuts));
            }
            return (int)(limit - from.Position);
        }
        segment.RequireIndexes(Options.IndexIntervalBytes);
        long border = Math.Max(from.Position, segment.Offsets.BorderBefore(from.Position + bytesMax));
        while (SegmentScan.TryReadHeader(file, border, limit, out BatchHeader header))
        {
            bool fits = border + header.SizeInBytes <= from.Position + bytesMax;
            if (!fits && (border > from.Position || !wholeFirstBatch))
            {
                Remember(new Place(header.BaseOffset, segment, border, end.Cuts));
                return (int)(border - from.Position);
            }
            border += header.SizeInBytes;
            if (!fits)
            {
                Remember(new Place(header.NextOffset, segment, border, end.Cuts));
                return header.SizeInBytes;
            }
        }
        throw new CorruptLogException(segment.Path, border, from.Offset, "no record batch begins here");
    }

    private void Remember(Place place) => Volatile.Write(ref _places[place.Offset & (_places.Length - 1)], place);

    private static long LimitOf(LogSegment segment, LogEnd end) => segment == end.Segment ? end.Position : segment.SizeBytes;

    private IEnumerable<LogSegment> SegmentsTo(LogEnd end) =>
        Volatile.Read(ref _segments).Where(segment => segment.BaseOffset <= end.Segment.BaseOffset);

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
