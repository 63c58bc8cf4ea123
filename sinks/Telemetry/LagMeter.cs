using System.Diagnostics.Metrics;
using LogPipeline.Client;

namespace LogPipeline.Sinks.Telemetry;

/// <summary>How far a partition's rows are behind its records.</summary>
/// <param name="Partition">Of the topic.</param>
/// <param name="Records">Records that are in the topic, as of the last fetch or question, and not stored; null while that is not known.</param>
/// <param name="OldestUnstored">The timestamp of the first record that was read and is not stored, or, where nothing is read, when such records were first seen, milliseconds since 1970; null = none.</param>
internal readonly record struct PartitionLag(TopicPartition Partition, long? Records, long? OldestUnstored);

/// <summary>Shows the lag of a sink's partitions, of those that it has when it is asked. The runtime keeps it until it is disposed.</summary>
internal sealed class LagMeter : IDisposable
{
    private readonly Meter _meter = new(SinkMeter.Name);

    public LagMeter(string sink, Func<IEnumerable<PartitionLag>> partitions, TimeProvider time)
    {
        _meter.CreateObservableGauge(
            "logpipe_sinks_lag_records", () => partitions().Where(lag => lag.Records is not null).Select(lag => new Measurement<long>(lag.Records!.Value, Tags(sink, lag.Partition))),
            description: "Records of a partition that are not stored yet, as of seconds ago.");
        _meter.CreateObservableGauge(
            "logpipe_sinks_lag_seconds", () => partitions().Select(lag => new Measurement<double>(Age(lag, time), Tags(sink, lag.Partition))), "s",
            "Age of a partition's oldest record that is not stored, or while it is paused how long there has been one; 0 when all is stored.");
    }

    public void Dispose() => _meter.Dispose();

    private static double Age(PartitionLag lag, TimeProvider time) =>
        lag.OldestUnstored is { } oldest ? Math.Max(0, (time.GetUtcNow().ToUnixTimeMilliseconds() - oldest) / 1000.0) : 0;

    private static KeyValuePair<string, object?>[] Tags(string sink, TopicPartition partition) => [new("sink", sink), new("topic", partition.Topic), new("partition", partition.Partition)];
}
