namespace LogPipeline.Agent.Tests;

/// <summary>Options that cannot be, told in words before anything begins.</summary>
public sealed class AgentOptionsTests
{
    [Fact]
    public void Paths_too_long_for_the_registry_are_refused()
    {
        var options = new AgentOptions
        {
            Bootstrap = ["b:9092"],
            StateDirectory = "/state",
            Host = "h",
            Inputs = [new InputOptions { Paths = ["/a.log"], Topic = "t" }],
        };
        options.Validate();
        AgentOptions tooLong = options with { Inputs = [new InputOptions { Paths = [.. Enumerable.Range(0, 1000).Select(i => $"/logs/{i}.log")], Topic = "t" }] };
        ArgumentException refused = Assert.Throws<ArgumentException>(tooLong.Validate);
        Assert.Contains("use patterns, or several inputs", refused.Message, StringComparison.Ordinal);
    }
}
