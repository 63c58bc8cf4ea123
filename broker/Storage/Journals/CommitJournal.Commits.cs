using LogPipeline.Files.Journals;
using LogPipeline.Files.Waiting;

namespace LogPipeline.Storage.Journals;

/// <summary>What the journal tells: a commit is durable and releases who waits for it, space is needed, the disk refused.</summary>
internal sealed partial class CommitJournal
{
    void IJournalOwner.Committed(JournalCommit commit)
    {
        PendingCommit? done = null;
        bool mustSync = false;
        lock (_gate)
        {
            if (_uncommitted.TryPeek(out PendingCommit? oldest) && oldest.Number <= commit.Number)
            {
                done = _uncommitted.Dequeue();
            }
            if (commit.File != _file)
            {
                mustSync = _file >= 0 && MustStartSync(commit.Number - 1);
                _file = commit.File;
            }
        }
        if (done is not null)
        {
            using Turn.Scope turn = Turn.Begin(); // a connection's answers leave together
            foreach ((JournaledLog log, LogEnd end) in done.Ends)
            {
                log.Log.Journaled(end);
            }
        }
        TaskCompletionSource? idle;
        lock (_gate)
        {
            if (done is not null)
            {
                done.Ends.Clear();
                _spare.Push(done);
            }
            idle = TakeIdle();
        }
        idle?.SetResult();
        if (mustSync)
        {
            StartSync();
        }
    }

    void IJournalOwner.SpaceNeeded(long lastCommit)
    {
        bool mustSync;
        bool isPinned;
        lock (_gate)
        {
            isPinned = _pinnedCommit <= lastCommit;
            mustSync = !isPinned && MustStartSync(lastCommit);
        }
        if (isPinned)
        {
            TurnOff(new IOException("it is full of what a log that is offline needs at the next start"));
        }
        if (mustSync)
        {
            StartSync();
        }
    }

    void IJournalOwner.Failed(Exception cause)
    {
        lock (_gate)
        {
            if (_isDisposed)
            {
                return;
            }
        }
        if (cause is IOException)
        {
            TurnOff(cause);
            return;
        }
        TaskCompletionSource? idle;
        lock (_gate)
        {
            _isOff = true;
            _uncommitted.Clear(); // no commit will come, and a stop must not wait for one
            idle = TakeIdle();
        }
        _options.OnFatal(cause);
        idle?.SetResult();
    }

    // From here on each log syncs its own segment. What waits for a commit is made durable that way too.
    private void TurnOff(Exception cause)
    {
        var waiting = new List<JournaledLog>();
        TaskCompletionSource? idle;
        lock (_gate)
        {
            if (_isOff)
            {
                return;
            }
            _isOff = true;
            Problem = cause.Message;
            foreach (PendingCommit commit in _uncommitted)
            {
                waiting.AddRange(commit.Ends.Select(static entry => entry.Log));
            }
            _uncommitted.Clear();
            idle = TakeIdle();
        }
        Log.JournalOff(_logger, _directory, cause);
        foreach (JournaledLog log in waiting)
        {
            log.Log.SyncInstead();
        }
        idle?.SetResult();
    }
}
