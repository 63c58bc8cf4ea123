namespace LogPipeline.Broker.Partitions;

// The flush thread wakes, fetch handlers register; _lock guards _waiting. A reader is one signal that may hang on many partitions,
// so waking is cheap and idempotent, and the reader looks at the partitions afterwards.
/// <summary>Signals to set when a partition has more to read, or is gone.</summary>
internal sealed class WaitingReaders
{
    private readonly Lock _lock = new();
    private readonly HashSet<ReadSignal> _waiting = []; // thousands may wait, and each removes itself

    public void Add(ReadSignal signal)
    {
        lock (_lock)
        {
            _waiting.Add(signal);
        }
    }

    public void Remove(ReadSignal signal)
    {
        lock (_lock)
        {
            _waiting.Remove(signal);
        }
    }

    public void Wake()
    {
        ReadSignal[] woken;
        lock (_lock)
        {
            woken = [.. _waiting];
        }
        foreach (ReadSignal signal in woken)
        {
            signal.Set();
        }
    }
}

/// <summary>Something that a fetch awaits: more data, or its time being up.</summary>
internal sealed class ReadSignal
{
    private readonly Lock _lock = new();
    private TaskCompletionSource _set = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _isExpired;

    /// <summary>Whether the time to wait is up. A clock of another kind may say a little less: this counts.</summary>
    public bool IsExpired => _isExpired;

    /// <summary>Completes when the signal is set.</summary>
    public Task Task
    {
        get
        {
            lock (_lock)
            {
                return _set.Task;
            }
        }
    }

    public void Set()
    {
        TaskCompletionSource set;
        lock (_lock)
        {
            set = _set;
        }
        set.TrySetResult();
    }

    /// <summary>Sets the signal because the time is up.</summary>
    public void Expire()
    {
        _isExpired = true;
        Set();
    }

    /// <summary>Arms the signal again; call it before looking at what it signals, so that no change is missed.</summary>
    public void Reset()
    {
        lock (_lock)
        {
            if (_set.Task.IsCompleted)
            {
                _set = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }
        }
    }
}
