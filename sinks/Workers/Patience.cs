using LogPipeline.Client;
using LogPipeline.Sinks.Events;
using LogPipeline.Sinks.Telemetry;
using Polly;
using Polly.Retry;

namespace LogPipeline.Sinks.Workers;

/// <summary>
/// Tries without end while database or broker are away: exponential back-off with jitter up to 2 s, so that
/// rows flow again within moments of a return. Tells once that the sink
/// pauses and once that it goes on. The lock guards the time of the pause: several partitions may wait at once.
/// </summary>
internal sealed class Patience
{
    private readonly Lock _gate = new();
    private readonly string _sink;
    private readonly SinkEnvironment _environment;
    private readonly Random _random;
    private readonly ResiliencePipeline _pipeline;
    private long? _pausedAt;

    public Patience(string sink, SinkEnvironment environment)
    {
        (_sink, _environment) = (sink, environment);
        _random = new Random(environment.Random.Next());
        _pipeline = new ResiliencePipelineBuilder { TimeProvider = environment.Time }.AddRetry(new RetryStrategyOptions
        {
            ShouldHandle = arguments => ValueTask.FromResult(IsWorthWaiting(arguments.Outcome.Exception)),
            MaxRetryAttempts = int.MaxValue,
            DelayGenerator = arguments => ValueTask.FromResult<TimeSpan?>(Delay(arguments.AttemptNumber)),
            OnRetry = arguments =>
            {
                OnWaiting(arguments.Outcome.Exception!, arguments.RetryDelay);
                return default;
            },
        }).Build();
    }

    /// <summary>Runs the work until it succeeds or fails for a reason that waiting does not mend.</summary>
    public async Task<T> WaitForAsync<T>(Func<CancellationToken, ValueTask<T>> work, CancellationToken cancellation)
    {
        // The continuation stays on the caller's context: the simulator schedules by it.
        ResilienceContext context = ResilienceContextPool.Shared.Get(continueOnCapturedContext: true, cancellation);
        try
        {
            return await _pipeline.ExecuteAsync(context => work(context.CancellationToken), context);
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }

    public static bool IsWorthWaiting(Exception? error) => error is StoreUnavailableException or BrokerConnectionException
        or BrokerUnreachableException or BrokerErrorException;

    /// <summary>How long to wait after so many failures, the first being 0: half of it fixed, half chance.</summary>
    public TimeSpan Delay(int failures)
    {
        int ceiling = Math.Min(2000, 100 << Math.Min(failures, 10));
        lock (_random)
        {
            return TimeSpan.FromMilliseconds(ceiling / 2 + _random.Next(ceiling / 2 + 1));
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
