using LogPipeline.Simulation.Kernel;

namespace LogPipeline.Simulation.Machines;

/// <summary>A host: parts that share a disk and a clock, and lose power together.</summary>
public sealed class Machine(World world, string name)
{
    public string Name { get; } = name;

    public World World { get; } = world;

    public List<Part> Parts { get; } = [];

    public bool IsUp { get; private set; } = true;

    /// <summary>What the wall clock is off by; may jump at any time.</summary>
    public TimeSpan ClockOffset { get; set; }

    /// <summary>Told after all parts are dead, for the disk to lose what was not synced.</summary>
    public Action? PowerLost { get; set; }

    public Action? PoweredUp { get; set; }

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
        PowerLost?.Invoke();
    }

    public void PowerUp()
    {
        if (!IsUp)
        {
            World.Trace.Say(null, $"{Name} has power again");
            IsUp = true;
            PoweredUp?.Invoke();
        }
    }
}
