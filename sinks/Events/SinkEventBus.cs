using Microsoft.Extensions.Logging;

namespace LogPipeline.Sinks.Events;

/// <summary>Carries sink events over an in-memory bus to those who log and count them.</summary>
public sealed class SinkEventBus : ISinkEvents, IAsyncDisposable
{
    public static Task<SinkEventBus> StartAsync(ILoggerFactory loggers, CancellationToken cancellation) => throw new NotImplementedException();

    public void Publish(SinkEvent sinkEvent) => throw new NotImplementedException();

    public ValueTask DisposeAsync() => throw new NotImplementedException();
}
