namespace LogPipeline.Storage.Journals;

/// <summary>
/// Syncs segments behind the journal. Whenever a file of the journal is full, the logs that have bytes in it are synced, a few at a
/// time so that commits do not queue behind them, and then the file may be used again. A log that cannot be synced keeps its bytes in
/// the journal: nothing is used again, and the journal turns itself off.
/// </summary>
internal sealed partial class CommitJournal
{
    private const int SyncsAtOnce = 4;

    private readonly List<JournaledLog> _unsynced = []; // logs that may have bytes in the journal alone
    private readonly Queue<JournaledLog> _toSync = new(); // those of the pass under way
    private long _pinnedCommit = long.MaxValue; // it and what follows must be kept: a log's only copy
    private long _passTarget; // the pass under way makes all up to this commit safe
    private long _wantedTarget;
    private int _lanes; // syncs under way
    private bool _isPassing; // until the journal was trimmed to what the pass made safe: one trim at a time
    private int _file = -1; // that the newest commit is in
    private bool _isDisposed;

    /// <summary>The segment that a log writes to is synced whole, by the log itself. Called under the log's lock.</summary>
    public void Synced(JournaledLog log)
    {
        lock (_gate)
        {
            log.UnsyncedSince = 0;
        }
    }

    /// <summary>A sync of the log's segment begins; hand what is returned to <see cref="EndSync"/>. Called under the log's lock.</summary>
    public SyncMark BeginSync(JournaledLog log)
    {
        lock (_gate)
        {
            return new SyncMark(_journal?.NextCommit ?? 0, log.Appends);
        }
    }

    /// <summary>The sync is done: what was appended before it began is safe. Called under the log's lock.</summary>
    public void EndSync(JournaledLog log, SyncMark mark)
    {
        lock (_gate)
        {
            if (log.UnsyncedSince > 0)
            {
                log.UnsyncedSince = log.Appends == mark.Appends ? 0 : Math.Max(log.UnsyncedSince, mark.NextCommit);
            }
        }
    }

    // Under _gate. Whether the caller must call StartSync after leaving it.
    private bool MustStartSync(long target)
    {
        _wantedTarget = Math.Max(_wantedTarget, target);
        return !_isPassing && !_isOff && BeginPass();
    }

    // Under _gate.
    private bool BeginPass()
    {
        _isPassing = true;
        _passTarget = _wantedTarget;
        int kept = 0;
        for (int i = 0; i < _unsynced.Count; i++)
        {
            JournaledLog log = _unsynced[i];
            if (log.UnsyncedSince == 0)
            {
                log.IsListed = false;
            }
            else if (log.UnsyncedSince <= _passTarget)
            {
                _toSync.Enqueue(log);
            }
            else
            {
                _unsynced[kept++] = log;
            }
        }
        _unsynced.RemoveRange(kept, _unsynced.Count - kept);
        _lanes = SyncsAtOnce;
        return true;
    }

    private void StartSync()
    {
        for (int i = 0; i < SyncsAtOnce; i++)
        {
            _ = SyncLaneAsync();
        }
    }

    private async Task SyncLaneAsync()
    {
        try
        {
            while (true)
            {
                JournaledLog? log;
                bool isLast;
                lock (_gate)
                {
                    _toSync.TryDequeue(out log);
                    isLast = log is null && --_lanes == 0;
                }
                if (log is null)
                {
                    if (isLast)
                    {
                        EndPass();
                    }
                    return;
                }
                Exception? refused = null;
                try
                {
                    await log.Log.SyncAsync();
                }
                catch (LogOfflineException e)
                {
                    refused = e;
                }
                AfterSync(log, refused);
            }
        }
        catch (Exception e)
        {
            PassEnded(mayGoOn: false);
            _options.OnFatal(e);
        }
    }

    private void AfterSync(JournaledLog log, Exception? refused)
    {
        bool isGone = log.Log.IsRetired;
        lock (_gate)
        {
            if (isGone)
            {
                log.UnsyncedSince = 0; // deleted or closed: nobody reads it again from here
            }
            else if (refused is not null && log.UnsyncedSince > 0)
            {
                _pinnedCommit = Math.Min(_pinnedCommit, log.UnsyncedSince);
            }
            log.IsListed = log.UnsyncedSince > 0;
            if (log.IsListed)
            {
                _unsynced.Add(log);
            }
        }
        if (refused is not null && !isGone)
        {
            TurnOff(refused);
        }
    }

    private void EndPass()
    {
        long target;
        bool isDisposed;
        lock (_gate)
        {
            target = Math.Min(_passTarget, _pinnedCommit - 1);
            isDisposed = _isDisposed;
        }
        try
        {
            if (!isDisposed)
            {
                _journal!.Trim(target);
            }
        }
        catch (IOException e)
        {
            TurnOff(e);
        }
        PassEnded(mayGoOn: true);
    }

    private void PassEnded(bool mayGoOn)
    {
        bool mustGoOn;
        TaskCompletionSource? idle;
        lock (_gate)
        {
            _isPassing = false;
            mustGoOn = mayGoOn && _wantedTarget > _passTarget && MustStartSync(_wantedTarget);
            idle = TakeIdle();
        }
        idle?.SetResult();
        if (mustGoOn)
        {
            StartSync();
        }
    }
}

/// <summary>Where a log and the journal stood when a sync began.</summary>
internal readonly record struct SyncMark(long NextCommit, long Appends);
