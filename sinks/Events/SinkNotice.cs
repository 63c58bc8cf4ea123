using LogPipeline.Sinks.Telemetry;
using MassTransit;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Sinks.Events;

/// <summary>A sink event as it travels on the bus.</summary>
/// <param name="Kind">started, stopped, paused, resumed, gap, truncation, overlap, poison, output, alert, alert_unknown, alert_over, expired, paused_by_command, resumed_by_command, table, rebuilt.</param>
/// <param name="IsAlert">Whether a person should look.</param>
/// <param name="Text">One line for people.</param>
public sealed record SinkNotice(string Sink, DateTimeOffset Time, string Kind, bool IsAlert, string Text)
{
    /// <summary>Whether people are told beyond the log: alerts, what ends them, and a sink that stops.</summary>
    public bool IsForPeople => IsAlert || Kind is "resumed" or "alert_over" or "stopped";

    public static SinkNotice Of(SinkEvent sinkEvent)
    {
        (string? kind, bool isAlert, string? text) = sinkEvent switch
        {
            SinkStarted e => ("started", false, $"writes to {e.Store}"),
            SinkStopped e => ("stopped", false, $"stopped: {e.Reason}"),
            SinkPaused e => ("paused", true, $"waits: {e.Reason}"),
            SinkResumed e => ("resumed", false, $"goes on after {e.Paused.TotalSeconds:0.0} s"),
            SinkPausedByCommand e => ("paused_by_command", false, e.What),
            SinkResumedByCommand => ("resumed_by_command", false, "is no longer paused by a command"),
            TableReplaced => ("rebuilt", false, "goes on in the table that took the place of the one before"),
            GapFound e => ("gap", true, $"{e.Log}: offsets {e.From} to {e.To - 1} were gone from the topic before they could be stored (see logpipe_gaps)"),
            TruncationFound e => ("truncation", true, $"{e.Log}: the topic ends at {e.End}, below the stored offset {e.Stored}: its tail was lost; what agents send again is recognised"),
            OverlapFound e => ("overlap", true, $"{e.Log}: the record at offset {e.Offset} repeats a file range without the mark that allows it; both are stored. Where two agents run on copies of one state directory, `logpipe agents` names them"),
            PoisonFound e => ("poison", true, $"{e.Log}: {e.Count} records went to the dead letters"),
            OutputCut { Length: 0 } e => ("output", true, $"{e.Path} was cut or moved away after {e.Committed} bytes; it is begun anew"),
            OutputCut e => ("output", true, $"{e.Path} was cut from {e.Committed} bytes to {e.Length}; it goes on behind them"),
            AlertRaised e => ("alert", true, $"alert {e.Rule}: {e.Found}"),
            AlertUnknown e => ("alert_unknown", true, $"alert {e.Rule} is unknown: {e.Reason}"),
            AlertOver e => ("alert_over", false, $"alert {e.Rule} is over: {e.Found}"),
            RowsExpired e => ("expired", false, $"retention removed {e.Part.Name} with {e.Part.Rows} rows of {e.Part.From:yyyy-MM-dd} up to {e.Part.To:yyyy-MM-dd} (noted in logpipe_expired)"),
            TableChanged e => ("table", false, e.Change),
            _ => ("unknown", true, sinkEvent.ToString() ?? ""),
        };
        return new SinkNotice(sinkEvent.Sink, sinkEvent.Time, kind, isAlert, $"sink {sinkEvent.Sink}: {text}");
    }
}

/// <summary>Writes notices to the log.</summary>
public sealed class SinkNoticeLogger(ILogger<SinkNoticeLogger> logger) : IConsumer<SinkNotice>
{
    public Task Consume(ConsumeContext<SinkNotice> context)
    {
        if (context.Message.IsAlert)
        {
            SinkLog.Alert(logger, context.Message.Text);
        }
        else
        {
            SinkLog.Event(logger, context.Message.Text);
        }
        return Task.CompletedTask;
    }
}

/// <summary>Counts notices by kind.</summary>
public sealed class SinkNoticeCounter : IConsumer<SinkNotice>
{
    public Task Consume(ConsumeContext<SinkNotice> context)
    {
        SinkMeter.Events.Add(1, new("sink", context.Message.Sink), new("kind", context.Message.Kind));
        return Task.CompletedTask;
    }
}
