using LogPipeline.Client;
using LogPipeline.Files.Waiting;
using LogPipeline.Sinks.Events;
using LogPipeline.Sinks.Telemetry;

namespace LogPipeline.Sinks.Workers;

/// <summary>
/// Who in a sink waits for what, and how long until the next try: exponential back-off with jitter up to 2 s, so that rows flow again within
/// moments of a return. The sink is paused while anyone waits; that is told when it begins and when it ends. Any thread may call;
/// <c>_gate</c> guards the reasons and the time of the pause.
/// </summary>
internal sealed class Waits : IDisposable
{
    private static readonly BackOff Delays = new(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(2));

    private readonly Lock _gate = new();
    private readonly string _sink;
    private readonly SinkEnvironment _environment;
    private readonly Random _random;
    private readonly SortedDictionary<string, string> _reasons = new(StringComparer.Ordinal);
    private long _pausedAt;

    public Waits(string sink, SinkEnvironment environment)
    {
        (_sink, _environment) = (sink, environment);
        _random = new Random(environment.Random.Next());
    }

    /// <summary>What is waited for, in one line; null when nothing is.</summary>
    public string? Problem
    {
        get
        {
            lock (_gate)
            {
                return _reasons.Count == 0 ? null : _reasons.First().Value;
            }
        }
    }

    /// <summary>Whether one waits, see <see cref="Waiting"/>.</summary>
    public bool IsWaiting(object who)
    {
        lock (_gate)
        {
            return _reasons.ContainsKey(who.ToString()!);
        }
    }

    /// <summary>Whether trying later helps.</summary>
    public static bool IsPassing(Exception error) => error is StoreUnavailableException or BrokerConnectionException
        or BrokerUnreachableException or BrokerErrorException;

    /// <summary>Runs the work until it succeeds or fails for a reason that waiting does not mend. The caller says when the wait is over.</summary>
    /// <param name="who">Whose wait it is: a partition, or what else is being done.</param>
    public Task<T> UntilDoneAsync<T>(object who, Func<CancellationToken, ValueTask<T>> work, CancellationToken cancellation) =>
        new RetryPolicy(_environment.Time, IsPassing, Delay, (reason, delay) => Waiting(who, reason, delay)).RunAsync(work, cancellation);

    /// <summary>Returns how long to wait after so many failures, the first being 0: half of it fixed, half chance.</summary>
    public TimeSpan Delay(int failures)
    {
        lock (_gate)
        {
            return Delays.Delay(failures, _random.NextDouble());
        }
    }

    /// <summary>Says that one waits, and why.</summary>
    public void Waiting(object who, Exception reason, TimeSpan delay)
    {
        SinkLog.Waiting(_environment.Logger, _sink, reason.Message, delay);
        lock (_gate)
        {
            bool isPause = _reasons.Count == 0;
            _reasons[who.ToString()!] = reason.Message;
            if (!isPause)
            {
                return;
            }
            _pausedAt = _environment.Time.GetTimestamp();
        }
        SinkMeter.Paused.Add(1, new KeyValuePair<string, object?>("sink", _sink));
        _environment.Events.Publish(new SinkPaused(_sink, _environment.Time.GetUtcNow(), reason.Message));
    }

    /// <summary>Says that one waits no more, whether it did or not.</summary>
    public void Over(object who)
    {
        TimeSpan paused;
        lock (_gate)
        {
            if (_reasons.Count == 0 || !_reasons.Remove(who.ToString()!) || _reasons.Count > 0)
            {
                return;
            }
            paused = _environment.Time.GetElapsedTime(_pausedAt);
        }
        SinkMeter.Paused.Add(-1, new KeyValuePair<string, object?>("sink", _sink));
        _environment.Events.Publish(new SinkResumed(_sink, _environment.Time.GetUtcNow(), paused));
    }

    /// <summary>The sink ends: what it waited for no longer counts.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_reasons.Count == 0)
            {
                return;
            }
            _reasons.Clear();
        }
        SinkMeter.Paused.Add(-1, new KeyValuePair<string, object?>("sink", _sink));
    }
}
