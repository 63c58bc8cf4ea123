using System.Diagnostics.Metrics;

namespace LogPipeline.Client.Telemetry;

/// <summary>The meter <c>LogPipeline.Client</c>.</summary>
internal static class ClientMetrics
{
    private static readonly Meter Meter = new("LogPipeline.Client");

    public static readonly Counter<long> ConnectionsOpened = Meter.CreateCounter<long>("logpipe_client_connections_opened_total");
    public static readonly Counter<long> ConnectionsBroken = Meter.CreateCounter<long>("logpipe_client_connections_broken_total", description: "Ended by either side or by a fault.");
    public static readonly Counter<long> Requests = Meter.CreateCounter<long>("logpipe_client_requests_total");
    public static readonly Counter<long> BytesSent = Meter.CreateCounter<long>("logpipe_client_sent_bytes_total", "By");
    public static readonly Counter<long> BytesReceived = Meter.CreateCounter<long>("logpipe_client_received_bytes_total", "By");

    public static readonly Counter<long> RecordsDelivered = Meter.CreateCounter<long>("logpipe_client_produced_records_total", description: "Acknowledged.");
    public static readonly Counter<long> RecordsFailed = Meter.CreateCounter<long>("logpipe_client_produce_failed_records_total");
    public static readonly Counter<long> BatchRetries = Meter.CreateCounter<long>("logpipe_client_produce_retries_total", description: "Batches sent again.");
    public static readonly UpDownCounter<long> BufferedBytes = Meter.CreateUpDownCounter<long>("logpipe_client_produce_buffered_bytes", "By");

    public static readonly Counter<long> FetchedBytes = Meter.CreateCounter<long>("logpipe_client_fetched_bytes_total", "By", "Record batches.");
    public static readonly Counter<long> Rebalances = Meter.CreateCounter<long>("logpipe_client_rebalances_total", description: "Generations joined.");
    public static readonly Counter<long> CommitsFailed = Meter.CreateCounter<long>("logpipe_client_failed_commits_total", description: "Automatic ones.");
    public static readonly Counter<long> OffsetResets = Meter.CreateCounter<long>("logpipe_client_offset_resets_total", description: "Positions moved by the reset policy.");
}
