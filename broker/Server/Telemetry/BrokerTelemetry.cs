using System.Diagnostics.Metrics;
using LogPipeline.Protocol;

namespace LogPipeline.Broker.Telemetry;

/// <summary>The broker's metrics, meter <c>LogPipeline.Broker</c>.</summary>
public sealed class BrokerTelemetry : IDisposable
{
    /// <summary>Name of the meter, for listeners.</summary>
    public const string MeterName = "LogPipeline.Broker";

    private readonly Meter _meter = new(MeterName);
    private readonly Counter<long> _requests;
    private readonly Counter<long> _failures;
    private readonly Counter<long> _bytesIn;
    private readonly Counter<long> _bytesOut;
    private readonly Counter<long> _badFrames;
    private readonly Counter<long> _refused;
    private readonly Counter<long> _produceRefused;
    private readonly Counter<long> _converted;
    private readonly Counter<long> _rebalances;
    private readonly ClientLabels _clients = new();
    private readonly Counter<long> _removed;
    private readonly Counter<long> _scrubbed;
    private readonly Histogram<double> _latency;
    private readonly Dictionary<ApiKey, KeyValuePair<string, object?>> _apiTags =
        Enum.GetValues<ApiKey>().ToDictionary(key => key, key => new KeyValuePair<string, object?>("api", key.ToString()));
    private int _connections;

    /// <summary>Creates the instruments.</summary>
    /// <param name="partitions">Returns topic, partition and log end offset of each partition.</param>
    /// <param name="isShortOfSpace">Returns whether the disk is so full that producers are refused.</param>
    /// <param name="damagedBatches">Returns how many damaged batches were found since the start.</param>
    public BrokerTelemetry(
        Func<IEnumerable<(string Topic, int Partition, long EndOffset)>> partitions, Func<bool> isShortOfSpace, Func<long> damagedBatches)
    {
        _requests = _meter.CreateCounter<long>("logpipe_broker_requests_total", "{request}", "Requests by api");
        _failures = _meter.CreateCounter<long>("logpipe_broker_request_failures_total", "{request}", "Requests that ended in a fault of the broker");
        _bytesIn = _meter.CreateCounter<long>("logpipe_broker_received_bytes_total", "By", "Bytes received");
        _bytesOut = _meter.CreateCounter<long>("logpipe_broker_sent_bytes_total", "By", "Bytes sent");
        _badFrames = _meter.CreateCounter<long>("logpipe_broker_bad_frames_total", "{frame}", "Connections closed because of what came in");
        _refused = _meter.CreateCounter<long>("logpipe_broker_connections_refused_total", "{connection}", "Connections beyond max.connections");
        _produceRefused = _meter.CreateCounter<long>(
            "logpipe_broker_produce_refused_total", "{batch}", "Batches that producers were refused, by reason (Kafka's error) and client id; the first hundred clients by name");
        _converted = _meter.CreateCounter<long>(
            "logpipe_broker_converted_bytes_total", "By", "Bytes of records made from another message format or codec, by what was made: format_0, format_1, format_2 or codec");
        _rebalances = _meter.CreateCounter<long>("logpipe_broker_group_rebalances_total", "{rebalance}", "Completed join barriers");
        _removed = _meter.CreateCounter<long>("logpipe_broker_retention_bytes_total", "By", "Bytes of records removed, by reason: limits of the topic, or the budget of all topics");
        _scrubbed = _meter.CreateCounter<long>("logpipe_broker_scrub_bytes_total", "By", "Bytes of segments read again to find damage");
        _latency = _meter.CreateHistogram<double>("logpipe_broker_request_seconds", "s", "Time from a request read to its answer ready");
        _meter.CreateObservableGauge("logpipe_broker_connections", () => Volatile.Read(ref _connections), "{connection}", "Open connections");
        _meter.CreateObservableGauge(
            "logpipe_broker_disk_full", () => isShortOfSpace() ? 1 : 0, description: "1 while producers are refused because the disk is nearly full");
        _meter.CreateObservableCounter(
            "logpipe_broker_damaged_batches_total", damagedBatches, "{batch}", "Damaged batches that a scrub or a fetch has found; they are not served");
        _meter.CreateObservableGauge("logpipe_broker_log_end_offset", () => Observe(partitions), "{record}", "Next offset of each partition");
    }

    internal bool MeasuresLatency => _latency.Enabled;

    public void Dispose() => _meter.Dispose();

    internal void Request(ApiKey key) => _requests.Add(1, _apiTags[key]);

    internal void RequestFailed(ApiKey key) => _failures.Add(1, _apiTags[key]);

    internal void Latency(ApiKey key, TimeSpan time) => _latency.Record(time.TotalSeconds, _apiTags[key]);

    internal void BytesIn(int bytes) => _bytesIn.Add(bytes);

    internal void BytesOut(int bytes) => _bytesOut.Add(bytes);

    internal void BadFrame() => _badFrames.Add(1);

    internal void ConnectionRefused() => _refused.Add(1);

    internal void Removed(long bytes, string reason) => _removed.Add(bytes, new KeyValuePair<string, object?>("reason", reason));

    internal void ProduceRefused(ErrorCode reason, string clientId) => _produceRefused.Add(
        1, new KeyValuePair<string, object?>("reason", reason.ToString()), new KeyValuePair<string, object?>("client", _clients.Of(clientId)));

    internal void Converted(long bytes, string to) => _converted.Add(bytes, new KeyValuePair<string, object?>("to", to));

    internal void Scrubbed(long bytes) => _scrubbed.Add(bytes);

    internal void Rebalanced() => _rebalances.Add(1);

    internal void ConnectionOpened() => Interlocked.Increment(ref _connections);

    internal void ConnectionClosed() => Interlocked.Decrement(ref _connections);

    private static IEnumerable<Measurement<long>> Observe(Func<IEnumerable<(string Topic, int Partition, long EndOffset)>> partitions) =>
        partitions().Select(p => new Measurement<long>(
            p.EndOffset,
            new KeyValuePair<string, object?>("topic", p.Topic),
            new KeyValuePair<string, object?>("partition", p.Partition)));
}
