using LogPipeline.Simulation.Database;
using LogPipeline.Simulation.Kernel;
using LogPipeline.Simulation.Machines;
using LogPipeline.Simulation.Network;
using LogPipeline.Simulation.Workload;

namespace LogPipeline.Simulation;

/// <summary>Brings the faults of the plan, restarts what died, and at the end makes everything whole.</summary>
internal sealed class Nemesis
{
    private readonly Story _story;
    private readonly World _world;
    private readonly FaultPlan _plan;
    private readonly List<Action> _faults = [];
    private readonly List<Machine> _machines = [];
    private readonly List<Part> _mortal = [];
    private Tables? _backup;
    private bool _calm;

    public Nemesis(Story story)
    {
        _story = story;
        _world = story.World;
        _plan = story.Plan;
        foreach (Part part in _world.Parts.Except(story.Shippers.Select(static shipper => shipper.Part)))
        {
            _mortal.Add(part);
            part.ChooseCrash = () => _calm ? null : _plan.NextCrash();
            part.Ended = Ended;
            if (!_machines.Contains(part.Machine))
            {
                _machines.Add(part.Machine);
            }
        }
        Weather();
        Faults();
    }

    public void Begin()
    {
        foreach (Part part in _world.Parts)
        {
            // A clone is taken of an agent that has been at work.
            bool isClone = _story.Agents.Any(agent => agent.Part == part && agent.ClonedFrom is not null);
            _world.After(_world.Between(TimeSpan.Zero, isClone ? _plan.Storm : TimeSpan.FromSeconds(2)), part.Start);
        }
        Next();
    }

    public void End()
    {
        _world.Trace.Say(null, "calm");
        _calm = true;
        _story.Network.Faults.Heal();
        _story.Database.Faults.Heal();
        _story.Database.Start();
        foreach (Machine machine in _machines)
        {
            machine.Disk.Capacity = long.MaxValue;
            machine.DiskFaults.Refuse = 0;
            machine.PowerUp();
        }
        _plan.FlipsBits = false;
        if (_story.FlippedBit.IsThere)
        {
            _story.Broker.Part.Life?.RequestStop(); // somebody restores the file
        }
        foreach (Part part in _mortal)
        {
            part.Life?.Spare();
            part.Start();
        }
    }

    private void Weather()
    {
        NetworkFaults network = _story.Network.Faults;
        network.LatencyMax = TimeSpan.FromMilliseconds(_world.Random.Next(5) switch { 0 => 50, 1 => 10, _ => 1 });
        network.Cut = _world.Chance(0.4) ? _world.Random.NextDouble() * 0.05 : 0;
        network.Hold = _world.Chance(0.3) ? _world.Random.NextDouble() * 0.03 : 0;
        network.Split = _world.Chance(0.3) ? 0.3 : 0;
        network.Refuse = _world.Chance(0.2) ? 0.2 : 0;
        DatabaseFaults database = _story.Database.Faults;
        database.LostCall = _world.Chance(0.3) ? _world.Random.NextDouble() * 0.05 : 0;
        database.LostAnswer = _world.Chance(0.4) ? _world.Random.NextDouble() * 0.05 : 0;
        foreach (Machine machine in _machines)
        {
            machine.DiskFaults.FlushMax = TimeSpan.FromMilliseconds(_world.Random.Next(4) switch { 0 => 500, 1 => 50, _ => 3 });
            machine.ClockOffset = _world.Chance(0.3) ? _world.Between(TimeSpan.FromMinutes(-5), TimeSpan.FromMinutes(5)) : TimeSpan.Zero;
        }
        foreach (AppServer server in _story.Servers)
        {
            WriterHabits habits = server.Habits;
            habits.PauseMax = TimeSpan.FromMilliseconds(_world.Random.Next(100, 2000));
            habits.Rename = _world.Chance(0.5) || habits.Compress > 0 ? 0.1 : 0;
            habits.CopyTruncate = _world.Chance(0.2) ? 0.05 : 0;
            habits.ShiftNames = _world.Chance(0.5);
            habits.Truncate = _world.Chance(0.15) ? 0.03 : 0;
            habits.Recreate = _world.Chance(0.15) ? 0.03 : 0;
            habits.DeleteRotated = _world.Chance(0.2) ? 0.05 : 0;
        }
    }

