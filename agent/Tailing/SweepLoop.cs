using LogPipeline.Agent.State;
using LogPipeline.Files.Waiting;

namespace LogPipeline.Agent.Tailing;

/// <summary>
/// Runs sweeps: soon after a hint of a file that is new or moved, else after an interval that grows with what a sweep costs, so that looking
/// takes at most a twentieth of the time. Makes begun generations durable before they are read.
/// </summary>
internal sealed class SweepLoop(
    FileSweep sweep, FileBirths births, FileBook book, AgentState state, AgentOptions options, IFileWatch? watch, TimeProvider time)
{
    private const int CostFactor = 20;

    private static readonly TimeSpan IntervalMax = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan HintedMin = TimeSpan.FromMilliseconds(20);

    private readonly AsyncSignal _signal = new();
    private readonly SortedSet<string> _hints = new(StringComparer.Ordinal);
    private bool _all;

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

    public async Task RunAsync(CancellationToken stopped)
    {
        long last = time.GetTimestamp();
        TimeSpan interval = options.SweepInterval;
        while (!stopped.IsCancellationRequested)
        {
            TimeSpan rest = (_all && HintedMin < interval ? HintedMin : interval) - time.GetElapsedTime(last);
            if (rest > TimeSpan.Zero)
            {
                await _signal.WaitAsync(rest, time, stopped);
            }
            LookAtHints();
            TimeSpan since = time.GetElapsedTime(last);
            if (since < interval && !(_all && since >= HintedMin))
            {
                continue;
            }
            _all = false;
            long begin = time.GetTimestamp();
            await SweepAsync();
            last = time.GetTimestamp();
            TimeSpan cost = time.GetElapsedTime(begin, last) * CostFactor;
            TimeSpan least = watch is null ? options.SweepInterval : options.SweepInterval * 4;
            interval = cost > IntervalMax ? IntervalMax : cost > least ? cost : least;
        }
    }

    /// <summary>One sweep, and what follows from it.</summary>
    public async Task SweepAsync()
    {
        sweep.Sweep();
        if (watch is not null)
        {
            foreach (string directory in sweep.Directories)
            {
                watch.Watch(directory);
            }
        }
        foreach (TailedFile file in book.Files)
        {
            if (file.Log is null && !file.Generation.IsOver)
            {
                Attach?.Invoke(file);
            }
        }
        if (births.HasBegun)
        {
            births.HasBegun = false;
            await state.SavedAsync();
            foreach (TailedFile file in book.Files)
            {
                if (file.Unread > 0 || file.TakeRest)
                {
                    sweep.Ready?.Invoke(file);
                }
            }
        }
    }

    private void LookAtHints()
    {
        foreach (string path in _hints)
        {
            _all |= !sweep.TryLook(path);
        }
        _hints.Clear();
    }
}
