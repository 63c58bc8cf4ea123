using LogPipeline.Agent.State;
using LogPipeline.Files.Waiting;

namespace LogPipeline.Agent.Tailing;

/// <summary>
/// Says when to look: at paths that a hint names at once, at everything after an interval that grows with what that costs, and at what waits for
/// time to pass as often as a sweep may come. Makes begun generations durable before they are read.
/// </summary>
internal sealed class LookLoop(
    Tailer tailer, PassingFiles passing, MissedRotations missed, FileBirths births, FileTable table, AgentState state, AgentOptions options, IFileWatch? watch, TimeProvider time)
{
    /// <summary>Of the time, looks at everything take at most one part in this many: without hints nothing else finds what changed.</summary>
    private const int CostFactor = 20;

    /// <summary>The same where hints come for every directory, and a look only finds what they missed.</summary>
    private const int HintedCostFactor = 1000;

    private static readonly TimeSpan IntervalMax = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan HintedIntervalMax = TimeSpan.FromSeconds(120);
    private static readonly TimeSpan HintedMin = TimeSpan.FromMilliseconds(20);

    private readonly AsyncSignal _signal = new();
    private readonly SortedSet<string> _hints = new(StringComparer.Ordinal);
    private HashSet<string> _watched = new(StringComparer.Ordinal);
    private bool _all;
    private bool _isWatched; // the watch was told of all directories before the last look at everything
    private bool _hasPartitions;

    /// <summary>Called for a file whose topic and partition are known now, or whose topic's partitions are not.</summary>
    public Action<TailedFile>? Attach { get; set; }

    /// <summary>A path may have changed; null = anything may have. On the agent's context.</summary>
    public void Hint(string? path)
    {
        if (path is null)
        {
            _all = true;
        }
        else
        {
            _hints.Add(path);
        }
        _signal.Set();
    }

    /// <summary>Another file has a name, or none has. On the agent's context.</summary>
    public void Note(in NameChange change)
    {
        passing.Note(change);
        foreach (string? path in (string?[])[change.From, change.To])
        {
            if (path is not null)
            {
                Hint(path);
            }
        }
    }

    /// <summary>The watch saw a write to a path; null = it has missed changes, of names too. On the agent's context.</summary>
    public void Written(string? path)
    {
        if (path is null)
        {
            passing.Forget();
        }
        Hint(path);
    }

    /// <summary>Files have their partitions since the last look, and can get their logs. On the agent's context.</summary>
    public void Placed()
    {
        _hasPartitions = true;
        _signal.Set();
    }

    public async Task RunAsync(CancellationToken stopped)
    {
        long last = time.GetTimestamp();
        long ticked = last;
        TimeSpan interval = options.SweepInterval;
        while (!stopped.IsCancellationRequested)
        {
            TimeSpan rest = (_all && HintedMin < interval ? HintedMin : interval) - time.GetElapsedTime(last);
            if ((tailer.IsWaiting || tailer.HasIdle) && rest > options.SweepInterval)
            {
                rest = options.SweepInterval;
            }
            if (rest > TimeSpan.Zero)
            {
                await _signal.WaitAsync(rest, time, stopped);
            }
            if (_hints.Count > 0 || _hasPartitions)
            {
                await LookAtHintsAsync();
            }
            TimeSpan since = time.GetElapsedTime(last);
            if (since >= interval || (_all && since >= HintedMin))
            {
                long begin = time.GetTimestamp();
                await LookAtAllAsync();
                last = ticked = time.GetTimestamp();
                interval = IntervalAfter(time.GetElapsedTime(begin, last));
            }
            else if (time.GetElapsedTime(ticked) >= options.SweepInterval)
            {
                ticked = time.GetTimestamp();
                tailer.Tick();
                await FollowUpAsync();
            }
        }
    }

    /// <summary>One look at everything, and what follows from it.</summary>
    public async Task LookAtAllAsync()
    {
        _all = false;
        long begun = time.GetTimestamp();
        tailer.LookAtAll();
        missed.BeginBetweenLooks(begun, _isWatched && watch is { IsComplete: true } && !passing.HasForgotten);
        (_isWatched, passing.HasForgotten) = (true, false);
        Watch();
        await FollowUpAsync();
    }

    private void Watch()
    {
        if (watch is not null)
        {
            HashSet<string> directories = new(tailer.Directories, StringComparer.Ordinal);
            _isWatched &= directories.IsSubsetOf(_watched);
            _watched = directories;
            foreach (string directory in directories)
            {
                watch.Watch(directory);
            }
        }
    }

    private async Task LookAtHintsAsync()
    {
        string[] paths = [.. _hints];
        _hints.Clear();
        _hasPartitions = false;
        _all |= !tailer.TryLookAt(paths);
        await FollowUpAsync();
    }

    /// <summary>Gives logs to files that have none, and makes durable what began.</summary>
    private async Task FollowUpAsync()
    {
        births.TellFollowed();
        foreach (TailedFile file in table.Unattached)
        {
            Attach?.Invoke(file);
            table.Classify(file);
        }
        if (births.HasBegun)
        {
            List<TailedFile> begun = births.TakeBegun();
            Watch(); // where their links lead to
            await state.SavedAsync();
            foreach (TailedFile file in begun)
            {
                if (file.Unread > 0 || file.TakeRest)
                {
                    tailer.Ready?.Invoke(file);
                }
            }
        }
    }

    private TimeSpan IntervalAfter(TimeSpan cost)
    {
        bool isHinted = watch?.IsComplete ?? false;
        TimeSpan rest = cost * (isHinted ? HintedCostFactor : CostFactor);
        TimeSpan least = watch is null ? options.SweepInterval : options.SweepInterval * 4;
        TimeSpan most = isHinted ? HintedIntervalMax : IntervalMax;
        return rest > most ? most : rest > least ? rest : least;
    }
}
