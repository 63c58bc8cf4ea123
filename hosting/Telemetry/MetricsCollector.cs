using System.Diagnostics.Metrics;

namespace LogPipeline.Hosting.Telemetry;

/// <summary>Listens to every meter of ours and keeps the values, to be read as Prometheus text.</summary>
internal sealed class MetricsCollector : IDisposable
{
    private readonly MeterListener _listener = new();
    private readonly Lock _lock = new();
    private readonly Lock _reading = new(); // held while observable instruments tell their values
    private readonly List<MetricSeries> _series = [];

    public MetricsCollector(Func<Meter, bool> listensTo)
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (!listensTo(instrument.Meter))
            {
                return;
            }
            var series = new MetricSeries(instrument);
            lock (_lock)
            {
                _series.Add(series);
            }
            listener.EnableMeasurementEvents(instrument, series);
        };
        // A meter that ends (an agent that is built again in one process) takes its values with it.
        _listener.MeasurementsCompleted = (_, state) =>
        {
            lock (_lock)
            {
                _series.Remove((MetricSeries)state!);
            }
        };
        _listener.SetMeasurementEventCallback<byte>((_, value, tags, state) => ((MetricSeries)state!).Record(value, tags));
        _listener.SetMeasurementEventCallback<short>((_, value, tags, state) => ((MetricSeries)state!).Record(value, tags));
        _listener.SetMeasurementEventCallback<int>((_, value, tags, state) => ((MetricSeries)state!).Record(value, tags));
        _listener.SetMeasurementEventCallback<long>((_, value, tags, state) => ((MetricSeries)state!).Record(value, tags));
        _listener.SetMeasurementEventCallback<float>((_, value, tags, state) => ((MetricSeries)state!).Record(value, tags));
        _listener.SetMeasurementEventCallback<double>((_, value, tags, state) => ((MetricSeries)state!).Record(value, tags));
        _listener.Start();
    }

    /// <summary>All values now. An observable instrument shows what it tells now and nothing else: a label set that it tells no more is gone.</summary>
    public string Text()
    {
        lock (_reading)
        {
            lock (_lock)
            {
                _series.ForEach(static series => series.ForgetObserved());
            }
            _listener.RecordObservableInstruments();
            lock (_lock)
            {
                return PrometheusText.Write(_series);
            }
        }
    }

    public void Dispose() => _listener.Dispose();
}
