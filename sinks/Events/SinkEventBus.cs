using System.Threading.Channels;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Sinks.Events;

/// <summary>
/// Carries sink events over MassTransit's in-memory bus to those who log them, count them, and tell people. <see cref="Publish"/> only queues;
/// one loop hands the events to the bus in order. Never a message a line. What a target does not take is tried again by the bus, up to about
/// a minute; each target has an endpoint of its own, so that none waits for another.
/// </summary>
public sealed class SinkEventBus : ISinkEvents, IAsyncDisposable
{
    private static readonly TimeSpan SendMax = TimeSpan.FromSeconds(10);

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

    public static async Task<SinkEventBus> StartAsync(ILoggerFactory loggers, NoticeTargets targets, CancellationToken cancellation)
    {
        var collection = new ServiceCollection();
        collection.AddSingleton(loggers);
        collection.AddSingleton(typeof(ILogger<>), typeof(Logger<>));
        collection.AddMassTransit(bus =>
        {
            bus.DisableUsageTelemetry();
            bus.AddConsumer<SinkNoticeLogger>();
            bus.AddConsumer<SinkNoticeCounter>();
            AddTargets(bus, targets);
            bus.UsingInMemory((context, memory) => memory.ConfigureEndpoints(context));
        });
        collection.AddSingleton(targets);
        collection.AddSingleton(TimeProvider.System);
        collection.AddSingleton(new HttpClient { Timeout = SendMax });
        ServiceProvider services = collection.BuildServiceProvider();
        IBusControl control = services.GetRequiredService<IBusControl>();
        await control.StartAsync(cancellation);
        return new SinkEventBus(services, control, loggers.CreateLogger<SinkEventBus>());
    }

    private static void AddTargets(IBusRegistrationConfigurator bus, NoticeTargets targets)
    {
        if (targets.Webhooks.Count > 0)
        {
            bus.AddConsumer<WebhookSender>(consumer => consumer.UseMessageRetry(Again));
        }
        if (targets.Command.Count > 0)
        {
            bus.AddConsumer<CommandRunner>(consumer => consumer.UseMessageRetry(Again));
        }
        bus.AddConsumer<LostNotices>();
    }

    private static void Again(IRetryConfigurator retry) => retry.Exponential(6, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(1));

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
