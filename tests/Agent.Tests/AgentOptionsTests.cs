namespace LogPipeline.Agent.Tests;

/// <summary>Options that cannot be, told in words before anything begins.</summary>
public sealed class AgentOptionsTests
{
    [Fact]
    public void A_path_too_long_for_the_registry_is_refused()
    {
        var options = new AgentOptions
        {
            Bootstrap = ["b:9092"],
            StateDirectory = "/state",
            Host = "h",
            Inputs = [new InputOptions { Paths = ["/a.log"], Topic = "t" }],
        };
        options.Validate();
        AgentOptions tooLong = options with { Inputs = [new InputOptions { Paths = [$"/logs/{new string('a', 8000)}.log"], Topic = "t" }] };
        ArgumentException refused = Assert.Throws<ArgumentException>(tooLong.Validate);
        Assert.Contains("is longer than 8000 characters", refused.Message, StringComparison.Ordinal);
    }
}
