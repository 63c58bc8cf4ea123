namespace LogPipeline.Simulation.Kernel;

/// <summary>
/// One incarnation of a part. When it dies, its posts and timers are dropped and its seam calls throw, so whatever code of it
/// is still on the stack runs into nothing.
/// </summary>
public sealed class Life
{
    private CrashPoint? _crash;
    private readonly List<Action> _atDeath = [];
    private readonly CancellationTokenSource _stopping = new();
    private int _calls;

    internal Life(Part part, CrashPoint? crash)
    {
        Part = part;
        _crash = crash;
        Context = new PartContext(this);
        Time = new PartClock(this);
        Random = new Random(World.Random.Next());
    }

    public Part Part { get; }

    public World World => Part.World;

    public bool IsAlive { get; private set; } = true;

    public TimeProvider Time { get; }

    /// <summary>Seeded by the world: the part's own choices repeat with the seed.</summary>
    public Random Random { get; }

    /// <summary>Cancelled when the part is asked to stop cleanly.</summary>
    public CancellationToken Stopping => _stopping.Token;

    /// <summary>A stopped process (SIGSTOP, a long pause): nothing of it runs before this time.</summary>
    public TimeSpan FrozenUntil { get; set; }

    internal PartContext Context { get; }

    /// <summary>Runs when the life ends, however it ends: connections break, locks are freed.</summary>
    public void AtDeath(Action action) => _atDeath.Add(action);

    /// <summary>Takes the crash that was chosen for it back, and thaws it.</summary>
    public void Spare()
    {
        _crash = null;
        FrozenUntil = TimeSpan.Zero;
    }

    /// <summary>SIGTERM.</summary>
    public void RequestStop() => World.Schedule(TimeSpan.Zero, this, true, _ => _stopping.Cancel(), null);

    /// <summary>Ends the life with a reason of its own: the callback for background loops that died.</summary>
    public void Fatal(Exception reason) => Die(reason);

    /// <summary>
    /// Called first in each seam call. Throws where the life is over or is to be cut before the call's effect; true = cut
    /// it after the effect by <see cref="CutAfter"/>.
    /// </summary>
    public bool Enter(string call)
    {
        World.CheckThread(call);
        if (!IsAlive)
        {
            throw new SimulatedCrash("this life is over");
        }
        World.Trace.Note(++_calls, call.Length);
        if (_crash is not { } crash || _calls != crash.Call)
        {
            return false;
        }
        if (crash.AfterEffect)
        {
            return true;
        }
        Cut($"killed before {call}");
        return false;
    }

    /// <summary>Ends the life after a seam call had its effect, unless it was spared while the call was under way.</summary>
    public void CutAfter(string call)
    {
        if (_crash is not null)
        {
            Cut($"killed after {call}");
        }
    }

    private void Cut(string why)
    {
        if (_crash!.Value.PowerLoss)
        {
            Part.Machine.LosePower(why);
        }
        else
        {
            Die(new SimulatedCrash(why));
        }
        throw new SimulatedCrash(why);
    }

    internal void Begin(Func<Life, Task> main) => World.Schedule(TimeSpan.Zero, this, true, _ => Watch(main), null);

    private async void Watch(Func<Life, Task> main)
    {
        try
        {
            await main(this);
        }
        catch (Exception error)
        {
            Die(error);
            return;
        }
        Die(null);
    }

    internal void Die(Exception? reason)
    {
        if (!IsAlive)
        {
            return;
        }
        IsAlive = false;
        foreach (Action action in _atDeath)
        {
            action();
        }
        Part.LifeEnded(reason);
    }
}

/// <summary>Thrown by each seam call of a life that was cut.</summary>
public sealed class SimulatedCrash(string message) : Exception(message);
