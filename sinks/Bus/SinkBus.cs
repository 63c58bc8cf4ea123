using System.Globalization;
using System.Threading.Channels;
using LogPipeline.Files.Waiting;
using LogPipeline.Sinks.Commands;
using LogPipeline.Sinks.Events;
using LogPipeline.Sinks.Rebuilding;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Sinks.Bus;

/// <summary>
/// MassTransit's in-memory bus: carries sink events to those who log them, count them, and tell people, commands to the sinks that do them,
/// and the saga of rebuilds.
/// What is published or sent is only queued; one loop hands the messages to the bus in order. Never a message a line. What a target does
/// not take is tried again by the bus, up to about a minute; each target has an endpoint of its own, so that none waits for another.
/// </summary>
public sealed class SinkBus : ISinkEvents, ICommandBus, IRebuildBus, IAsyncDisposable
{
    private static readonly TimeSpan SendMax = TimeSpan.FromSeconds(10);

    /// <summary>So long the end of the process waits for notices on their way: for one try of each target.</summary>
    private static readonly TimeSpan EndMax = SendMax;

    private readonly ServiceProvider _services;
    private readonly IBusControl _bus;
    private readonly ILogger _logger;
    private readonly BySink<CommandDesk> _desks;
    private readonly BySink<RebuildRunner> _runners;
    private readonly Channel<object> _messages = Channel.CreateBounded<object>(
        new BoundedChannelOptions(1024) { SingleReader = true, FullMode = BoundedChannelFullMode.DropOldest });
    private readonly Task _pump;

    private SinkBus(ServiceProvider services, IBusControl bus, ILogger logger)
    {
        (_services, _bus, _logger) = (services, bus, logger);
        (_desks, _runners) = (services.GetRequiredService<BySink<CommandDesk>>(), services.GetRequiredService<BySink<RebuildRunner>>());
        _pump = PumpAsync();
    }

    public static async Task<SinkBus> StartAsync(ILoggerFactory loggers, NoticeTargets targets, CancellationToken cancellation)
    {
        var collection = new ServiceCollection();
        collection.AddSingleton(loggers);
        collection.AddSingleton(typeof(ILogger<>), typeof(Logger<>));
        collection.AddMassTransit(bus =>
        {
            bus.DisableUsageTelemetry();
            bus.AddConsumer<SinkNoticeLogger>();
            bus.AddConsumer<SinkNoticeCounter>();
            bus.AddConsumer<CommandConsumer>();
            bus.AddConsumer<RebuildStepConsumer>(consumer => consumer.UseMessageRetry(AsLongAsItTakes));
            bus.AddSagaStateMachine<RebuildSaga, RebuildInstance>().InMemoryRepository();
            AddTargets(bus, targets);
            bus.UsingInMemory((context, memory) =>
            {
                ReceiveWebhooks(context, memory, targets.Webhooks);
                memory.ConfigureEndpoints(context);
            });
        });
        collection.AddSingleton(targets);
        collection.AddSingleton(typeof(BySink<>));
        collection.AddSingleton(TimeProvider.System);
        collection.AddSingleton(new HttpClient { Timeout = SendMax });
        ServiceProvider services = collection.BuildServiceProvider();
        IBusControl control = services.GetRequiredService<IBusControl>();
        await control.StartAsync(cancellation);
        return new SinkBus(services, control, loggers.CreateLogger<SinkBus>());
    }

    private static void AddTargets(IBusRegistrationConfigurator bus, NoticeTargets targets)
    {
        if (targets.Command.Count > 0)
        {
            bus.AddConsumer<CommandRunner>(consumer => consumer.UseMessageRetry(Again));
        }
        bus.AddConsumer<LostNotices>();
    }

    /// <summary>An endpoint for each address: one that has a notice does not get it again because another one fails.</summary>
    private static void ReceiveWebhooks(IBusRegistrationContext context, IInMemoryBusFactoryConfigurator memory, IReadOnlyList<Uri> addresses)
    {
        HttpClient client = context.GetRequiredService<HttpClient>();
        for (int i = 0; i < addresses.Count; i++)
        {
            Uri address = addresses[i];
            memory.ReceiveEndpoint(string.Create(CultureInfo.InvariantCulture, $"webhook-{i + 1}"), endpoint =>
            {
                endpoint.UseMessageRetry(Again);
                endpoint.Consumer(() => new WebhookSender(client, address));
            });
        }
    }

    private static void Again(IRetryConfigurator retry) => retry.Exponential(6, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(1));

    // A step of a rebuild waits for database and broker for hours; the process's end cancels it.
    private static void AsLongAsItTakes(IRetryConfigurator retry)
    {
        retry.Ignore<OperationCanceledException>();
        retry.Interval(10_000, TimeSpan.FromSeconds(3));
    }

    public void Publish(SinkEvent sinkEvent) => _messages.Writer.TryWrite(SinkNotice.Of(sinkEvent));

    public IDisposable Connect(string sink, CommandDesk desk) => _desks.Connect(sink, desk);

    public IDisposable Connect(string sink, RebuildRunner runner) => _runners.Connect(sink, runner);

    public void Send(RebuildMoved moved) => _messages.Writer.TryWrite(moved);

    public void Send(SinkCommand command) => _messages.Writer.TryWrite(new DoCommand(command.Sink, command.Id));

    public async ValueTask DisposeAsync()
    {
        _messages.Writer.TryComplete();
        await _pump;
        using var deadline = new CancellationTokenSource(EndMax, TimeProvider.System);
        try
        {
            await _bus.StopAsync(deadline.Token).OrCancelled(deadline.Token);
        }
        catch (OperationCanceledException)
        {
            // A target that does not answer would be tried for minutes more, and the process be killed by who stops it.
            Telemetry.SinkLog.NoticesGivenUp(_logger, EndMax);
            return;
        }
        await _services.DisposeAsync();
    }

    private async Task PumpAsync()
    {
        await foreach (object message in _messages.Reader.ReadAllAsync())
        {
            try
            {
                await _bus.Publish(message);
            }
            catch (Exception error) when (error is MassTransitException or OperationCanceledException)
            {
                // What happens to a notice must not touch the sink.
                Telemetry.SinkLog.Alert(_logger, $"{message} was not delivered: {error.Message}");
            }
        }
    }
}
