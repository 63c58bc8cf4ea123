using LogPipeline.Agent;
using LogPipeline.Cli.Configuration;
using LogPipeline.Hosting.Configuration;

namespace LogPipeline.Cli.Tests.Configuration;

public class EnvironmentOverrideTests
{
    private const string Yaml = """
        broker:
          listen: 127.0.0.1:9092
          settings: { num.partitions: 4 }
        agent:
          inputs:
            - { paths: [/a], topic: old }
        """;

    [Fact]
    public void Value_in_a_list_is_replaced()
        => Assert.Equal("web_log", Read("LOGPIPE__AGENT__INPUTS__0__TOPIC=web_log").Agent!.Inputs[0].Topic);

    [Fact]
    public void Next_place_of_a_list_adds_an_item()
    {
        IReadOnlyList<InputOptions> inputs = Read("LOGPIPE__AGENT__INPUTS__1__TOPIC=second", "LOGPIPE__AGENT__INPUTS__1__PATHS__0=/b").Agent!.Inputs;
        Assert.Equal(["old", "second"], inputs.Select(input => input.Topic));
        Assert.Equal(["/b"], inputs[1].Paths);
    }

    [Fact]
    public void Short_forms_of_yaml_give_lists()
        => Assert.Equal(["/x", "/y"], Read("LOGPIPE__AGENT__INPUTS__0__PATHS=[/x, /y]").Agent!.Inputs[0].Paths);

    [Fact]
    public void Dot_in_a_key_may_be_written_as_underscore()
        => Assert.Equal("8", Read("LOGPIPE__BROKER__SETTINGS__NUM_PARTITIONS=8").Broker!.Settings["num.partitions"]);

    [Fact]
    public void Section_that_the_file_has_not_is_made()
        => Assert.Equal("127.0.0.1:9600", Read("LOGPIPE__ADMIN__LISTEN=127.0.0.1:9600").Telemetry.AdminListen);

    [Fact]
    public void Case_does_not_matter() => Assert.Equal("a:1", Read("logpipe__broker__Listen=a:1").Broker!.Listen);

    [Theory]
    [InlineData("LOGPIPE__AGENT__STAET=x", "environment LOGPIPE__AGENT__STAET: unknown key 'staet' under agent; did you mean 'state'?")]
    [InlineData("LOGPIPE__AGENT__INPUTS__7__TOPIC=x", "environment LOGPIPE__AGENT__INPUTS__7__TOPIC: '7' is no place in this list of 1; write 0 to 1")]
    [InlineData("LOGPIPE__BROKER__LISTEN__X=y", "environment LOGPIPE__BROKER__LISTEN__X: there is nothing below '127.0.0.1:9092' (logpipe.yaml:2)")]
    [InlineData("LOGPIPE__AGENT__LINGER=soon", "environment LOGPIPE__AGENT__LINGER: agent.linger should be a duration with its unit, such as 200ms, 5s or 1h, not 'soon'")]
    public void Errors_name_the_variable(string variable, string expected)
        => Assert.Equal(expected, Assert.Throws<ConfigurationException>(() => Read(variable)).Message);

    private static PipelineConfiguration Read(params string[] variables)
        => PipelineConfiguration.Read(ConfigurationFile.Read(Yaml, "logpipe.yaml", variables.Select(v => KeyValuePair.Create(v.Split('=')[0], v[(v.IndexOf('=') + 1)..]))));
}
