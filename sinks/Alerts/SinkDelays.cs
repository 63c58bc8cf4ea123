using LogPipeline.Client.Connections;

namespace LogPipeline.Sinks.Alerts;

/// <summary>One <see cref="SinkDelay"/> for all rules of a sink. Not for several threads.</summary>
public sealed class SinkDelays(IConnector connector, TimeProvider time, Random random) : IAsyncDisposable
{
    private readonly Dictionary<string, SinkDelay> _bySink = [];

    public SinkDelay Of(SinkOptions sink)
    {
        if (!_bySink.TryGetValue(sink.Name, out SinkDelay? delay))
        {
            _bySink.Add(sink.Name, delay = new SinkDelay(sink, connector, time, new Random(random.Next())));
        }
        return delay;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (SinkDelay delay in _bySink.Values)
        {
            await delay.DisposeAsync();
        }
    }
}
