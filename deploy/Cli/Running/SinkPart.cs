using LogPipeline.Client.Connections;
using LogPipeline.Files;
using LogPipeline.Hosting.Parts;
using LogPipeline.Sinks;
using LogPipeline.Sinks.Events;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Cli.Running;

/// <summary>One sink in this process.</summary>
internal sealed class SinkPart(SinkOptions options, ISinkEvents events, ILoggerFactory loggers) : IPart
{
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _died = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ISinkStore? _store;
    private SinkWorker? _worker;
    private Task _work = Task.CompletedTask;

    public string Name => $"sink {options.Name}";

    public Task Running => _died.Task;

    public string? Problem => _worker?.Problem;

    public async Task<string> StartAsync(CancellationToken stop)
    {
        _store = SinkStores.Create(options, new OsFileSystem(), TimeProvider.System, new Random());
        SinkWorker worker = _worker = new SinkWorker(options, new TcpConnector(), _store, new SinkEnvironment
        {
            Random = new Random(),
            Logger = loggers.CreateLogger("LogPipeline.Sinks"),
            Events = events,
            OnFatal = e => _died.TrySetException(e),
        });
        // On the thread pool: the worker takes no context with it.
        _work = Task.Run(() => worker.RunAsync(_stop.Token), CancellationToken.None);
        await worker.Ready.WaitAsync(stop);
        return $"sink {options.Name} ({_store.Kind})";
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        try
        {
            await _work;
        }
        catch (OperationCanceledException)
        {
            // how a run that was told to stop may end
        }
        if (_store is not null)
        {
            await _store.DisposeAsync();
        }
        _stop.Dispose();
    }
}
