using LogPipeline.Broker.Settings;
using LogPipeline.Files.Waiting;
using LogPipeline.Storage;

namespace LogPipeline.Broker.Maintenance;

// One round at a time, on a thread of the pool: a round may wait for the disk, and no connection waits for a round.
/// <summary>
/// What a broker does beside its clients: every log.retention.check.interval.ms it applies retention, shortens __consumer_offsets,
/// takes its reserve of the disk back and tries again to open the partitions that could not be opened. It begins a round at once when
/// the disk runs short or a segment was closed, since then a limit may be passed.
/// </summary>
internal sealed class MaintenanceLoop(
    DataDirectory directory,
    LogRetention retention,
    OffsetsRewrite offsets,
    OfflinePartitions offline,
    BrokerSettings settings,
    TimeProvider time,
    Action<Exception> onFatal) : IDisposable
{
    private static readonly TimeSpan FirstWait = TimeSpan.FromSeconds(30); // as in Kafka: a start has other things to do
    private static readonly TimeSpan ShortWait = TimeSpan.FromSeconds(10); // while producers are refused
    private static readonly TimeSpan Gap = TimeSpan.FromSeconds(1); // between two rounds at least

    private readonly AsyncLock _round = new();
    private readonly BackgroundLoop _loop = new(onFatal);

    public void Start() => _loop.Start(RunAsync);

    /// <summary>Ends the loop; returns when no round is under way.</summary>
    public Task CloseAsync() => _loop.CloseAsync();

    /// <summary>Ends the loop, without waiting for the round that may be under way.</summary>
    public void Dispose() => _loop.Dispose();

    private async Task RunAsync(CancellationToken stop)
    {
        await directory.MaintenanceDue.WaitAsync(Shorter(settings.RetentionCheckInterval, FirstWait), time, stop);
        while (true)
        {
            await RoundAsync(stop);
            await Task.Delay(Shorter(settings.RetentionCheckInterval, Gap), time, stop);
            TimeSpan interval = settings.RetentionCheckInterval;
            await directory.MaintenanceDue.WaitAsync(
                directory.IsShortOfSpace ? Shorter(interval, ShortWait) : interval, time, stop);
        }
    }

    /// <summary>One round; returns when it is over. One that is under way is waited for.</summary>
    internal async Task RoundAsync(CancellationToken cancellation)
    {
        await _round.TakeAsync();
        try
        {
            retention.Run();
            await offsets.RunAsync(cancellation);
            directory.LookAtSpace();
            offline.Retry();
        }
        finally
        {
            _round.Release();
        }
    }

    private static TimeSpan Shorter(TimeSpan one, TimeSpan other) => one < other ? one : other;
}
