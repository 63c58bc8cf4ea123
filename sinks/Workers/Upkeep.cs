using LogPipeline.Sinks.Events;
using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Telemetry;

namespace LogPipeline.Sinks.Workers;

/// <summary>
/// Has the store do its work beside the flushes: at the start and every hour. What fails is told and tried again; lines are stored all the same,
/// as long as nothing that they need is missing.
/// </summary>
internal sealed class Upkeep(string sink, ISinkStore store, SinkEnvironment environment)
{
    private static readonly TimeSpan Interval = TimeSpan.FromHours(1);
    private static readonly TimeSpan Retry = TimeSpan.FromMinutes(1);

    private readonly KeyValuePair<string, object?> _tag = new("sink", sink);

    /// <summary>Runs until cancelled.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        try
        {
            while (true)
            {
                await Task.Delay(await TendAsync(stop), environment.Time, stop);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The sink ends.
        }
    }

    /// <summary>Returns how long to wait for the next time.</summary>
    private async Task<TimeSpan> TendAsync(CancellationToken stop)
    {
        try
        {
            foreach (ExpiredPart part in await store.TendAsync(stop))
            {
                SinkMeter.Expired.Add(part.Rows, _tag);
                environment.Events.Publish(new RowsExpired(sink, environment.Time.GetUtcNow(), part));
            }
            return Interval;
        }
        catch (StoreUnavailableException error)
        {
            SinkLog.NotTended(environment.Logger, sink, error.Message, Retry);
            return Retry;
        }
        catch (StoreRefusedException error)
        {
            SinkLog.NotTended(environment.Logger, sink, error.Message, Interval);
            return Interval;
        }
    }
}
