using LogPipeline.Files;
using LogPipeline.Storage.Checkpoints;
using LogPipeline.Storage.Producers;
using LogPipeline.Storage.Segments;

namespace LogPipeline.Storage;

/// <summary>
/// Group commit. At most one flush of a log is under way; what is appended meanwhile waits for the next one, which takes all of it.
/// Logs flush beside each other on the file system's flush threads. The flush thread itself runs what waits for the flush, outside
/// any lock: handing over to the thread pool would cost more than what is left to do, which must be short. A failed flush takes the
/// log offline: the kernel may have dropped the dirty pages, so a second try would lie.
/// </summary>
public sealed partial class PartitionLog
{
    private readonly OffsetWaiters _waiting = new(); // guarded by _gate
    private LogEnd _durable; // all below is flushed; written under _gate, read without
    private Exception? _offline; // guarded by _gate
    private TaskCompletionSource? _interval; // guarded by _gate; ends the wait between two flushes
    private Task _flushing = Task.CompletedTask; // guarded by _gate
    private bool _isFlushing; // guarded by _gate
    private bool _isClosed; // guarded by _gate
    private long _snapshotOffset; // guarded by _gate
    private long _snapshotPosition; // guarded by _gate; in the active segment
    private int _epochWritten; // guarded by _gate; the newest one in the epochs' file

    /// <summary>An offset and the place of its batch border.</summary>
    private sealed record LogEnd(long Offset, LogSegment Segment, long Position, int Cuts);

    /// <summary>All below is on the disk and outlives a power cut.</summary>
    public long DurableOffset => Volatile.Read(ref _durable).Offset;

    /// <summary>Why the log takes nothing any more; null while it works.</summary>
    public Exception? OfflineReason => Volatile.Read(ref _offline);

    /// <summary>
    /// The durable end rose, or the log went offline. Raised outside any lock, by the flush thread or by the thread that appends;
    /// a handler must be short and must not throw.
    /// </summary>
    public event Action<PartitionLog>? Advanced;

    /// <summary>
    /// Completes when all below <paramref name="endOffset"/> (exclusive) is durable. The caller then runs on the flush thread and holds
    /// up the next flush. Under <see cref="FlushPolicy.Os"/> that may be only when the segment is closed.
    /// </summary>
    /// <exception cref="LogOfflineException">A flush failed, or the log was closed before.</exception>
    public ValueTask FlushedAsync(long endOffset, CancellationToken cancellation = default)
    {
        if (endOffset <= DurableOffset)
        {
            return ValueTask.CompletedTask;
        }
        lock (_gate)
        {
            if (endOffset <= DurableOffset)
            {
                return ValueTask.CompletedTask;
            }
            if (_offline is not null)
            {
                return ValueTask.FromException(new LogOfflineException(Name, _offline));
            }
            return new ValueTask(_waiting.Add(endOffset, cancellation));
        }
    }

    /// <summary>Closed with everything durable.</summary>
    internal bool StoppedClean { get; private set; }

    /// <summary>Up to here a restart reads nothing again.</summary>
    internal long SnapshotOffset
    {
        get
        {
            lock (_gate)
            {
                return _snapshotOffset;
            }
        }
    }

    /// <summary>Flushes all and lets go; later appends are refused.</summary>
    internal async Task CloseAsync()
    {
        Task flushing;
        TaskCompletionSource? interval;
        lock (_gate)
        {
            _isClosed = true;
            (flushing, interval) = (_flushing, _interval);
        }
        interval?.TrySetResult();
        await flushing;
        lock (_gate)
        {
            StoppedClean = _offline is null && (_snapshotOffset == _endOffset || TryComplete());
        }
        TellAdvanced();
        Abandon();
    }

    /// <summary>Accepts no more appends and leaves the files to the readers that still use them.</summary>
    public void Retire()
    {
        lock (_gate)
        {
            _isClosed = true;
            if (_offline is null)
            {
                LetGo(new ObjectDisposedException(Name));
            }
        }
        TellAdvanced();
    }

    /// <summary>Lets go of the files as they are.</summary>
    internal void Abandon()
    {
        Retire();
        lock (_gate)
        {
            foreach (LogSegment segment in _segments)
            {
                segment.Close();
            }
        }
    }

    // Under _gate.
    private bool MustStartFlush()
    {
        if (_isFlushing || Options.Flush == FlushPolicy.Os)
        {
            return false;
        }
        return _isFlushing = true;
    }

    private void StartFlush()
    {
        Task flushing = FlushLoopAsync();
        lock (_gate)
        {
            if (!flushing.IsCompleted)
            {
                _flushing = flushing;
            }
        }
    }

