using LogPipeline.Client.Connections;
using LogPipeline.Files;
using LogPipeline.Sinks.Bus;
using LogPipeline.Sinks.Commands;
using LogPipeline.Sinks.Events;
using LogPipeline.Sinks.Rebuilding;
using Microsoft.Extensions.Logging.Abstractions;

namespace LogPipeline.Sinks.Tests;

/// <summary>A sink as a process runs it: supervised, with its desk and the bus.</summary>
internal sealed class RunningSink : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly SinkBus _bus;
    private readonly CommandDesk _desk;
    private readonly RebuildRunner? _rebuilds;
    private readonly Task _work;

    private RunningSink(SinkOptions options, SinkBus bus)
    {
        _bus = bus;
        var environment = new SinkEnvironment { Random = new Random(5), Events = bus, Pauses = Pauses };
        Sink = new SupervisedSink(options, new TcpConnector(), inUse => SinkStores.Create(inUse, new OsFileSystem(), TimeProvider.System, new Random(6)), environment);
        _desk = new CommandDesk(options, environment with { Random = new Random(7) }, bus);
        _rebuilds = options.Files is not null ? null : new RebuildRunner(options, new TcpConnector(), environment with { Random = new Random(8) }, bus);
        _work = Task.WhenAll(Sink.RunAsync(_stop.Token), _desk.RunAsync(_stop.Token), _rebuilds?.RunAsync(_stop.Token) ?? Task.CompletedTask);
    }

    public SupervisedSink Sink { get; }

    public SinkPauses Pauses { get; } = new();

    public static async Task<RunningSink> StartAsync(SinkOptions options)
    {
        RunningSink sink = await BeginAsync(options);
        await sink.Sink.Ready.WaitAsync(TimeSpan.FromSeconds(60));
        return sink;
    }

    /// <summary>A sink that is not waited for: something may hold up its store.</summary>
    public static async Task<RunningSink> BeginAsync(SinkOptions options) =>
        new(options, await SinkBus.StartAsync(NullLoggerFactory.Instance, NoticeTargets.None, default));

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _work;
        await _desk.DisposeAsync();
        await (_rebuilds?.DisposeAsync() ?? ValueTask.CompletedTask);
        await _bus.DisposeAsync();
        _stop.Dispose();
    }
}
