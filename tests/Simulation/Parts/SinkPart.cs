using LogPipeline.Simulation.Database;
using LogPipeline.Simulation.Kernel;
using LogPipeline.Simulation.Machines;
using LogPipeline.Simulation.Network;
using LogPipeline.Sinks;

namespace LogPipeline.Simulation.Parts;

/// <summary>A sink process: one member of the group.</summary>
internal sealed class SinkPart
{
    public const string Name = "web_log";

    private readonly SimNetwork _network;
    private readonly SimDatabase _database;

    public SinkPart(Machine machine, SimNetwork network, SimDatabase database, string name)
    {
        _network = network;
        _database = database;
        Part = new Part(machine, name, RunAsync);
    }

    public Part Part { get; }

    /// <summary>Wraps the store of each life: where a planted fault sits.</summary>
    public Func<ISinkStore, ISinkStore> WrapStore { get; set; } = static store => store;

    public SinkOptions Options { get; set; } = new()
    {
        Name = Name,
        Bootstrap = $"{BrokerPart.Host}:{BrokerPart.Port}",
        Topics = [Story.Topic],
        Sqlite = new SqliteOptions { File = "simulated" },
        Flush = new FlushOptions { BytesMax = 4096, Interval = TimeSpan.FromMilliseconds(500) },
    };

    private Task RunAsync(Life life)
    {
        var environment = new SinkEnvironment
        {
            Time = life.Time,
            Random = life.Random,
            Logger = new TraceLogger(Part),
        };
        ISinkStore store = WrapStore(new SimStore(_database, life));
        return new SinkWorker(Options, new SimConnector(_network, life), store, environment).RunAsync(life.Stopping);
    }
}
