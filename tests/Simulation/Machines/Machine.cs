using LogPipeline.Simulation.Kernel;
using LogPipeline.Testing.Files;

namespace LogPipeline.Simulation.Machines;

/// <summary>A host: parts that share a disk and a clock, and lose power together.</summary>
public sealed class Machine
{
    private DateTimeOffset _latest;

    public Machine(World world, string name)
    {
        World = world;
        Name = name;
        Clock = new MachineClock(this);
        Disk = new MemoryDisk(Clock, name);
    }

    public string Name { get; }

    public World World { get; }

    public MemoryDisk Disk { get; set; }

    public DiskFaults DiskFaults { get; } = new();

    public List<Part> Parts { get; } = [];

    public bool IsUp { get; private set; } = true;

    /// <summary>Raised by each boot.</summary>
    public int BootCount { get; private set; } = 1;

    public TimeProvider Clock { get; }

    /// <summary>What the wall clock is off by; may jump at any time.</summary>
    public TimeSpan ClockOffset
    {
        get;
        set
        {
            _latest = Latest;
            ClockWentBack |= value < field;
            field = value;
        }
    }

    /// <summary>Whether it was ever set back.</summary>
    public bool ClockWentBack { get; private set; }

    /// <summary>The latest time that the wall clock has ever shown.</summary>
    public DateTimeOffset Latest => Clock.GetUtcNow() is var now && now > _latest ? now : _latest;

    /// <summary>Told after all parts are dead and before the disk forgets.</summary>
    public Action? LosingPower { get; set; }

    /// <summary>Told when the disk is as it will be found.</summary>
    public Action? PowerLost { get; set; }

    public void LosePower(string why)
    {
        if (!IsUp)
        {
            return;
        }
        World.Trace.Say(null, $"{Name} loses power: {why}");
        IsUp = false;
        foreach (Part part in Parts)
        {
            part.Kill($"power lost: {why}");
        }
        LosingPower?.Invoke();
        Disk.LosePower(World.Random);
        PowerLost?.Invoke();
    }

    public void PowerUp()
    {
        if (!IsUp)
        {
            World.Trace.Say(null, $"{Name} has power again");
            BootCount++;
            IsUp = true;
        }
    }

    /// <summary>A part's view of the disk: each call is a seam call of its life.</summary>
    public MemoryFileSystem Attach(Life life)
    {
        var files = new MemoryFileSystem(Disk);
        // A flush takes its time: other calls come between its begin and its effect.
        FileCall? last = null;
        files.Before = call =>
        {
            World.Trace.Say(life.Part, $"{call.Operation} {call.Path} {call.Position} {call.Length}");
            if (life.Enter(Names[(int)call.Operation]))
            {
                last = call;
            }
            if (DiskFaults.Refuse > 0 && call.Operation is FileOperation.Write or FileOperation.WriteBack or FileOperation.Flush && World.Chance(DiskFaults.Refuse))
            {
                throw new IOException($"{call.Operation} {call.Path}: input/output error", hresult: 5);
            }
        };
        files.After = call =>
        {
            if (call == last)
            {
                life.CutAfter(Names[(int)call.Operation]);
            }
        };
        files.FlushDelay = _ =>
        {
            var flushed = new TaskCompletionSource();
            World.After(World.Between(TimeSpan.Zero, DiskFaults.FlushMax), life, () => flushed.TrySetResult());
            return flushed.Task;
        };
        life.AtDeath(() => files.Kill(static () => new SimulatedCrash("this life is over")));
        return files;
    }

    private static readonly string[] Names = Enum.GetNames<FileOperation>();
}

/// <summary>How a disk behaves short of losing power.</summary>
public sealed class DiskFaults
{
    /// <summary>The longest flush.</summary>
    public TimeSpan FlushMax { get; set; } = TimeSpan.FromMilliseconds(5);

    /// <summary>Chance, per write or flush, of an input/output error.</summary>
    public double Refuse { get; set; }
}
