using LogPipeline.Simulation.Kernel;

namespace LogPipeline.Simulation;

/// <summary>
/// Which faults a seed brings and how often: each kind is on or off by chance, so that some seeds show one kind alone and others
/// all of them together.
/// </summary>
internal sealed class FaultPlan
{
    private readonly World _world;

    public FaultPlan(World world)
    {
        _world = world;
        // Mostly short: two short runs show more than a long one; some long ones, for what takes its time.
        double length = world.Random.NextDouble();
        Storm = TimeSpan.FromSeconds(4 + (50 * length * length));
        Pause = world.Between(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(15));
        CrashEvery = On(0.6) ? world.Random.Next(20, 1500) : 0;
        PowerLoss = On(0.5) ? world.Random.NextDouble() * 0.6 : 0;
        Kills = On(0.5);
        CleanStops = On(0.3);
        Freezes = On(0.3);
        ClockJumps = On(0.3);
        Restores = On(0.15);
        DatabaseRestarts = On(0.3);
        SecondSink = On(0.4);
        DiskFull = On(0.15);
        TailLost = On(0.15);
        Forgets = On(0.25);
        DeletesTopic = On(0.1);
        ClonedState = On(0.1);
        ForeignProducers = On(0.3) ? world.Random.Next(1, 3) : 0;
        Retention = On(0.2);
        TailLost &= !Retention; // a lost end below the log's start is no log any more
        FlipsBits = On(0.15) && !DeletesTopic; // the same name may be another log's later
    }

    /// <summary>How long faults go on.</summary>
    public TimeSpan Storm { get; }

    /// <summary>Mean time between two deliberate faults.</summary>
    public TimeSpan Pause { get; }

    /// <summary>Mean number of seam calls in a life; 0 = lives end by other faults only.</summary>
    public int CrashEvery { get; set; }

    /// <summary>Chance that a crash takes the machine's power with it.</summary>
    public double PowerLoss { get; set; }

    public bool Kills { get; set; }

    public bool CleanStops { get; set; }

    public bool Freezes { get; set; }

    public bool ClockJumps { get; set; }

    public bool Restores { get; set; }

    public bool DatabaseRestarts { get; set; }

    public bool SecondSink { get; set; }

    public bool DiskFull { get; set; }

    /// <summary>The broker loses an acked tail, as an unreplicated Kafka does on power loss.</summary>
    public bool TailLost { get; set; }

    /// <summary>The broker forgets producers between lives, as Kafka does.</summary>
    public bool Forgets { get; set; }

    /// <summary>The topic is deleted, whatever it holds, and made again by the next client that asks for it.</summary>
    public bool DeletesTopic { get; set; }

    /// <summary>One more server starts with a copy of another agent's state directory, as a machine made from an image does.</summary>
    public bool ClonedState { get; set; }

    /// <summary>So many idempotent producers of other make write to a topic of their own.</summary>
    public int ForeignProducers { get; set; }

    /// <summary>The broker keeps records for seconds only, read or unread.</summary>
    public bool Retention { get; set; }

    /// <summary>A broker that starts finds a bit of a closed segment flipped; it is restored before the next start.</summary>
    public bool FlipsBits { get; set; }

    public CrashPoint? NextCrash() => CrashEvery == 0
        ? null
        : new CrashPoint(1 + (int)(-Math.Log(1 - _world.Random.NextDouble()) * CrashEvery), _world.Random.Next(2) == 0, _world.Chance(PowerLoss));

    /// <summary>The faults that are on, for messages.</summary>
    public override string ToString() => string.Join(' ', new (string Name, bool IsOn)[]
    {
        ("crashes", CrashEvery > 0), ("power", PowerLoss > 0), ("kills", Kills), ("stops", CleanStops), ("freezes", Freezes), ("clocks", ClockJumps),
        ("restores", Restores), ("database", DatabaseRestarts), ("second-sink", SecondSink), ("disk-full", DiskFull), ("tail-lost", TailLost),
        ("forgets", Forgets), ("deletes-topic", DeletesTopic), ("clone", ClonedState), ("foreign", ForeignProducers > 0),
        ("retention", Retention), ("flips-bits", FlipsBits),
    }.Where(static fault => fault.IsOn).Select(static fault => fault.Name));

    private bool On(double probability) => _world.Chance(probability);
}
