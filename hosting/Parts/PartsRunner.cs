using System.Collections.Concurrent;
using LogPipeline.Hosting.Telemetry;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Hosting.Parts;

/// <summary>
/// Starts parts one after another, or beside those that come later where a part says so, prints a <c>ready:</c> line for each, runs them
/// until a signal or until one of them fails, and stops them in reverse order. All stops together may take 4.5 s; a part that needs longer is left to its recovery at the next start, which a
/// kill would need too.
/// </summary>
public sealed class PartsRunner(Health health, ILogger logger)
{
    private static readonly TimeSpan StopTime = TimeSpan.FromSeconds(4.5);

    private readonly List<IPart> _started = [];
    private readonly ConcurrentDictionary<IPart, bool> _failed = new(); // by their start: there is nothing to stop

    /// <summary>Runs the parts until they are told to stop; returns after a clean stop.</summary>
    /// <param name="parts">In the order of starting.</param>
    /// <param name="started">Called once, when all parts serve; may be null.</param>
    /// <param name="stop">Cancelled by the signal to stop.</param>
    /// <exception cref="PartFailedException">A part could not start or died.</exception>
    public async Task RunAsync(IReadOnlyList<IPart> parts, Action? started, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(parts);
        try
        {
            List<Task> starting = [];
            foreach (IPart part in parts)
            {
                Task start = StartAsync(part, stop);
                if (part.StartsBeside)
                {
                    starting.Add(start);
                }
                else
                {
                    await start;
                }
            }
            await WatchAsync(AllStartedAsync(starting, started), stop);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // asked to stop, perhaps while still starting
        }
        finally
        {
            await StopAsync();
        }
    }

    private async Task StartAsync(IPart part, CancellationToken stop)
    {
        bool isReady = false;
        _started.Add(part);
        health.Add(part.Name, () => part.Running.IsCompleted && isReady
            ? part.Running.Exception?.InnerException?.Message ?? "has ended"
            : part.Problem ?? (isReady ? null : "is starting"), () => part.Note);
        string ready;
        try
        {
            ready = await part.StartAsync(stop);
        }
        catch (Exception e) when (e is not OperationCanceledException || !stop.IsCancellationRequested)
        {
            _failed.TryAdd(part, true);
            throw new PartFailedException(part.Name, e) { BeforeReady = true };
        }
        isReady = true;
        Console.WriteLine($"ready: {ready}");
    }

    private static async Task AllStartedAsync(List<Task> starting, Action? started)
    {
        await foreach (Task start in Task.WhenEach(starting))
        {
            await start;
        }
        started?.Invoke();
    }

    private async Task WatchAsync(Task start, CancellationToken stop)
    {
        var stopped = Task.Delay(Timeout.Infinite, stop);
        List<IPart> parts = [.. _started];
        List<Task> running = parts.ConvertAll(part => part.Running);
        Task ended = await Task.WhenAny([stopped, start, .. running]);
        if (ended == start)
        {
            await start;
            ended = await Task.WhenAny([stopped, .. running]);
        }
        if (ended == stopped)
        {
            return;
        }
        IPart part = parts[running.IndexOf(ended)];
        throw new PartFailedException(part.Name, ended.Exception?.InnerException ?? new InvalidOperationException("it ended without being asked to"));
    }

    private async Task StopAsync()
    {
        var deadline = Task.Delay(StopTime);
        foreach (IPart part in Enumerable.Reverse(_started).Where(part => !_failed.ContainsKey(part)))
        {
            Task stopping = StopPartAsync(part);
            if (await Task.WhenAny(stopping, deadline) == deadline)
            {
                logger.StopTimedOut(part.Name, StopTime.TotalSeconds);
                return;
            }
        }
    }

    private async Task StopPartAsync(IPart part)
    {
        try
        {
            await part.DisposeAsync();
        }
        catch (Exception e)
        {
            logger.StopFailed(part.Name, e.Message);
        }
    }
}