    private void Faults()
    {
        Add(_plan.Kills, () => AnyPart()?.Kill("kill -9"));
        Add(_plan.CleanStops, () => AnyPart()?.Life?.RequestStop());
        Add(_plan.PowerLoss > 0, () => LosePower(_machines[_world.Random.Next(_machines.Count)]));
        Add(_plan.Freezes, Freeze);
        Add(_plan.ClockJumps, JumpClock);
        Add(_plan.DatabaseRestarts, RestartDatabase);
        Add(_plan.Restores, BackUpOrRestore);
        Add(_plan.DiskFull, FillDisk);
        if (_plan.DeletesTopic && _story.Agents.Count > 0)
        {
            // Rarer than other faults: what it may take with it need not arrive.
            _world.After(_world.Between(TimeSpan.Zero, _plan.Storm), _story.Deletion.Begin);
        }
    }

    private void Add(bool on, Action fault)
    {
        if (on)
        {
            _faults.Add(fault);
        }
    }

    private void Next()
    {
        if (_calm || _faults.Count == 0)
        {
            return;
        }
        _world.After(_world.Between(TimeSpan.Zero, _plan.Pause * 2), () =>
        {
            if (!_calm)
            {
                _faults[_world.Random.Next(_faults.Count)]();
                Next();
            }
        });
    }

    private Part? AnyPart()
    {
        var running = _mortal.Where(static part => part.Life is not null).ToList();
        return running.Count == 0 ? null : running[_world.Random.Next(running.Count)];
    }

    private void LosePower(Machine machine) => machine.LosePower("a fault");

    private void Freeze()
    {
        if (AnyPart() is { Life: { } life } part)
        {
            TimeSpan pause = _world.Between(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(60));
            _world.Trace.Say(part, $"is frozen for {pause.TotalSeconds:F1} s");
            life.FrozenUntil = _world.Now + pause;
        }
    }

    private void JumpClock()
    {
        Machine machine = _machines[_world.Random.Next(_machines.Count)];
        TimeSpan jump = _world.Between(TimeSpan.FromHours(-2), TimeSpan.FromHours(2));
        _world.Trace.Say(null, $"the clock of {machine.Name} jumps {jump.TotalSeconds:F0} s");
        machine.ClockOffset += jump;
    }

    private void RestartDatabase()
    {
        _story.Database.Stop();
        _world.After(_world.Between(TimeSpan.Zero, TimeSpan.FromSeconds(10)), _story.Database.Start);
    }

    private void BackUpOrRestore()
    {
        if (_backup is { } backup && _world.Chance(0.5))
        {
            _backup = null;
            _story.Database.Restore(backup);
            _world.After(_world.Between(TimeSpan.Zero, TimeSpan.FromSeconds(5)), _story.Database.Start);
        }
        else
        {
            _backup = _story.Database.Tables.Copy();
        }
    }

    private void FillDisk()
    {
        Machine machine = _machines[_world.Random.Next(_machines.Count)];
        _world.Trace.Say(null, $"the disk of {machine.Name} is full");
        machine.Disk.Capacity = machine.Disk.UsedBytes + _world.Random.Next(2000);
        _world.After(_world.Between(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(20)), () => machine.Disk.Capacity = long.MaxValue);
    }

    private void Ended(Part part, Exception? reason)
    {
        if (reason is not (null or SimulatedCrash) && !IsExpected(reason))
        {
            _world.Fail("no part ends by itself", $"{part.Name}: {reason}");
        }
        _world.After(_world.Between(TimeSpan.FromMilliseconds(100), _calm ? TimeSpan.FromSeconds(1) : TimeSpan.FromSeconds(8)), () =>
        {
            part.Machine.PowerUp();
            part.Start();
        });
    }

    // A process may stop with a reason when its disk refuses or is full, and is started again.
    private bool IsExpected(Exception reason) => (_story.Retry is not null && reason is LogPipeline.Sinks.StoreRefusedException { Message: "the table refuses all rows" }) || _plan.DiskFull && reason is IOException or LogPipeline.Broker.BrokerStartException;
}
