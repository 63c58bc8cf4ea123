using LogPipeline.Simulation.Machines;

namespace LogPipeline.Simulation.Kernel;

/// <summary>A process of the simulated system: what it runs, where, and its present life.</summary>
public sealed class Part
{
    private readonly Func<Life, Task> _main;

    public Part(Machine machine, string name, Func<Life, Task> main)
    {
        Machine = machine;
        Name = name;
        _main = main;
        Ordinal = World.Parts.Count;
        World.Parts.Add(this);
        machine.Parts.Add(this);
    }

    public string Name { get; }

    public int Ordinal { get; }

    public Machine Machine { get; }

    public World World => Machine.World;

    /// <summary>The running incarnation, or null while the part is down.</summary>
    public Life? Life { get; private set; }

    public int LifeCount { get; private set; }

    /// <summary>What the part waits for, when somebody asks why nothing goes on.</summary>
    public Func<string>? Describe { get; set; }

    /// <summary>Chooses how many seam calls the next life may make before it is killed; null = as many as it likes.</summary>
    public Func<CrashPoint?>? ChooseCrash { get; set; }

    /// <summary>Told when a life ends: the reason is null for a clean end, <see cref="SimulatedCrash"/> for a kill.</summary>
    public Action<Part, Exception?>? Ended { get; set; }

    public void Start()
    {
        if (Life is not null || !Machine.IsUp)
        {
            return;
        }
        LifeCount++;
        World.Trace.Say(this, $"starts, life {LifeCount}");
        Life = new Life(this, ChooseCrash?.Invoke());
        Life.Begin(_main);
    }

    /// <summary>kill -9.</summary>
    public void Kill(string why) => Life?.Die(new SimulatedCrash(why));

    internal void LifeEnded(Exception? reason)
    {
        Life = null;
        World.Trace.Say(this, $"ends: {(reason is null ? "cleanly" : reason is SimulatedCrash ? reason.Message : reason.ToString())}");
        Ended?.Invoke(this, reason);
    }
}

/// <summary>Where a life is to be cut: at its n-th seam call, and whether the whole machine loses power with it.</summary>
/// <param name="Call">Counted from 1.</param>
/// <param name="AfterEffect">Whether the call still has its effect.</param>
public readonly record struct CrashPoint(int Call, bool AfterEffect, bool PowerLoss);
