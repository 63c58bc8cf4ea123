using LogPipeline.Files;
using LogPipeline.Storage.Checkpoints;
using LogPipeline.Storage.Producers;
using LogPipeline.Storage.Segments;

namespace LogPipeline.Storage;

/// <summary>
/// Group commit. At most one flush of a log is under way; what is appended meanwhile waits for the next one, which takes all of it.
/// Logs flush beside each other on the file system's flush threads. Who waits goes on right on the thread that flushed, outside any
/// lock: a hop through the thread pool would cost more than what is left to do, which must be short. A failed flush takes the log offline: the kernel may have
/// dropped the dirty pages, so a second try would lie.
/// </summary>
public sealed partial class PartitionLog
{
    private readonly List<(long EndOffset, TaskCompletionSource Done)> _waiting = []; // guarded by _gate
    private List<TaskCompletionSource>? _reached; // guarded by _gate; to be released once it is left
    private ReadableEnd _readable; // written under _gate, read without
    private Exception? _offline; // guarded by _gate
    private TaskCompletionSource? _interval; // guarded by _gate; ends the wait between two flushes
    private Task _flushing = Task.CompletedTask; // guarded by _gate
    private bool _isFlushing; // guarded by _gate
    private bool _isClosed; // guarded by _gate
    private long _durableOffset; // guarded by _gate; all below is flushed
    private long _snapshotOffset; // guarded by _gate
    private long _snapshotPosition; // guarded by _gate; in the active segment
    private int _epochWritten; // guarded by _gate; the newest one in the epochs' file

    /// <summary>Up to where readers see: an offset and the place of its batch border.</summary>
    private sealed record ReadableEnd(long Offset, LogSegment Segment, long Position);

    /// <summary>Readers see what lies below: under <see cref="FlushPolicy.Group"/> exactly what is durable.</summary>
    public long HighWatermark => Volatile.Read(ref _readable).Offset;

    /// <summary>Why the log takes nothing any more; null while it works.</summary>
    public Exception? OfflineReason => Volatile.Read(ref _offline);

    /// <summary>
    /// The high watermark rose, or the log went offline. Raised outside any lock, from a flush or from <see cref="Append"/> itself;
    /// a handler must not throw.
    /// </summary>
    public event Action<PartitionLog>? HighWatermarkMoved;

    /// <summary>
    /// Completes when all below <paramref name="endOffset"/> (exclusive) is below the high watermark. The caller goes on on the thread
    /// that flushed, and holds up the next flush.
    /// </summary>
    /// <exception cref="LogOfflineException">A flush failed, or the log was closed before.</exception>
    public ValueTask FlushedAsync(long endOffset, CancellationToken cancellation = default)
    {
        if (endOffset <= HighWatermark)
        {
            return ValueTask.CompletedTask;
        }
        TaskCompletionSource done;
        lock (_gate)
        {
            if (endOffset <= HighWatermark)
            {
                return ValueTask.CompletedTask;
            }
            if (_offline is not null)
            {
                return ValueTask.FromException(new LogOfflineException(Name, _offline));
            }
            done = new TaskCompletionSource(); // goes on where it is released: never under a lock
            _waiting.Add((endOffset, done));
        }
        return new ValueTask(cancellation.CanBeCanceled ? UntilCancelledAsync(done, cancellation) : done.Task);
    }

    // Not Task.WaitAsync: over such a source it passes through the thread pool, which a simulated process does not have.
    private static async Task UntilCancelledAsync(TaskCompletionSource done, CancellationToken cancellation)
    {
        using CancellationTokenRegistration registration = cancellation.UnsafeRegister(
            static (state, token) => ((TaskCompletionSource)state!).TrySetCanceled(token), done);
        await done.Task;
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
        ReleaseReached();
        Abandon();
    }

    /// <summary>Takes nothing more and leaves the files to whoever still reads them.</summary>
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
        ReleaseReached();
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
                HighWatermarkMoved?.Invoke(this);
            }
        }
        catch (IOException e)
        {
            lock (_gate)
            {
                GoOffline(e);
            }
            ReleaseReached();
            HighWatermarkMoved?.Invoke(this);
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
        ReadableEnd end;
        byte[]? snapshot = null;
        lock (_gate)
        {
            end = WrittenEnd();
            if (_offline is not null || end.Offset == _durableOffset)
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
        await end.Segment.Log.FlushAsync();
        lock (_gate)
        {
            // A log let go of meanwhile shows nothing more, also to those that begin to wait only now.
            if (_offline is null)
            {
                Flushed(end);
                if (snapshot is not null && end.Segment == Active)
                {
                    TryCheckpoint(end, snapshot);
                }
            }
        }
        ReleaseReached();
        return true;
    }

    // Whoever may have shown more, or gone offline, calls it after leaving _gate.
    private void ReleaseReached()
    {
        List<TaskCompletionSource>? reached;
        (long, TaskCompletionSource Done)[] unreached = [];
        lock (_gate)
        {
            (reached, _reached) = (_reached, null);
            if (_offline is not null)
            {
                unreached = [.. _waiting];
                _waiting.Clear();
            }
        }
        foreach (TaskCompletionSource done in reached ?? [])
        {
            done.TrySetResult();
        }
        foreach ((_, TaskCompletionSource done) in unreached)
        {
            done.TrySetException(new LogOfflineException(Name, OfflineReason!));
        }
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

    private ReadableEnd WrittenEnd() => new(_endOffset, Active, Active.SizeBytes);

    private void FlushNow()
    {
        try
        {
            Active.Log.Flush();
        }
        catch (IOException e)
        {
            GoOffline(e);
            throw;
        }
        Flushed(WrittenEnd());
    }

    private void Flushed(ReadableEnd end)
    {
        if (end.Offset > _durableOffset)
        {
            _durableOffset = end.Offset;
            if (end.Offset > HighWatermark)
            {
                Show(end);
            }
        }
    }

    private void Show(ReadableEnd end)
    {
        Volatile.Write(ref _readable, end);
        int kept = 0;
        for (int i = 0; i < _waiting.Count; i++)
        {
            if (_waiting[i].EndOffset <= end.Offset)
            {
                (_reached ??= new(_waiting.Count)).Add(_waiting[i].Done);
            }
            else
            {
                _waiting[kept++] = _waiting[i];
            }
        }
        _waiting.RemoveRange(kept, _waiting.Count - kept);
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

    private void TryCheckpoint(ReadableEnd end, byte[] snapshot)
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
    private void Checkpoint(ReadableEnd end, byte[] snapshot)
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
