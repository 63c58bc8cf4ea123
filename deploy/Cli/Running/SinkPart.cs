using LogPipeline.Client.Connections;
using LogPipeline.Files;
using LogPipeline.Hosting.Parts;
using LogPipeline.Sinks;
using LogPipeline.Sinks.Events;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Cli.Running;

/// <summary>One sink in this process. A failure of it stops nothing else: it is tried again.</summary>
/// <param name="isAlone">Whether the process runs nothing else: then a refused start ends it.</param>
/// <param name="options">What it does.</param>
/// <param name="events">Where it tells its life.</param>
/// <param name="loggers">Where it logs.</param>
internal sealed class SinkPart(SinkOptions options, bool isAlone, ISinkEvents events, ILoggerFactory loggers) : IPart
{
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private SupervisedSink? _sink;
    private Task _work = Task.CompletedTask;

    public string Name => $"sink {options.Name}";

    public bool StartsBeside => true;

    public Task Running => _ended.Task;

    public string? Problem => _sink?.Problem;

    public async Task<string> StartAsync(CancellationToken stop)
    {
        options.Validate();
        SupervisedSink sink = _sink = new SupervisedSink(options, new TcpConnector(), () => SinkStores.Create(options, new OsFileSystem(), TimeProvider.System, new Random(), events), new SinkEnvironment
        {
            Random = new Random(),
            Logger = loggers.CreateLogger("LogPipeline.Sinks"),
            Events = events,
        })
        {
            IsAlone = isAlone,
        };
        // On the thread pool: the worker takes no context with it.
        _work = Task.Run(() => sink.RunAsync(_stop.Token), CancellationToken.None);
        await sink.Ready.WaitAsync(stop);
        return $"sink {options.Name} ({options.Kind})";
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _work;
        _stop.Dispose();
    }
}
