using LogPipeline.Agent.Shipping;
using LogPipeline.Agent.State;
using LogPipeline.Files;
using LogPipeline.Files.Waiting;

namespace LogPipeline.Agent.Tailing;

/// <summary>
/// Reads files that have something, in turn, and closes batches: at once where their log has nothing under way, else when they
/// are full or have lingered. A log that takes no more stops only its own files.
/// </summary>
internal sealed class ReadLoop(FileReader reader, FileProbe probe, FileTable table, FileHandles handles, Tailer tailer, AgentOptions options, TimeProvider time)
{
    private const int OpenBatchesMax = 8;

    private readonly Queue<TailedFile> _ready = [];
    private readonly List<TailedFile> _blocked = [];
    private readonly List<LogShipper> _open = [];
    private readonly PriorityQueue<TailedFile, long> _awaited = new(); // by when they are due
    private readonly AsyncSignal _signal = new();

    public bool IsIdle => _ready.Count == 0 && _blocked.Count == 0 && _open.Count == 0;

    /// <summary>The file may have something to read.</summary>
    public void Add(TailedFile file)
    {
        if (file.TryQueue())
        {
            _ready.Enqueue(file);
            _signal.Set();
        }
    }

    /// <summary>A log takes more again, or has nothing under way.</summary>
    public void Wake()
    {
        foreach (TailedFile file in _blocked)
        {
            _ready.Enqueue(file);
        }
        _blocked.Clear();
        _signal.Set();
    }

    public async Task RunAsync(CancellationToken stopped)
    {
        while (!stopped.IsCancellationRequested)
        {
            if (_ready.TryDequeue(out TailedFile? file))
            {
                Step(file);
                AddDue();
                // Acks, hints and sweeps run in between.
                await Task.Yield();
                continue;
            }
            TimeSpan? next = CloseDue();
            if (AddDue() is TimeSpan due && (next is null || due < next))
            {
                next = due;
            }
            if (_ready.Count > 0)
            {
                continue;
            }
            await (next is TimeSpan rest ? _signal.WaitAsync(rest, time, stopped) : _signal.WaitAsync(stopped));
        }
    }

    /// <summary>Closes all open batches.</summary>
    public void CloseAll()
    {
        _open.ForEach(log => log.CloseBatch());
        _open.Clear();
    }

    private void Step(TailedFile file)
    {
        file.Dequeued();
        if (!file.IsReadable)
        {
            if (file.Awaited is TailedFile first)
            {
                (first.Followers ??= []).Add(file);
            }
            // Whatever makes it readable adds it again: the sweep looks at it in any case.
            return;
        }
        LogShipper log = file.Log!;
        if (!log.CanAccept)
        {
            Block(file);
            return;
        }
        TryRead(file, log);
        if (file.IsAtEnd || file.IsFailing)
        {
            ReadFollowers(file);
        }
        if (!log.Open.IsEmpty && !_open.Contains(log))
        {
            _open.Add(log);
        }
        if (_open.Count > OpenBatchesMax)
        {
            _open[0].CloseBatch();
            _open.RemoveAt(0);
        }
    }

    /// <summary>Nothing else would tell them: the next look may be a minute away.</summary>
    private void ReadFollowers(TailedFile file)
    {
        foreach (TailedFile follower in file.Followers ?? [])
        {
            Add(follower);
        }
        file.Followers = null;
    }

    /// <summary>A file that cannot be read now the sweep adds again.</summary>
    private void TryRead(TailedFile file, LogShipper log)
    {
        try
        {
            if (handles.Of(file) is IFile handle)
            {
                Read(file, handle, log);
            }
        }
        catch (IOException e)
        {
            file.IsFailing = true;
            probe.Failed(file.Generation.Path, e.Message);
            if (file.Generation.Phase == GenerationPhase.Live || handles.NamedStatusOf(file) is not null)
            {
                // A handle on a network's file may be stale for ever; what has a name is opened anew.
                handles.Close(file);
            }
        }
    }

    private void Read(TailedFile file, IFile handle, LogShipper log)
    {
        bool isHeadWhole = file.Generation.Head.Length == Fingerprint.LengthMax;
        ReadOutcome outcome = reader.Read(file, handle, log);
        if (!isHeadWhole && file.Generation.Head.Length == Fingerprint.LengthMax)
        {
            table.Classify(file); // from now on it is known by its first KiB
        }
        file.IsFailing = false;
        Await(file);
        probe.Succeeded(file.Generation.Path);
        switch (outcome)
        {
            case ReadOutcome.More:
                Add(file);
                break;
            case ReadOutcome.Blocked:
                Block(file);
                break;
            case ReadOutcome.Waiting:
                break;
            case ReadOutcome.Changed:
                tailer.Changed(file);
                break;
            default:
                handles.Rested(file);
                break;
        }
    }

    private void Block(TailedFile file)
    {
        if (file.TryQueue())
        {
            _blocked.Add(file);
        }
    }

    /// <summary>Remembers a file that is to be read again though it may not have grown.</summary>
    private void Await(TailedFile file)
    {
        if (file.Shape is { Due: long due, IsAwaited: false } shape)
        {
            shape.IsAwaited = true;
            _awaited.Enqueue(file, due);
        }
    }

    /// <summary>Reads files again that are due; gives the time until the next is.</summary>
    private TimeSpan? AddDue()
    {
        while (_awaited.TryPeek(out TailedFile? file, out long due))
        {
            if (due > time.GetTimestamp())
            {
                return time.GetElapsedTime(time.GetTimestamp(), due);
            }
            _awaited.Dequeue();
            file.Shape!.IsAwaited = false;
            if (file.Shape.Due <= time.GetTimestamp())
            {
                file.Shape.Due = null;
                file.ForgetScan(); // where it cannot be read now, the sweep adds it again
                Add(file);
            }
            Await(file); // it has grown since, and is due later
        }
        return null;
    }

    /// <summary>Closes what is due; gives the time until the next is.</summary>
    private TimeSpan? CloseDue()
    {
        TimeSpan? next = null;
        for (int i = _open.Count - 1; i >= 0; i--)
        {
            LogShipper log = _open[i];
            TimeSpan rest = options.Linger - time.GetElapsedTime(log.Open.Since);
            if (log.Open.IsEmpty || log.IsIdle || rest <= TimeSpan.Zero)
            {
                log.CloseBatch();
                _open.RemoveAt(i);
            }
            else if (next is null || rest < next)
            {
                next = rest;
            }
        }
        return next;
    }
}