    private async Task FlushLoopAsync()
    {
        try
        {
            while (true)
            {
                if (Options.Flush == FlushPolicy.Interval)
                {
                    await IntervalAsync();
                }
                if (!await FlushOnceAsync())
                {
                    return;
                }
            }
        }
        catch (IOException e)
        {
            lock (_gate)
            {
                GoOffline(e);
            }
            TellAdvanced();
        }
        catch (Exception e) when (OfflineReason is null)
        {
            _onFatal(e);
        }
        catch (ObjectDisposedException)
        {
            // The files were let go of under the flush.
        }
    }

    // Shorter when the log is closing.
    private async Task IntervalAsync()
    {
        var over = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            if (_isClosed)
            {
                return;
            }
            _interval = over;
        }
        await using ITimer timer = _time.CreateTimer(
            static state => ((TaskCompletionSource)state!).TrySetResult(), over, Options.FlushInterval, Timeout.InfiniteTimeSpan);
        await over.Task;
    }

    // False when nothing was left to flush.
    private async ValueTask<bool> FlushOnceAsync()
    {
        LogEnd end;
        byte[]? snapshot = null;
        lock (_gate)
        {
            end = WrittenEnd();
            if (_offline is not null || end.Offset == DurableOffset)
            {
                _isFlushing = false;
                return false;
            }
            if (end.Position - _snapshotPosition >= Options.CheckpointBytes)
            {
                end.Segment.CompleteTimes();
                _producers.Expire(HeardSince(Now()));
                snapshot = ProducerSnapshot.Encode(_producers);
            }
        }
        await end.Segment.FlushAsync();
        lock (_gate)
        {
            // A log let go of meanwhile shows nothing more, also to those that begin to wait only now; of one that was cut meanwhile it
            // is not known what was flushed.
            if (_offline is null && end.Cuts == _cuts)
            {
                Flushed(end);
                if (snapshot is not null && end.Segment == Active)
                {
                    TryCheckpoint(end, snapshot);
                }
            }
        }
        TellAdvanced();
        return true;
    }

    // To be called after _gate was left, when the durable end may have moved or the log may have gone offline.
    private void TellAdvanced()
    {
        List<TaskCompletionSource>? reached;
        List<TaskCompletionSource>? unreached = null;
        lock (_gate)
        {
            reached = _waiting.TakeReached(DurableOffset);
            if (_offline is not null)
            {
                unreached = _waiting.TakeAll();
            }
        }
        OffsetWaiters.Release(reached);
        if (unreached is not null)
        {
            OffsetWaiters.Fail(unreached, new LogOfflineException(Name, OfflineReason));
        }
        Advanced?.Invoke(this);
    }

    // The rest is called under _gate.
    private bool TryComplete()
    {
        try
        {
            Active.CompleteTimes();
            Active.Trim();
            FlushNow();
            Checkpoint(WrittenEnd(), ProducerSnapshot.Encode(_producers));
            return true;
        }
        catch (IOException e)
        {
            Log.CheckpointRefused(_logger, Name, e);
            return false;
        }
    }

    private LogEnd WrittenEnd() => new(_endOffset, Active, Active.SizeBytes, _cuts);

    private void FlushNow()
    {
        try
        {
            Active.Flush();
        }
        catch (IOException e)
        {
            GoOffline(e);
            throw;
        }
        Flushed(WrittenEnd());
    }

    private void Flushed(LogEnd end)
    {
        if (end.Offset > DurableOffset)
        {
            Volatile.Write(ref _durable, end);
        }
    }

    private void GoOffline(Exception cause)
    {
        if (_offline is null)
        {
            Log.WentOffline(_logger, Name, cause);
            LetGo(cause);
        }
    }

    private void LetGo(Exception cause) => Volatile.Write(ref _offline, cause);

    private void TryCheckpoint(LogEnd end, byte[] snapshot)
    {
        try
        {
            Checkpoint(end, snapshot);
        }
        catch (IOException e)
        {
            Log.CheckpointRefused(_logger, Name, e);
        }
        _snapshotPosition = end.Position;
    }

    // The log is durable up to this end. The snapshot comes last: it vouches for the rest.
    private void Checkpoint(LogEnd end, byte[] snapshot)
    {
        end.Segment.FlushIndexes();
        if (_epochs.Latest > _epochWritten)
        {
            TextCheckpoint.Write(_files, _directory + "/" + LeaderEpochs.FileName, _epochs.Lines());
            _epochWritten = _epochs.Latest;
        }
        AtomicFile.Replace(_files, SegmentFileName.Of(_directory, end.Offset, SegmentFileName.Snapshot), snapshot);
        ProducerSnapshots.RemoveBefore(_files, _directory, _snapshotOffset, _segments);
        _snapshotOffset = end.Offset;
        _snapshotPosition = end.Position;
    }
}
