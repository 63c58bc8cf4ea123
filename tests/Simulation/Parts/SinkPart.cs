using LogPipeline.Simulation.Database;
using LogPipeline.Simulation.Kernel;
using LogPipeline.Simulation.Machines;
using LogPipeline.Simulation.Network;
using LogPipeline.Simulation.Workload;
using LogPipeline.Sinks;
using LogPipeline.Sinks.Commands;
using LogPipeline.Sinks.Parsing;

namespace LogPipeline.Simulation.Parts;

/// <summary>A sink process: one member of the group.</summary>
internal sealed class SinkPart
{
    public const string Name = "web_log";

    private readonly SimNetwork _network;
    private readonly SimDatabase _database;
    private SinkPauses? _pauses; // of the present life
    private bool _isPaused;
    private TimeSpan? _pausedSince; // when the present life learned of it

    public SinkPart(Machine machine, SimNetwork network, SimDatabase database, string name)
    {
        _network = network;
        _database = database;
        Part = new Part(machine, name, RunAsync);
    }

    public Part Part { get; }

    /// <summary>A planted fault: it goes on when it is paused.</summary>
    public bool IsDeaf { get; set; }

    /// <summary>Whether people may pause it.</summary>
    public bool CanBePaused { get; set; }

    /// <summary>What the configuration that its processes start with says of the lines that they store.</summary>
    public LineFilter Filter { get; init; } = new(FilterHabit.None);

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

    /// <summary>A person pauses the sink or resumes it; a process that runs knows it a moment later, and one that starts before it stores anything.</summary>
    public void Pause(bool isPaused)
    {
        _isPaused = isPaused;
        if (Part.Life is { } life)
        {
            Tell(life);
        }
    }

    private void Tell(Life life) => Part.World.Schedule(Part.World.Between(TimeSpan.Zero, TimeSpan.FromSeconds(2)), life, true, _ => Follow(life), null);

    private void Follow(Life life)
    {
        if (_pauses is { } pauses && Part.Life == life)
        {
            _pausedSince = _isPaused ? _pausedSince ?? Part.World.Now : null;
            pauses.Set(_isPaused && !IsDeaf ? [new SinkPause(null, null, life.Time.GetUtcNow(), "somebody")] : []);
        }
    }

    private Task RunAsync(Life life)
    {
        _pauses = CanBePaused ? new SinkPauses() : SinkPauses.None();
        _pausedSince = null;
        if (CanBePaused)
        {
            Tell(life);
        }
        var environment = new SinkEnvironment
        {
            Time = life.Time,
            Random = life.Random,
            Logger = new TraceLogger(Part),
            Pauses = _pauses,
        };
        ISinkStore store = WrapStore(new SimStore(_database, life)
        {
            IsPaused = () => _pausedSince < Part.World.Now,
            Parser = LineParsers.Named(new ParserOptions { Where = Filter.Configured(life.Random) }),
        });
        return new SinkWorker(Options, new SimConnector(_network, life), store, environment).RunAsync(life.Stopping);
    }
}
