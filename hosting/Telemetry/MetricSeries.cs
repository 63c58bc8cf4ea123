using System.Diagnostics.Metrics;

namespace LogPipeline.Hosting.Telemetry;

/// <summary>One instrument's values, one for each set of labels. Guarded by its own lock: instruments are moved by many threads.</summary>
internal sealed class MetricSeries(Instrument instrument)
{
    // Seconds, from a disk's flush to a slow rebuild; an instrument that measures anything else advises its own.
    private static readonly double[] DefaultBounds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

    private readonly Lock _lock = new();
    private readonly SortedDictionary<string, Value> _values = new(StringComparer.Ordinal);

    public Instrument Instrument { get; } = instrument;

    public MetricKind Kind { get; } = KindOf(instrument);

    public double[] Bounds { get; } = BoundsOf(instrument);

    // Observable instruments tell their whole value each time, the others what to add; a plain gauge replaces.
    private readonly bool _replaces = instrument.IsObservable || Is(instrument, typeof(Gauge<>));

    public void Record(double measurement, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        string labels = PrometheusText.Labels(tags);
        lock (_lock)
        {
            if (!_values.TryGetValue(labels, out Value? value))
            {
                _values[labels] = value = new Value(Kind == MetricKind.Histogram ? new long[Bounds.Length + 1] : []);
            }
            if (Kind == MetricKind.Histogram)
            {
                value.Buckets[BucketOf(measurement)]++;
                value.Count++;
                value.Sum += measurement;
            }
            else
            {
                value.Sum = _replaces ? measurement : value.Sum + measurement;
            }
        }
    }

    /// <summary>Forgets the values of an observable instrument, which tells all of them each time.</summary>
    public void ForgetObserved()
    {
        if (Instrument.IsObservable)
        {
            lock (_lock)
            {
                _values.Clear();
            }
        }
    }

    /// <summary>Calls back for every set of labels, in their order, while the values stand still.</summary>
    public void Visit(Action<string, Value> visit)
    {
        lock (_lock)
        {
            foreach ((string? labels, Value? value) in _values)
            {
                visit(labels, value);
            }
        }
    }

    // The first bound that is not below the measurement; past the last one lies the bucket +Inf.
    private int BucketOf(double measurement)
    {
        int at = Array.BinarySearch(Bounds, measurement);
        return at >= 0 ? at : ~at;
    }

    /// <summary>What an instrument is at <c>/metrics</c>.</summary>
    public static MetricKind KindOf(Instrument instrument)
        => Is(instrument, typeof(Histogram<>)) ? MetricKind.Histogram
            : Is(instrument, typeof(Counter<>)) || Is(instrument, typeof(ObservableCounter<>)) ? MetricKind.Counter
            : MetricKind.Gauge;

    private static bool Is(Instrument instrument, Type generic)
        => instrument.GetType() is { IsGenericType: true } type && type.GetGenericTypeDefinition() == generic;

    /// <summary>The upper bounds of an instrument's buckets, ascending.</summary>
    public static double[] BoundsOf(Instrument instrument)
    {
        IReadOnlyList<double>? advised = instrument switch
        {
            Histogram<double> h => h.Advice?.HistogramBucketBoundaries,
            Histogram<long> h => h.Advice?.HistogramBucketBoundaries?.Select(bound => (double)bound).ToArray(),
            Histogram<int> h => h.Advice?.HistogramBucketBoundaries?.Select(bound => (double)bound).ToArray(),
            _ => null,
        };
        return advised is null ? DefaultBounds : [.. advised];
    }

    internal sealed class Value(long[] buckets)
    {
        public double Sum;
        public long Count;
        public long[] Buckets { get; } = buckets;
    }
}

internal enum MetricKind
{
    Counter,
    Gauge,
    Histogram,
}
