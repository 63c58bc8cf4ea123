using LogPipeline.Hosting.Telemetry;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Hosting.Parts;

/// <summary>
/// Starts parts one after another, prints a <c>ready:</c> line for each, runs them until a signal or until one of them fails, and stops
/// them in reverse order. All stops together may take 4.5 s; a part that needs longer is left to its recovery at the next start, which a
/// kill would need too.
/// </summary>
public sealed class PartsRunner(Health health, ILogger logger)
{
    private static readonly TimeSpan StopTime = TimeSpan.FromSeconds(4.5);

    private readonly List<IPart> _started = [];

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
            foreach (IPart part in parts)
            {
                await StartAsync(part, stop);
            }
            started?.Invoke();
            await WatchAsync(stop);
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
        string ready;
        _started.Add(part);
        try
        {
            ready = await part.StartAsync(stop);
        }
        catch (Exception e) when (e is not OperationCanceledException || !stop.IsCancellationRequested)
        {
            _started.Remove(part);
            throw new PartFailedException(part.Name, e) { BeforeReady = true };
        }
        health.Add(part.Name, () => part.Running.IsCompleted ? part.Running.Exception?.InnerException?.Message ?? "has ended" : part.Problem);
        Console.WriteLine($"ready: {ready}");
    }

    private async Task WatchAsync(CancellationToken stop)
    {
        var stopped = Task.Delay(Timeout.Infinite, stop);
        List<Task> running = _started.ConvertAll(part => part.Running);
        Task ended = await Task.WhenAny([stopped, .. running]);
        if (ended == stopped)
        {
            return;
        }
        IPart part = _started[running.IndexOf(ended)];
        throw new PartFailedException(part.Name, ended.Exception?.InnerException ?? new InvalidOperationException("it ended without being asked to"));
    }

    private async Task StopAsync()
    {
        var deadline = Task.Delay(StopTime);
        foreach (IPart? part in Enumerable.Reverse(_started))
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
