using LogPipeline.Sinks.Events;
using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Telemetry;

namespace LogPipeline.Sinks.Workers;

/// <summary>
/// Has the store's chores done beside the flushes, and beside each other. What fails is told, shown and tried again; lines are stored all the same,
/// as long as nothing that they need is missing. <c>_gate</c> guards the problems.
/// </summary>
internal sealed class Upkeep(string sink, ISinkStore store, SinkEnvironment environment)
{
    private static readonly TimeSpan RetryUnavailable = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan RetryRefused = TimeSpan.FromMinutes(1);

    private readonly KeyValuePair<string, object?> _tag = new("sink", sink);
    private readonly Lock _gate = new();
    private readonly SortedDictionary<string, string> _problems = new(StringComparer.Ordinal);

    /// <summary>What could not be done the last time, in one line; null when all was. Any thread may ask.</summary>
    public string? Problem
    {
        get
        {
            lock (_gate)
            {
                return _problems.Count == 0 ? null : $"its {_problems.First().Key} are not kept in order: {_problems.First().Value}";
            }
        }
    }

    /// <summary>Runs until cancelled.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stop);
        Task[] kept = [.. store.Chores.Select(chore => KeepAsync(chore, ending)), Task.Delay(Timeout.InfiniteTimeSpan, environment.Time, ending.Token)];
        foreach (Task chore in kept)
        {
            // One after another: Task.WhenAll may resume through the thread pool.
            await chore.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        }
        if (Array.Find(kept, static chore => chore.IsFaulted) is { } failed)
        {
            await failed;
        }
    }

    private async Task KeepAsync(Chore chore, CancellationTokenSource ending)
    {
        try
        {
            while (true)
            {
                await Task.Delay(await DoAsync(chore, ending.Token), environment.Time, ending.Token);
            }
        }
        finally
        {
            ending.Cancel(); // before the stop only a failure comes here, and ends the others too
        }
    }

    /// <summary>Returns how long to wait for the next time.</summary>
    private async Task<TimeSpan> DoAsync(Chore chore, CancellationToken stop)
    {
        try
        {
            foreach (ExpiredPart part in await chore.DoAsync(stop))
            {
                SinkMeter.Expired.Add(part.Rows, _tag);
                environment.Events.Publish(new RowsExpired(sink, environment.Time.GetUtcNow(), part));
            }
        }
        catch (Exception error) when (error is StoreUnavailableException or StoreRefusedException)
        {
            TimeSpan retry = error is StoreUnavailableException ? RetryUnavailable : RetryRefused;
            if (Note(chore, error.Message))
            {
                SinkLog.NotTended(environment.Logger, sink, chore.Name, error.Message, retry);
            }
            return retry;
        }
        if (Note(chore, null))
        {
            SinkLog.Tended(environment.Logger, sink, chore.Name);
        }
        return chore.Interval;
    }

    /// <summary>Notes why a chore failed, or that it did not; returns whether that is news.</summary>
    private bool Note(Chore chore, string? problem)
    {
        lock (_gate)
        {
            string? before = _problems.GetValueOrDefault(chore.Name);
            if (problem is null)
            {
                _problems.Remove(chore.Name);
            }
            else
            {
                _problems[chore.Name] = problem;
            }
            return before != problem;
        }
    }
}
