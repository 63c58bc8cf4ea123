using LogPipeline.Client;
using LogPipeline.Files.Waiting;
using LogPipeline.Sinks.Events;
using LogPipeline.Sinks.Telemetry;

namespace LogPipeline.Sinks.Workers;

/// <summary>
/// Tries without end while database or broker are away: exponential back-off with jitter up to 2 s, so that
/// rows flow again within moments of a return. Tells once that the sink
/// pauses and once that it goes on. The lock guards the time of the pause: several partitions may wait at once.
/// </summary>
internal sealed class Patience
{
    private static readonly BackOff Delays = new(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(2));

    private readonly Lock _gate = new();
    private readonly string _sink;
    private readonly SinkEnvironment _environment;
    private readonly Random _random;
    private readonly RetryPolicy _policy;
    private long? _pausedAt;

    public Patience(string sink, SinkEnvironment environment)
    {
        (_sink, _environment) = (sink, environment);
        _random = new Random(environment.Random.Next());
        _policy = new RetryPolicy(environment.Time, IsWorthWaiting, Delay, OnWaiting);
    }

    /// <summary>Runs the work until it succeeds or fails for a reason that waiting does not mend.</summary>
    public Task<T> WaitForAsync<T>(Func<CancellationToken, ValueTask<T>> work, CancellationToken cancellation) => _policy.RunAsync(work, cancellation);

    public static bool IsWorthWaiting(Exception? error) => error is StoreUnavailableException or BrokerConnectionException
        or BrokerUnreachableException or BrokerErrorException;

    /// <summary>How long to wait after so many failures, the first being 0: half of it fixed, half chance.</summary>
    public TimeSpan Delay(int failures)
    {
        lock (_random)
        {
            return Delays.Delay(failures, _random.NextDouble());
        }
    }

    /// <summary>Says that the sink waits.</summary>
    public void OnWaiting(Exception reason, TimeSpan delay)
    {
        SinkLog.Waiting(_environment.Logger, _sink, reason.Message, delay);
        lock (_gate)
        {
            if (_pausedAt is not null)
            {
                return;
            }
            _pausedAt = _environment.Time.GetTimestamp();
        }
        SinkMeter.Paused.Add(1, new KeyValuePair<string, object?>("sink", _sink));
        _environment.Events.Publish(new SinkPaused(_sink, _environment.Time.GetUtcNow(), reason.Message));
    }

    /// <summary>Says that the sink works; ends a pause.</summary>
    public void OnWorking()
    {
        TimeSpan paused;
        lock (_gate)
        {
            if (_pausedAt is not { } since)
            {
                return;
            }
            paused = _environment.Time.GetElapsedTime(since);
            _pausedAt = null;
        }
        SinkMeter.Paused.Add(-1, new KeyValuePair<string, object?>("sink", _sink));
        _environment.Events.Publish(new SinkResumed(_sink, _environment.Time.GetUtcNow(), paused));
    }
}
