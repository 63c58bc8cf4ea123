using LogPipeline.Cli.Configuration;
using LogPipeline.Hosting.Configuration;

namespace LogPipeline.Cli.Tests.Configuration;

public class UnknownKeyTests
{
    [Fact]
    public void Nearest_key_is_named_with_file_and_line()
    {
        string error = Refused("""
            agent:
              bootstrap: 127.0.0.1:9092
              inputs:
                - pathes: ["/var/log/a.log"]
                  topic: web_log
            """);
        // The input has no paths either; the misspelt key is the better answer.
        Assert.Equal("logpipe.yaml:4: unknown key 'pathes' under agent.inputs[0]; did you mean 'paths'?", error);
    }

    [Theory]
    [InlineData("brokr: {}", "logpipe.yaml:1: unknown key 'brokr'; did you mean 'broker'?")]
    [InlineData("broker:\n  data: x\n  listne: a:1", "logpipe.yaml:3: unknown key 'listne' under broker; did you mean 'listen'?")]
    [InlineData("sinks:\n  - name: a\n    topics: [t]\n    sqlite: { fil: x }", "logpipe.yaml:4: unknown key 'fil' under sinks[0].sqlite; did you mean 'file'?")]
    [InlineData("admin: { port: 1 }", "logpipe.yaml:1: unknown key 'port' under admin; known here: listen")]
    [InlineData("telemetry: { oltp: http://x }", "logpipe.yaml:1: unknown key 'oltp' under telemetry; did you mean 'otlp'?")]
    public void Every_section_refuses_what_it_does_not_know(string yaml, string expected) => Assert.Equal(expected, Refused(yaml));

    [Fact]
    public void Broker_settings_keep_names_that_are_not_ours()
        => Assert.Equal("4", Read("broker:\n  settings: { num.partitions: 4 }").Broker!.Settings["num.partitions"]);

    private static string Refused(string yaml) => Assert.Throws<ConfigurationException>(() => Read(yaml)).Message;

    private static PipelineConfiguration Read(string yaml) => PipelineConfiguration.Read(ConfigurationFile.Read(yaml, "logpipe.yaml", []));
}
