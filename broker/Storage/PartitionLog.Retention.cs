using LogPipeline.Storage.Segments;

namespace LogPipeline.Storage;

/// <summary>
/// Raising a log's start and removing what lies below it, a segment at a time. The data directory makes the new start durable first.
/// Each segment begins with a producer snapshot that was durable before the segment was made, so the producers that a removed segment
/// knew are not lost with it.
/// </summary>
public sealed partial class PartitionLog
{
    /// <summary>
    /// The segments in offset order, looked at as they are asked for: the largest timestamp of a closed one may have to be read from
    /// its index.
    /// </summary>
    public IEnumerable<SegmentInfo> Segments()
    {
        LogSegment[] segments;
        long endOffset;
        lock (_gate)
        {
            (segments, endOffset) = (_segments, _endOffset);
        }
        for (int i = 0; i < segments.Length; i++)
        {
            bool isActive = i == segments.Length - 1;
            LogSegment segment = segments[i];
            yield return new SegmentInfo(
                segment.BaseOffset, isActive ? endOffset : segments[i + 1].BaseOffset, segment.SizeBytes, TimeOf(segment), isActive);
        }
    }

    /// <summary>Where each segment begins, and when a batch was last appended to it, in milliseconds since 1970; in offset order.</summary>
    public IReadOnlyList<(long BaseOffset, long AppendedTime)> SegmentStarts() =>
        [.. Volatile.Read(ref _segments).Select(static segment => (segment.BaseOffset, segment.AppendedTime))];

    /// <summary>Closes the active segment when it was begun longer than segment.ms ago, so that retention can have it though nothing comes in.</summary>
    /// <exception cref="IOException">The disk refused.</exception>
    public void RollWhenDue()
    {
        long now = Now();
        if (Active is { SizeBytes: > 0 } active && now - active.CreatedTime > Options.SegmentTime.TotalMilliseconds)
        {
            Roll(static _ => true, now);
        }
    }

    /// <summary>Closes the active segment when it ends at or below an offset: then all below the offset can be removed.</summary>
    /// <returns>The base offset of the active segment, where that is less than the offset; else the offset.</returns>
    /// <exception cref="IOException">The disk refused.</exception>
    public long RollBelow(long offset)
    {
        Roll(end => end <= offset, Now());
        return Math.Min(offset, Active.BaseOffset);
    }

    /// <summary>A start below what is durable, and not below the present one.</summary>
    internal long StartAt(long offset) => Math.Max(LogStartOffset, Math.Min(offset, DurableOffset));

    internal void RaiseStart(long offset)
    {
        lock (_gate)
        {
            Volatile.Write(ref _logStartOffset, Math.Max(_logStartOffset, Math.Min(offset, DurableOffset)));
            _epochs.RemoveBefore(_logStartOffset);
        }
    }

    /// <summary>Removes segments that lie wholly below the log's start, the oldest first; the start is durable.</summary>
    /// <returns>How many bytes that has freed.</returns>
    /// <exception cref="IOException">The disk refused: the files that are left go with the next start.</exception>
    internal long DeleteBelowStart()
    {
        LogSegment[] removed;
        lock (_gate)
        {
            int keep = 0;
            while (keep < _segments.Length - 1 && _segments[keep + 1].BaseOffset <= _logStartOffset)
            {
                keep++;
            }
            if (keep == 0 || !TryKeepProducers(_segments[keep].BaseOffset))
            {
                return 0;
            }
            removed = _segments[..keep];
            Volatile.Write(ref _segments, _segments[keep..]);
        }
        foreach (LogSegment segment in removed)
        {
            segment.Delete();
        }
        return removed.Sum(static segment => segment.SizeBytes);
    }

    // Under _gate. Only a directory that another program made, or whose snapshot was damaged, has none at or above the offset.
    private bool TryKeepProducers(long firstOffset) => _snapshotOffset >= firstOffset || TryComplete();

    private void Roll(Func<long, bool> mayClose, long now)
    {
        try
        {
            lock (_gate)
            {
                if (_offline is not null || _isClosed || Active.SizeBytes == 0 || !mayClose(_endOffset))
                {
                    return;
                }
                _space.WithReserve(() => Roll(now));
            }
        }
        finally
        {
            TellAdvanced();
        }
    }

    private long TimeOf(LogSegment segment)
    {
        if (Options.RetentionClock == RetentionClock.Arrival)
        {
            return segment.AppendedTime;
        }
        try
        {
            RequireIndexes(segment);
        }
        catch (IOException e)
        {
            Log.ReadRefused(_logger, Name, segment.BaseOffset, e);
        }
        return segment.MaxTimestamp >= 0 ? segment.MaxTimestamp : segment.AppendedTime;
    }
}
