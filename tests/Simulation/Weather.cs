using LogPipeline.Agent;
using LogPipeline.Simulation.Parts;

namespace LogPipeline.Simulation;

/// <summary>What every story of a run is to have, whatever its seed says.</summary>
internal static class Weather
{
    /// <summary>The broker keeps records for seconds only, and power fails.</summary>
    public static void Retention(Story story)
    {
        (story.Plan.TailLost, story.Plan.PowerLoss) = (false, 0.3);
        story.KeepSeconds(story.Broker.Settings);
    }

    /// <summary>People work with the sink's table.</summary>
    public static void Tables(Story story) => story.AddTableOwner();

    /// <summary>An agent that reads more than files.</summary>
    public static void Sources(Story story) => story.AddSources();

    /// <summary>
    /// Rotated files are compressed, unless clocks jump: by times alone an agent knows that an archive is older than what it has read.
    /// </summary>
    public static void Archives(Story story) => story.Servers.ForEach(server => server.Habits.Compress = story.Plan.ClockJumps ? 0 : 0.1);

    /// <summary>
    /// The agent's patterns take only the names under which files are written, unless clocks jump: by times alone it knows which files were rotated while it was away.
    /// </summary>
    public static void CurrentNames(Story story)
    {
        if (story.Plan.ClockJumps)
        {
            return;
        }
        story.Servers.ForEach(static server => server.Habits.IsFoundByCurrentName = true);
        foreach (AgentPart agent in story.Agents)
        {
            InputOptions input = agent.Options.Inputs[0];
            agent.Options = agent.Options with { Inputs = [input with { Paths = [input.Paths[0].TrimEnd('*')] }, .. agent.Options.Inputs.Skip(1)] };
        }
    }

    /// <summary>A sink of files beside that of the database.</summary>
    public static void Files(Story story) => story.AddFileSink();
}
