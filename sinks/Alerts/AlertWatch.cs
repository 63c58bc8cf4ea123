using LogPipeline.Sinks.Events;
using LogPipeline.Sinks.Query;
using LogPipeline.Sinks.Telemetry;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Sinks.Alerts;

/// <summary>
/// Counts a rule's rows again and again and tells when they rise above the limit, when they are below it again, and when that cannot be known. What it told is not kept:
/// after a restart an alert that still holds is told once more. One owner.
/// </summary>
/// <param name="rule">The rule.</param>
/// <param name="open">Opens a reader of its rows; again after rows could not be counted, since a rebuild may have given the table another parser.</param>
/// <param name="delay">Tells why the rows since a time are not stored yet; null when they are. It is asked while they are within the limit, and may throw as the reader does.</param>
/// <param name="events">Are told when the rule's state changes.</param>
/// <param name="time">Ends the rule's window.</param>
/// <param name="logger">Is told when rows cannot be counted.</param>
public sealed class AlertWatch(
    AlertRule rule, Func<CancellationToken, ValueTask<ILogReader>> open, Func<DateTimeOffset, CancellationToken, Task<string?>> delay, ISinkEvents events, TimeProvider time,
    ILogger logger)
{
    private readonly KeyValuePair<string, object?> _tag = new("alert", rule.Name);
    private ILogReader? _reader;
    private bool _isRaised;
    private bool _isUnknown;
    private string? _problem;

    /// <summary>Why the rows cannot be counted, in one line; null while they can. Any thread may ask.</summary>
    public string? Problem => Volatile.Read(ref _problem);

    /// <summary>Counts at each interval, until cancelled. A database that does not answer is asked again at the next one.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        SinkMeter.Alerts.Add(0, _tag);
        using var ticks = new PeriodicTimer(rule.Every, time);
        try
        {
            // The first time after an interval: at a first start there is no table before the sink has run.
            while (await ticks.WaitForNextTickAsync(stop))
            {
                await LookAsync(stop);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Asked to stop.
        }
        finally
        {
            await CloseAsync();
        }
    }

    private async Task LookAsync(CancellationToken stop)
    {
        try
        {
            _reader ??= await open(stop);
            DateTimeOffset now = time.GetUtcNow();
            AlertCount count = await AlertCount.TakeAsync(rule, _reader, now, stop);
            string? unknown = count.IsAbove ? null : await delay(now - rule.Window, stop);
            if (unknown is null)
            {
                Judge(count);
            }
            else if (!_isUnknown)
            {
                events.Publish(new AlertUnknown(rule.Sink, now, rule.Name, unknown));
            }
            _isUnknown = unknown is not null;
            Volatile.Write(ref _problem, unknown is null ? null : $"it is unknown: {unknown}");
        }
        catch (Exception error) when (error is QueryException or QueryTimeoutException)
        {
            if (Problem is null)
            {
                SinkLog.AlertBlind(logger, rule.Name, error.Message, rule.Every);
            }
            Volatile.Write(ref _problem, $"its rows cannot be counted: {error.Message}");
            await CloseAsync();
        }
    }

    private async ValueTask CloseAsync()
    {
        if (_reader is { } reader)
        {
            _reader = null;
            await reader.DisposeAsync();
        }
    }

    private void Judge(AlertCount count)
    {
        if (count.IsAbove == _isRaised && !_isUnknown)
        {
            return;
        }
        SinkMeter.Alerts.Add((count.IsAbove ? 1 : 0) - (_isRaised ? 1 : 0), _tag);
        _isRaised = count.IsAbove;
        DateTimeOffset now = time.GetUtcNow();
        events.Publish(_isRaised ? new AlertRaised(rule.Sink, now, rule.Name, count.ToString()) : new AlertOver(rule.Sink, now, rule.Name, count.ToString()));
    }
}
