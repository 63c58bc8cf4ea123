using LogPipeline.Files;
using LogPipeline.Simulation.Kernel;
using LogPipeline.Simulation.Network;
using LogPipeline.Simulation.Workload;
using LogPipeline.Sinks;

namespace LogPipeline.Simulation.Parts;

/// <summary>A sink process that writes files. Those of a host have one directory, which one of them locks while the others wait for it.</summary>
internal sealed class FileSinkPart
{
    private readonly OutputHost _host;
    private readonly SimNetwork _network;

    public FileSinkPart(OutputHost host, SimNetwork network, string name)
    {
        (_host, _network) = (host, network);
        Part = new Part(host.Machine, name, RunAsync) { Describe = () => _worker?.Problem ?? "runs" };
    }

    private SinkWorker? _worker;

    public Part Part { get; }

    /// <summary>Wraps the file system of each life: where a planted fault sits.</summary>
    public Func<IFileSystem, IFileSystem> WrapFiles { get; set; } = static files => files;

    private async Task RunAsync(Life life)
    {
        IFileSystem files = WrapFiles(Part.Machine.Attach(life));
        try
        {
            while (!life.Stopping.IsCancellationRequested)
            {
                try
                {
                    await WorkAsync(life, files);
                }
                catch (StoreRefusedException refused) when (refused.InnerException is DirectoryLockedException)
                {
                    await Task.Delay(TimeSpan.FromMilliseconds(life.Random.Next(500, 5000)), life.Time, life.Stopping);
                }
            }
        }
        catch (OperationCanceledException) when (life.Stopping.IsCancellationRequested)
        {
            // told to stop
        }
    }

    private async Task WorkAsync(Life life, IFileSystem files)
    {
        var environment = new SinkEnvironment { Time = life.Time, Random = life.Random, Logger = new TraceLogger(Part) };
        SinkOptions options = _host.Configured(life.Random);
        await using ISinkStore store = SinkStores.Create(options, files, life.Time, life.Random);
        _worker = new SinkWorker(options, new SimConnector(_network, life), store, environment);
        await _worker.RunAsync(life.Stopping);
    }
}
