using LogPipeline.Broker;
using LogPipeline.Broker.Network;
using LogPipeline.Files;
using LogPipeline.Simulation.Kernel;
using LogPipeline.Simulation.Machines;
using LogPipeline.Simulation.Network;
using LogPipeline.Testing.Files;

namespace LogPipeline.Simulation.Parts;

/// <summary>A broker process: the product's broker core behind simulated connections.</summary>
internal sealed class BrokerPart
{
    public const string Host = "broker";
    public const int Port = 9092;
    public const string Data = "/broker";

    private readonly SimNetwork _network;

    public BrokerPart(Machine machine, SimNetwork network, Dictionary<string, string> settings)
    {
        _network = network;
        Settings = settings;
        Part = new Part(machine, "broker", RunAsync);
    }

    public Part Part { get; }

    public Dictionary<string, string> Settings { get; }

    /// <summary>Wraps the file system of each life: where a planted fault sits.</summary>
    public Func<IFileSystem, IFileSystem> WrapFiles { get; set; } = static files => files;

    /// <summary>Reads along on each connection.</summary>
    public Func<IWireWitness?> Witness { get; set; } = static () => null;

    /// <summary>The running broker, or null.</summary>
    public BrokerCore? Core { get; private set; }

    /// <summary>Runs when the broker has recovered and before it serves.</summary>
    public Action<BrokerCore>? Opened { get; set; }

    /// <summary>Runs before a file is deleted.</summary>
    public Action<string>? Deleting { get; set; }

    private async Task RunAsync(Life life)
    {
        MemoryFileSystem disk = Part.Machine.Attach(life);
        disk.Before += call =>
        {
            if (call.Operation == FileOperation.Delete)
            {
                Deleting?.Invoke(call.Path);
            }
        };
        IFileSystem files = WrapFiles(disk);
        var options = new BrokerOptions
        {
            DataDirectory = Data,
            Listen = $"{Host}:{Port}",
            Advertise = $"{Host}:{Port}",
            Settings = Settings,
            LoggerFactory = new TraceLogger(Part),
            OnFatal = life.Fatal,
        };
        BrokerCore core = BrokerCore.Open(options, files, life.Time, life.Random);
        Core = core;
        life.AtDeath(() =>
        {
            Core = null;
            core.Telemetry.Dispose();
        });
        Opened?.Invoke(core);
        _network.Listen(life, Host, Port, end => Serve(life, core, end));
        try
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, life.Time, life.Stopping);
        }
        catch (OperationCanceledException)
        {
            await core.CloseAsync();
            core.Dispose();
        }
    }

    private async void Serve(Life life, BrokerCore core, LinkEnd end)
    {
        try
        {
            await new ConnectionLoop(core, core.Listeners[0], new BrokerTransport(end, Witness()), life.Time).RunAsync(life.Stopping);
        }
        catch (Exception error)
        {
            life.Fatal(error);
        }
    }
}
