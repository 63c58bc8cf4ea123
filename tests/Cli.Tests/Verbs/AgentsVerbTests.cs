using LogPipeline.Cli.Verbs;
using LogPipeline.Contract.Reports;

namespace LogPipeline.Cli.Tests.Verbs;

public sealed class AgentsVerbTests
{
    private static readonly DateTimeOffset s_seen = DateTimeOffset.Parse("2026-11-27T03:00:00Z", System.Globalization.CultureInfo.InvariantCulture);

    [Theory]
    [InlineData(AgentStates.Running, "", 30, "ok")]
    [InlineData(AgentStates.Running, "no broker can be reached", 3, "no broker can be reached")]
    [InlineData(AgentStates.Running, "", 31, "not heard of since 2026-11-27 03:00:00, was ok")]
    [InlineData(null, "a; b", 3600, "not heard of since 2026-11-27 03:00:00, was a; b")] // an older agent's record
    [InlineData(AgentStates.Stopped, "", 1, "stopped")]
    [InlineData(AgentStates.Stopped, "", 3600, "stopped")]
    public void An_agent_that_stopped_is_told_from_one_that_is_silent(string? state, string problem, int seconds, string expected)
    {
        var report = new AgentReport { Time = s_seen.ToUnixTimeMilliseconds(), State = state, Problems = problem.Length == 0 ? [] : [problem] };
        Assert.Equal(expected, AgentsVerb.HealthOf(report, s_seen.AddSeconds(seconds)));
    }

    [Theory]
    [InlineData("one 100 120; two 105 118", "one! two!")] // side by side
    [InlineData("one 10 50; two 55 118", "two")] // started anew, killed before
    [InlineData("one 10 80; two 55 118", "two")] // the copy's original is away since
    [InlineData("one 100 119; two 105 118 stopped", "one")]
    [InlineData("one 10 50", "one")]
    public void Two_runs_of_one_agent_that_go_on_side_by_side_are_told(string runs, string expected)
    {
        var all = new AgentRuns();
        foreach (string[] run in runs.Split("; ").Select(static run => run.Split(' ')))
        {
            long started = long.Parse(run[1], System.Globalization.CultureInfo.InvariantCulture);
            long last = long.Parse(run[2], System.Globalization.CultureInfo.InvariantCulture);
            for (long time = started; time <= last; time++)
            {
                all.Add(new AgentReport { AgentId = "a", Host = run[0], Started = started, Time = time, State = time == last && run.Length > 3 ? AgentStates.Stopped : AgentStates.Running }, default);
            }
        }
        Assert.Equal(expected, string.Join(' ', all.Current(silentBefore: 90).Select(static run => run.Report.Host + (run.HasTwin ? "!" : ""))));
    }
}
