using System.Buffers;
using LogPipeline.Files;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Records;
using LogPipeline.Storage.Producers;
using LogPipeline.Storage.Segments;

namespace LogPipeline.Storage;

/// <summary>
/// Reading below the high watermark, beside appending and without its lock: what lies there never changes. Consumers read on where
/// they stopped, so the last places are remembered and need no search.
/// </summary>
public sealed partial class PartitionLog
{
    private readonly Place?[] _places = new Place?[16]; // by offset; each replaced whole, any may be missing

    private sealed record Place(long Offset, LogSegment Segment, long Position);

    /// <summary>Finds whole batches from the one that holds <paramref name="offset"/>, up to the high watermark.</summary>
    /// <param name="offset">Where to begin; the first batch may begin before it.</param>
    /// <param name="bytesMax">Bytes at most.</param>
    /// <param name="wholeFirstBatch">Give the first batch even if it alone is larger than <paramref name="bytesMax"/>.</param>
    /// <param name="slice">The batches, in their file.</param>
    /// <returns>None (the slice may be empty), OffsetOutOfRange, or KafkaStorageError.</returns>
    public ErrorCode Read(long offset, int bytesMax, bool wholeFirstBatch, out LogSlice slice)
    {
        slice = LogSlice.Empty(offset);
        ReadableEnd end = Volatile.Read(ref _readable);
        if (offset < LogStartOffset || offset > LogEndOffset)
        {
            return ErrorCode.OffsetOutOfRange;
        }
        if (offset >= end.Offset)
        {
            return ErrorCode.None;
        }
        try
        {
            if (PlaceOf(offset, end) is not { } place)
            {
                return ErrorCode.OffsetOutOfRange; // deleted meanwhile
            }
            long limit = LimitOf(place.Segment, end);
            int length = LengthOf(place, limit, end, bytesMax, wholeFirstBatch);
            if (length > 0)
            {
                slice = new LogSlice(place.Segment.Log, place.Position, length, place.Offset);
            }
            return ErrorCode.None;
        }
        catch (IOException e)
        {
            Log.ReadRefused(_logger, Name, offset, e);
            return ErrorCode.KafkaStorageError;
        }
    }

    /// <summary>The first record at or after a time (milliseconds since 1970), below the high watermark; null when there is none.</summary>
    /// <exception cref="IOException">The disk refused, or the log is damaged there.</exception>
    public TimedOffset? OffsetForTime(long timestamp)
    {
        ReadableEnd end = Volatile.Read(ref _readable);
        long start = LogStartOffset;
        foreach (LogSegment segment in SegmentsTo(end))
        {
            segment.RequireIndexes(Options.IndexIntervalBytes);
            if (segment.MaxTimestamp < timestamp)
            {
                continue;
            }
            long limit = LimitOf(segment, end);
            long position = segment.Offsets.PositionBefore(Math.Max(start, segment.Times.OffsetBefore(timestamp)));
            for (; SegmentScan.TryReadHeader(segment.Log, position, limit, out BatchHeader header); position += header.SizeInBytes)
            {
                if (header.MaxTimestamp >= timestamp
                    && header.LastOffset >= start
                    && FirstRecordAt(segment, position, in header, timestamp, start) is { } found)
                {
                    return found;
                }
            }
        }
        return null;
    }

