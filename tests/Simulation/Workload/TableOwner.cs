using System.Globalization;
using LogPipeline.Simulation.Database;
using LogPipeline.Simulation.Kernel;
using LogPipeline.Simulation.Parts;

namespace LogPipeline.Simulation.Workload;

/// <summary>
/// People who work with a sink's table: for a while they have a constraint on it that some rows break, or make it refuse all, and they pause and
/// resume the sink. In the end they take all that back.
/// </summary>
internal sealed class TableOwner(World world, SimDatabase database, IReadOnlyList<SinkPart> sinks)
{
    private static readonly TimeSpan PauseMax = TimeSpan.FromSeconds(10);

    /// <summary>Does this and that until <paramref name="until"/>.</summary>
    public void Run(TimeSpan until) => world.After(world.Between(TimeSpan.Zero, PauseMax), () =>
    {
        if (world.Now < until)
        {
            Act();
            Run(until);
        }
    });

    /// <summary>The table takes every row again, also those that it never took, and nothing is paused.</summary>
    public void Finish()
    {
        database.Table.Constraint = static _ => true;
        database.Table.RefusesAll = false;
        Pause(false);
    }

    private void Act()
    {
        switch (world.Random.Next(5))
        {
            case 0:
                int every = world.Random.Next(2, 6);
                world.Trace.Say(null, $"the table gets a constraint that every {every}th line breaks");
                database.Table.Constraint = value => TableRules.NoPoison(value) && (Line.IdAtStartOf(value) ?? 1) % every != 0;
                break;
            case 1:
                world.Trace.Say(null, $"the table refuses all rows: {!database.Table.RefusesAll}");
                database.Table.RefusesAll = !database.Table.RefusesAll;
                break;
            case 2:
                world.Trace.Say(null, "the table has no constraint");
                database.Table.Constraint = TableRules.NoPoison;
                break;
            default:
                Pause(world.Chance(0.5));
                break;
        }
    }

    private void Pause(bool isPaused)
    {
        world.Trace.Say(null, string.Create(CultureInfo.InvariantCulture, $"the sink is {(isPaused ? "paused" : "resumed")}"));
        foreach (SinkPart sink in sinks)
        {
            sink.Pause(isPaused);
        }
    }
}
