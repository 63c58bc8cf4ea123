using LogPipeline.Contract.Reports;

namespace LogPipeline.Cli.Verbs;

/// <summary>
/// What the agents' records say, run by run: an agent has one run at a time. Two that go on side by side are of one state directory that was copied
/// together with its machine, and send all lines twice.
/// </summary>
internal sealed class AgentRuns
{
    private readonly Dictionary<(string AgentId, long Started), AgentRun> _newest = [];

    public void Add(AgentReport report, ReadOnlyMemory<byte> json)
    {
        if (!_newest.TryGetValue((report.AgentId, report.Started), out AgentRun? known) || known.Report.Time <= report.Time)
        {
            _newest[(report.AgentId, report.Started)] = new AgentRun(report, json);
        }
    }

    /// <summary>The newest record of each agent's last run, and of others that go on beside that; by host.</summary>
    /// <param name="silentBefore">Milliseconds since 1970: a run that was not heard of since then goes on no more.</param>
    public List<AgentRun> Current(long silentBefore)
    {
        List<AgentRun> current = [];
        foreach (IGrouping<string, AgentRun> agent in _newest.Values.GroupBy(static run => run.Report.AgentId, StringComparer.Ordinal))
        {
            AgentRun last = agent.MaxBy(static run => (run.Report.Time, run.Report.Started))!;
            long begun = agent.Max(static run => run.Report.Started);
            List<AgentRun> beside = [.. agent.Where(run =>
                run.Report.Time > begun && run.Report.Time >= silentBefore && run.Report.State != AgentStates.Stopped)];
            current.AddRange(beside.Count > 1 ? beside.Select(static run => run with { HasTwin = true }) : [last]);
        }
        return [.. current.OrderBy(static run => run.Report.Host, StringComparer.Ordinal).ThenBy(static run => run.Report.AgentId, StringComparer.Ordinal)];
    }
}

/// <summary>One run of an agent.</summary>
/// <param name="Report">Its newest record.</param>
/// <param name="Json">The same as it was published.</param>
/// <param name="HasTwin">Whether another run of the same agent goes on beside it.</param>
internal sealed record AgentRun(AgentReport Report, ReadOnlyMemory<byte> Json, bool HasTwin = false);