    /// <summary>The record with the largest timestamp below the high watermark; null when the log is empty.</summary>
    /// <exception cref="IOException">The disk refused, or the log is damaged there.</exception>
    public TimedOffset? MaxTimestamp()
    {
        ReadableEnd end = Volatile.Read(ref _readable);
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
            for (; SegmentScan.TryReadHeader(segment.Log, position, end.Position, out BatchHeader header); position += header.SizeInBytes)
            {
                largest = Math.Max(largest, header.MaxTimestamp);
            }
        }
        return largest < 0 ? null : OffsetForTime(largest);
    }

    /// <summary>
    /// The largest epoch up to <paramref name="epoch"/> that has records, and where it ends: a former epoch whose records are all
    /// lost ends where the one before it does. (-1, -1) when there was no such epoch yet.
    /// </summary>
    public (int Epoch, long EndOffset) EndOffsetForEpoch(int epoch)
    {
        lock (_gate)
        {
            return epoch < 0 || epoch > LeaderEpoch ? (-1, -1)
                : epoch == LeaderEpoch ? (epoch, HighWatermark)
                : _epochs.EndOffsetFor(epoch, HighWatermark);
        }
    }

    /// <summary>The producers as they stand in what is durable: waits until all appended before the call is.</summary>
    /// <exception cref="LogOfflineException">A flush failed, or the log was closed before.</exception>
    public async ValueTask<IReadOnlyList<ProducerState>> ProducersAsync(CancellationToken cancellation = default)
    {
        var states = new List<ProducerState>();
        long end;
        lock (_gate)
        {
            _producers.Expire(HeardSince(Now()));
            end = _endOffset;
            foreach (ProducerEntry entry in _producers.Entries)
            {
                states.Add(new ProducerState(
                    entry.ProducerId, entry.Epoch, entry.Last.LastSequence, entry.Last.LastOffset, entry.LastTimestamp));
            }
        }
        await FlushedAsync(end, cancellation);
        return states;
    }

    private Place? PlaceOf(long offset, ReadableEnd end)
    {
        Place? known = Volatile.Read(ref _places[offset & (_places.Length - 1)]);
        if (known?.Offset == offset && known.Position < LimitOf(known.Segment, end))
        {
            return known;
        }
        LogSegment? segment = Array.FindLast(Volatile.Read(ref _segments), s => s.BaseOffset <= offset);
        if (segment is null)
        {
            return null;
        }
        segment.RequireIndexes(Options.IndexIntervalBytes);
        (long position, BatchHeader header) = SegmentScan.Find(segment, offset, LimitOf(segment, end));
        return new Place(header.BaseOffset, segment, position);
    }

    // Bytes of whole batches from a place on; remembers where the reader will go on.
    private int LengthOf(Place from, long limit, ReadableEnd end, int bytesMax, bool wholeFirstBatch)
    {
        LogSegment segment = from.Segment;
        if (limit - from.Position <= bytesMax)
        {
            if (segment == end.Segment)
            {
                Remember(new Place(end.Offset, segment, limit));
            }
            return (int)(limit - from.Position);
        }
        long border = Math.Max(from.Position, segment.Offsets.BorderBefore(from.Position + bytesMax));
        while (SegmentScan.TryReadHeader(segment.Log, border, limit, out BatchHeader header))
        {
            bool fits = border + header.SizeInBytes <= from.Position + bytesMax;
            if (!fits && (border > from.Position || !wholeFirstBatch))
            {
                Remember(new Place(header.BaseOffset, segment, border));
                return (int)(border - from.Position);
            }
            border += header.SizeInBytes;
            if (!fits)
            {
                Remember(new Place(header.NextOffset, segment, border));
                return header.SizeInBytes;
            }
        }
        throw new CorruptLogException(segment.Path, border, from.Offset, "no record batch begins here");
    }

    private void Remember(Place place) => Volatile.Write(ref _places[place.Offset & (_places.Length - 1)], place);

    private static long LimitOf(LogSegment segment, ReadableEnd end) => segment == end.Segment ? end.Position : segment.SizeBytes;

    private IEnumerable<LogSegment> SegmentsTo(ReadableEnd end) =>
        Volatile.Read(ref _segments).Where(segment => segment.BaseOffset <= end.Segment.BaseOffset);

    private static TimedOffset? FirstRecordAt(LogSegment segment, long position, in BatchHeader header, long timestamp, long start)
    {
        byte[] bytes = ArrayPool<byte>.Shared.Rent(header.SizeInBytes);
        try
        {
            Span<byte> batch = bytes.AsSpan(0, header.SizeInBytes);
            segment.Log.ReadFully(batch, position);
            if (!RecordBatch.CrcIsValid(batch))
            {
                throw new CorruptLogException(segment.Path, position, header.BaseOffset, "the batch's checksum is wrong");
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
            // Exact to the batch, where its codec's library is not installed.
            return new TimedOffset(Math.Max(start, header.BaseOffset), header.MaxTimestamp, header.LeaderEpoch);
        }
        catch (CorruptRecordException e)
        {
            throw new CorruptLogException(segment.Path, position, header.BaseOffset, e.Message);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }
}
