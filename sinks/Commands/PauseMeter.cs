using System.Diagnostics.Metrics;
using LogPipeline.Sinks.Telemetry;

namespace LogPipeline.Sinks.Commands;

/// <summary>Shows whether people paused the sink or some of its partitions. The runtime keeps it until it is disposed.</summary>
internal sealed class PauseMeter : IDisposable
{
    private readonly Meter _meter = new(SinkMeter.Name);

    public PauseMeter(string sink, SinkPauses pauses)
    {
        _meter.CreateObservableGauge("logpipe_sinks_paused_by_command", () => new Measurement<int>(pauses.Text is null ? 0 : 1, new KeyValuePair<string, object?>("sink", sink)),
            description: "1 while the sink, or some of its partitions, is paused by a person's command.");
    }

    public void Dispose() => _meter.Dispose();
}
