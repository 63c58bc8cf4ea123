using LogPipeline.Client.Connections;
using LogPipeline.Files;
using LogPipeline.Hosting.Parts;
using LogPipeline.Sinks;
using LogPipeline.Sinks.Bus;
using LogPipeline.Sinks.Commands;
using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Rebuilding;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Cli.Running;

/// <summary>One sink in this process. A failure of it stops nothing else: it is tried again.</summary>
/// <param name="isAlone">Whether the process runs nothing else: then a refused start ends it.</param>
/// <param name="options">What it does.</param>
/// <param name="bus">Where it tells its life, and what brings its commands.</param>
/// <param name="loggers">Where it logs.</param>
internal sealed class SinkPart(SinkOptions options, bool isAlone, SinkBus bus, ILoggerFactory loggers) : IPart
{
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly SinkPauses _pauses = options.Files is null ? new SinkPauses() : SinkPauses.None();
    private SupervisedSink? _sink;
    private CommandDesk? _desk;
    private RebuildRunner? _rebuilds;
    private Task _work = Task.CompletedTask;

    public string Name => $"sink {options.Name}";

    public bool StartsBeside => true;

    public Task Running => _ended.Task;

    public string? Problem => _desk?.Problem ?? _sink?.Problem;

    /// <summary>A pause is somebody's wish and no fault: nothing that watches health should restart the process for it.</summary>
    public string? Note => _pauses.Text;

    public async Task<string> StartAsync(CancellationToken stop)
    {
        options.Validate();
        var environment = new SinkEnvironment { Random = new Random(), Logger = loggers.CreateLogger("LogPipeline.Sinks"), Events = bus, Pauses = _pauses };
        var migration = new MigrationRight();
        ISinkStore NewStore(SinkOptions inUse) => SinkStores.Create(inUse, new OsFileSystem(), TimeProvider.System, new Random(), bus, migration);
        SupervisedSink sink = _sink = new SupervisedSink(options, new TcpConnector(), NewStore, environment) { IsAlone = isAlone };
        CommandDesk? desk = _desk = options.Files is null ? new CommandDesk(options, environment with { Random = new Random() }, bus) : null;
        RebuildRunner? rebuilds = _rebuilds = options.Files is not null ? null : new RebuildRunner(options, new TcpConnector(), environment with { Random = new Random() }, bus);
        // On the thread pool: the worker takes no context with it.
        _work = Task.Run(() => Task.WhenAll(
            sink.RunAsync(_stop.Token), desk?.RunAsync(_stop.Token) ?? Task.CompletedTask, rebuilds?.RunAsync(_stop.Token) ?? Task.CompletedTask), CancellationToken.None);
        await sink.Ready.WaitAsync(stop);
        return $"sink {options.Name} ({options.Kind})";
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _work;
        foreach (IAsyncDisposable? besides in new IAsyncDisposable?[] { _desk, _rebuilds })
        {
            await (besides?.DisposeAsync() ?? ValueTask.CompletedTask);
        }
        _stop.Dispose();
    }
}
