using LogPipeline.Agent.Tests.Scripted;

namespace LogPipeline.Agent.Tests.Status;

/// <summary>A status topic that cannot be used disturbs no line.</summary>
public sealed class StatusTopicTests
{
    [Fact]
    public void Lines_go_on_where_the_status_topic_is_missing_and_cannot_be_made() => AgentRig.OnOneThread(async rig =>
    {
        rig.Options = rig.Options with { StatusTopic = "logpipe_agents" };
        rig.Log.Least = Microsoft.Extensions.Logging.LogLevel.Information;
        rig.Append("a\n");
        await rig.StartAsync();
        await rig.UntilLinesAsync(1);
        await rig.PassAsync(TimeSpan.FromSeconds(30));
        rig.Append("b\n");
        await rig.UntilLinesAsync(2);
        Assert.Equal(1, rig.Log.Count("Status topic logpipe_agents: "));
        Assert.Empty(rig.Agent.Problems);
        await rig.StopAsync();
    });

    [Fact]
    public void The_status_topic_is_no_inputs_topic()
    {
        var options = new AgentOptions
        {
            Bootstrap = ["b"], StateDirectory = "/s", Host = "h", StatusTopic = "t", Inputs = [new InputOptions { Paths = ["/a"], Topic = "t" }],
        };
        Assert.Contains("'t' is both an input's topic and status_topic", Assert.Throws<ArgumentException>(options.Validate).Message, StringComparison.Ordinal);
    }
}
