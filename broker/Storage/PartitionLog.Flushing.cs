using LogPipeline.Protocol.Records;
using LogPipeline.Storage.Journals;
using LogPipeline.Storage.Producers;

namespace LogPipeline.Storage;

/// <summary>
/// What makes appended batches durable. A small batch goes into the commit journal and is durable with its commit; a large one, and
/// any that the journal does not take, with a sync of the segment's file. The durable end needs every earlier byte: a journaled batch
/// behind a large one counts only when that one is synced.
/// </summary>
/// <remarks>
/// At most one sync of a log is under way; what is appended meanwhile waits for the next one, which takes all of it. Logs sync beside
/// each other on the file system's flush threads. The flush thread itself runs what waits for the sync, outside any lock: handing over
/// to the thread pool would cost more than what is left to do, which must be short. A failed sync takes the log offline: the kernel may
/// have dropped the dirty pages, so a second try would lie.
/// </remarks>
public sealed partial class PartitionLog
{
    private readonly OffsetWaiters _waiting = new(); // for what is durable; guarded by _gate
    private readonly OffsetWaiters _waitingForSync = new(); // for what is synced; guarded by _gate
    private readonly DurableEnd _durable; // guarded by _gate
    private long _syncWanted; // guarded by _gate; the sync loop runs until all below is synced
    private Exception? _offline; // guarded by _gate
    private TaskCompletionSource? _interval; // guarded by _gate; ends the wait between two flushes
    private Task _flushing = Task.CompletedTask; // guarded by _gate
    private bool _isFlushing; // guarded by _gate

    /// <summary>All below is on the disk and outlives a power cut.</summary>
    public long DurableOffset => _durable.End.Offset;

    /// <summary>For a simulation that breaks its rule; the partition's lock guards it.</summary>
    internal DurableEnd Durable => _durable;

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

    /// <summary>Whether it was closed or deleted, and not because of a fault.</summary>
    internal bool IsRetired => OfflineReason is ObjectDisposedException;

    /// <summary>What the log has in the journal up to here is in a durable commit. Called outside any lock.</summary>
    internal void Journaled(LogEnd end)
    {
        lock (_gate)
        {
            if (_offline is not null || end.Cuts != _cuts)
            {
                return;
            }
            _durable.JournaledTo(end);
        }
        TellAdvanced();
    }

    /// <summary>The journal does not make durable what it was given: the segment's sync does it instead.</summary>
    internal void SyncInstead()
    {
        bool mustStart;
        lock (_gate)
        {
            WantSync();
            mustStart = MustStartSync();
        }
        if (mustStart)
        {
            StartFlush();
        }
    }

    /// <summary>Completes when everything written before the call is durable in the segments' files.</summary>
    /// <exception cref="LogOfflineException">The sync failed, or the log was closed before.</exception>
    internal Task SyncAsync()
    {
        Task done;
        bool mustStart;
        lock (_gate)
        {
            if (_offline is not null)
            {
                return Task.FromException(new LogOfflineException(Name, _offline));
            }
            if (_durable.Synced.Offset >= _endOffset)
            {
                return Task.CompletedTask;
            }
            _syncWanted = _endOffset;
            done = _waitingForSync.Add(_endOffset, CancellationToken.None);
            mustStart = MustStartSync();
        }
        if (mustStart)
        {
            StartFlush();
        }
        return done;
    }

    // Under _gate, for the batch just written. Only where its segment holds it in space that is allocated: nothing may refuse it any
    // more once the journal has it.
    private bool TryJournal(ReadOnlySpan<byte> batch, in BatchHeader header) =>
        Options.Flush == FlushPolicy.Group
        && Active.IsAllocated
        && _journal.TryAppend(_journaledLog, in header, WrittenEnd(), batch);

    // Under _gate. All that is written has to be synced in the segment's file.
    private void WantSync()
    {
        _durable.WrittenDirectly(_endOffset);
        if (Options.Flush != FlushPolicy.Os)
        {
            _syncWanted = _endOffset;
        }
    }

    // Under _gate. Whether the caller must start the sync loop after leaving it.
    private bool MustStartSync()
    {
        if (_isFlushing || _offline is not null || _durable.Synced.Offset >= _syncWanted)
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
        SyncMark mark;
        byte[]? snapshot = null;
        long behindFrom = -1;
        lock (_gate)
        {
            end = WrittenEnd();
            if (_offline is not null || _durable.Synced.Offset >= _syncWanted)
            {
                _isFlushing = false;
                return false;
            }
            mark = _journal.BeginSync(_journaledLog);
            if (_durable.IsJournaledBeyondSynced)
            {
                behindFrom = _durable.Synced.Segment == end.Segment ? _durable.Synced.Position : 0;
            }
            if (end.Position - _snapshotPosition >= Options.CheckpointBytes)
            {
                end.Segment.CompleteTimes();
                _producers.Expire(HeardSince(Now()));
                snapshot = ProducerSnapshot.Encode(_producers);
            }
        }
        await end.Segment.FlushAsync(behindFrom);
        lock (_gate)
        {
            // A log let go of meanwhile shows nothing more, also to those that begin to wait only now; of one that was cut meanwhile it
            // is not known what was flushed.
            if (_offline is null && end.Cuts == _cuts)
            {
                _journal.EndSync(_journaledLog, mark);
                _durable.SyncedTo(end);
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
        List<TaskCompletionSource>? synced;
        List<TaskCompletionSource>? unreached = null;
        List<TaskCompletionSource>? unsynced = null;
        lock (_gate)
        {
            reached = _waiting.TakeReached(DurableOffset);
            synced = _waitingForSync.TakeReached(_durable.Synced.Offset);
            if (_offline is not null)
            {
                (unreached, unsynced) = (_waiting.TakeAll(), _waitingForSync.TakeAll());
            }
        }
        OffsetWaiters.Release(reached);
        OffsetWaiters.Release(synced);
        if (unreached is not null || unsynced is not null)
        {
            var reason = new LogOfflineException(Name, OfflineReason);
            OffsetWaiters.Fail(unreached, reason);
            OffsetWaiters.Fail(unsynced, reason);
        }
        Advanced?.Invoke(this);
    }

    // The rest is called under _gate.
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
        _journal.Synced(_journaledLog);
        _durable.SyncedTo(WrittenEnd());
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
}
