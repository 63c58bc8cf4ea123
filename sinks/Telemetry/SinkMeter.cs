using System.Diagnostics.Metrics;

namespace LogPipeline.Sinks.Telemetry;

/// <summary>The figures of this room; each is tagged with the sink's name.</summary>
internal static class SinkMeter
{
    public const string Name = "LogPipeline.Sinks";

    private static readonly Meter Meter = new(Name);

    public static readonly Counter<long> Rows = Meter.CreateCounter<long>("logpipe_sinks_rows_total", description: "Rows committed.");
    public static readonly Counter<long> Bytes = Meter.CreateCounter<long>("logpipe_sinks_bytes_total", "By", "Line bytes committed.");
    public static readonly Counter<long> Flushes = Meter.CreateCounter<long>("logpipe_sinks_flushes_total", description: "Transactions committed.");
    public static readonly Counter<long> Known = Meter.CreateCounter<long>("logpipe_sinks_known_total", description: "Records left out because their range was stored.");
    public static readonly Counter<long> Unwanted = Meter.CreateCounter<long>("logpipe_sinks_unwanted_total", description: "Records that the sink's where leaves out.");
    public static readonly Counter<long> Overlaps = Meter.CreateCounter<long>("logpipe_sinks_overlaps_total", description: "Records stored although a byte of their range was.");
    public static readonly Counter<long> DeadLetters = Meter.CreateCounter<long>("logpipe_sinks_dead_letters_total", description: "Records and unreadable stretches of batches that went to the dead letters.");
    public static readonly Counter<long> Expired = Meter.CreateCounter<long>("logpipe_sinks_expired_rows_total", description: "Rows that retention removed.");
    public static readonly Counter<long> LostClaims = Meter.CreateCounter<long>("logpipe_sinks_lost_claims_total", description: "Flushes rolled back because the ledger was not as expected.");
    public static readonly Counter<long> Skipped = Meter.CreateCounter<long>("logpipe_sinks_skipped_total", description: "Control records and fences passed over.");
    public static readonly Histogram<double> FlushSeconds = Meter.CreateHistogram<double>("logpipe_sinks_flush_seconds", "s", "Time of one flush.");
    public static readonly Counter<long> Events = Meter.CreateCounter<long>("logpipe_sinks_events_total", description: "Life-cycle events, by kind.");
    public static readonly UpDownCounter<int> Paused = Meter.CreateUpDownCounter<int>("logpipe_sinks_paused", description: "1 while the store, or a broker that it needs, cannot be reached.");
    public static readonly UpDownCounter<int> Alerts = Meter.CreateUpDownCounter<int>("logpipe_alerts_raised", description: "1 while a rule on stored rows is above its limit, by alert.");
    public static readonly UpDownCounter<int> Stopped = Meter.CreateUpDownCounter<int>("logpipe_sinks_stopped", description: "1 while the sink stands after a failure, until its next try.");
}
