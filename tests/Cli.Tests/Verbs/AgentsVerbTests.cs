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
}
