using LogPipeline.Files;
using LogPipeline.Protocol;
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
    /// <returns>None (the slice may be empty), OffsetOutOfRange, CorruptMessage for an offset that is damaged on the disk, or KafkaStorageError.</returns>
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
            try
            {
                return Find(offset, limitOffset, bytesMax, wholeFirstBatch, ref slice);
            }
            catch (CorruptLogException e)
            {
                Examine(e.DamagedFile); // then it is known which batches are damaged
                return Find(offset, limitOffset, bytesMax, wholeFirstBatch, ref slice);
            }
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
    /// Whether reading from an offset must first load or rebuild a segment's index, or check what this process did not write; either may
    /// read the whole segment: not for a thread that serves others.
    /// </summary>
    public bool IsCold(long offset) =>
        SegmentOf(offset) is { } segment && (!segment.HasIndexes || (offset < _foundEndOffset && !segment.Checked.IsComplete));

    private ErrorCode Find(long offset, long limitOffset, int bytesMax, bool wholeFirstBatch, ref LogSlice slice)
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
            if (offset >= CleanOffset)
            {
                throw new CorruptLogException(segment.Path, LimitOf(segment, end), offset, "no record batch begins here");
            }
            if (segment == end.Segment)
            {
                break;
            }
        }
        return LogSlice.Empty(offset); // nothing is left up to the end
    }

    private LogSlice? Slice(LogSegment segment, long offset, LogEnd end, int bytesMax, bool wholeFirstBatch)
    {
        FileUse use = segment.Use();
        LogSlice? slice = null;
        try
        {
            if (PlaceOf(segment, use.File, offset, end) is not { } place)
            {
                return null;
            }
            if (place.Offset > offset && offset >= CleanOffset)
            {
                throw new CorruptLogException(segment.Path, place.Position, offset, $"the batch says that it begins at offset {place.Offset}");
            }
            (int length, Place? next) = LengthOf(place, use.File, end, bytesMax, wholeFirstBatch);
            RequireSound(segment, use.File, place.Position, place.Position + length);
            if (next is not null)
            {
                Volatile.Write(ref _places[next.Offset & (_places.Length - 1)], next);
            }
            slice = length > 0 ? new LogSlice(use, place.Position, length, place.Offset) : null;
            return slice ?? LogSlice.Empty(offset);
        }
        finally
        {
            if (slice is null)
            {
                use.Dispose();
            }
        }
    }

    private LogSegment? SegmentOf(long offset) => Array.FindLast(Volatile.Read(ref _segments), segment => segment.BaseOffset <= offset);

    private Place? PlaceOf(LogSegment segment, IFile file, long offset, LogEnd end)
    {
        Place? known = Volatile.Read(ref _places[offset & (_places.Length - 1)]);
        DamagedBatch[] damaged = Volatile.Read(ref _damaged);
        if (known?.Offset == offset && known.Segment == segment && known.Cuts == end.Cuts && known.Position < LimitOf(segment, end)
            && DamagedBatch.StepOver(damaged, segment.BaseOffset, known.Position) == known.Position)
        {
            return known;
        }
        RequireIndexes(segment);
        return SegmentScan.Find(segment, file, offset, LimitOf(segment, end), damaged) is { } found
            ? new Place(found.Header.BaseOffset, segment, found.Position, end.Cuts)
            : null;
    }

    // Bytes of whole batches from a place on, and where the reader will go on; null where that is not known.
    private (int Length, Place? Next) LengthOf(Place from, IFile file, LogEnd end, int bytesMax, bool wholeFirstBatch)
    {
        LogSegment segment = from.Segment;
        long limit = LimitOf(segment, end);
        if (limit - from.Position <= bytesMax)
        {
            return ((int)(limit - from.Position), segment == end.Segment ? new Place(end.Offset, segment, limit, end.Cuts) : null);
        }
        RequireIndexes(segment);
        long border = Math.Max(from.Position, segment.Offsets.BorderBefore(from.Position + bytesMax));
        while (SegmentScan.TryReadHeader(file, border, limit, out BatchHeader header))
        {
            bool fits = border + header.SizeInBytes <= from.Position + bytesMax;
            if (!fits && (border > from.Position || !wholeFirstBatch))
            {
                return ((int)(border - from.Position), new Place(header.BaseOffset, segment, border, end.Cuts));
            }
            border += header.SizeInBytes;
            if (!fits)
            {
                return (header.SizeInBytes, new Place(header.NextOffset, segment, border, end.Cuts));
            }
        }
        throw new CorruptLogException(segment.Path, border, from.Offset, "no record batch begins here");
    }

    private static long LimitOf(LogSegment segment, LogEnd end) => segment == end.Segment ? end.Position : segment.SizeBytes;

    private IEnumerable<LogSegment> SegmentsTo(LogEnd end) =>
        Volatile.Read(ref _segments).Where(segment => segment.BaseOffset <= end.Segment.BaseOffset);
}
