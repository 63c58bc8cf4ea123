using System.Threading.Channels;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Sinks.Events;

/// <summary>
/// Carries sink events over MassTransit's in-memory bus to those who log and count them. <see cref="Publish"/> only queues; one
/// loop hands the events to the bus in order. Never a message a line.
/// </summary>
public sealed class SinkEventBus : ISinkEvents, IAsyncDisposable
{
    private readonly ServiceProvider _services;
    private readonly IBusControl _bus;
    private readonly ILogger _logger;
    private readonly Channel<SinkEvent> _events = Channel.CreateBounded<SinkEvent>(
        new BoundedChannelOptions(1024) { SingleReader = true, FullMode = BoundedChannelFullMode.DropOldest });
    private readonly Task _pump;

    private SinkEventBus(ServiceProvider services, IBusControl bus, ILogger logger)
    {
        (_services, _bus, _logger) = (services, bus, logger);
        _pump = PumpAsync();
    }

    public static async Task<SinkEventBus> StartAsync(ILoggerFactory loggers, CancellationToken cancellation)
    {
        var collection = new ServiceCollection();
        collection.AddSingleton(loggers);
        collection.AddSingleton(typeof(ILogger<>), typeof(Logger<>));
        collection.AddMassTransit(bus =>
        {
            bus.DisableUsageTelemetry();
            bus.AddConsumer<SinkNoticeLogger>();
            bus.AddConsumer<SinkNoticeCounter>();
            bus.UsingInMemory((context, memory) => memory.ConfigureEndpoints(context));
        });
        ServiceProvider services = collection.BuildServiceProvider();
        IBusControl control = services.GetRequiredService<IBusControl>();
        await control.StartAsync(cancellation);
        return new SinkEventBus(services, control, loggers.CreateLogger<SinkEventBus>());
    }

    public void Publish(SinkEvent sinkEvent) => _events.Writer.TryWrite(sinkEvent);

    public async ValueTask DisposeAsync()
    {
        _events.Writer.TryComplete();
        await _pump;
        await _bus.StopAsync(CancellationToken.None);
        await _services.DisposeAsync();
    }

    private async Task PumpAsync()
    {
        await foreach (SinkEvent sinkEvent in _events.Reader.ReadAllAsync())
        {
            try
            {
                await _bus.Publish(SinkNotice.Of(sinkEvent));
            }
            catch (Exception error) when (error is MassTransitException or OperationCanceledException)
            {
                // What happens to a notice must not touch the sink.
                Telemetry.SinkLog.Alert(_logger, $"an event was not delivered: {error.Message}");
            }
        }
    }
}
