using LogPipeline.Agent.Configuration;
using LogPipeline.Agent.Framing;
using LogPipeline.Agent.Shaping;
using LogPipeline.Hosting.Configuration;

namespace LogPipeline.Agent.Tests.Shaping;

/// <summary>What an input says of the shape of its lines, and what is said of what cannot be.</summary>
public sealed class ShapingSectionTests
{
    [Fact]
    public void All_keys_are_bound()
    {
        InputOptions input = Read("""
            format: container
                  encoding: GB18030
                  multiline: { preset: dotnet, timeout: 5s, max_lines: 9 }
                  include: 'ERROR'
                  exclude_lines: ["a", "b"]
                  redact: [credit_card, email, bearer, { pattern: 'pw=\S+' }]
                  rate_limit: { lines_per_second: 10, policy: drop }
                  labels: { env: prod }
                  key: { pattern: 'user=(\w+)' }
                  timestamp: clf
            """);
        Assert.Equal((LineFormat.Container, TextEncoding.Gb18030, RecordKey.Pattern, TimeForm.Clf), (input.Format, input.Encoding, input.Key, input.Timestamp));
        Assert.Equal((TraceKinds.DotNet, TimeSpan.FromSeconds(5), 9), (input.Multiline!.Preset, input.Multiline.Timeout, input.Multiline.MaxLines));
        Assert.Equal((1, 2, 4), (input.Include.Count, input.ExcludeLines.Count, input.Redact.Count));
        Assert.Equal(new RateLimit(10, 10, RatePolicy.Drop), input.RateLimit);
        Assert.Equal(KeyValuePair.Create("env", "prod"), Assert.Single(input.Labels));
    }

    [Theory]
    [InlineData("multiline: { start: '(' }", "agent.yaml:7: agent.inputs[0].multiline.start: '(' is no regular expression that can be used")]
    [InlineData("multiline: { start: 'a', continue: 'b' }", "agent.inputs[0].multiline needs one of start, continue and preset")]
    [InlineData("multiline: { timeout: 1s }", "it has 0")]
    [InlineData("multiline: { preset: cobol }", "agent.inputs[0].multiline.preset should be auto, dotnet")]
    [InlineData("exclude_lines: ['(?<!a)b']", "agent.inputs[0].exclude_lines: '(?<!a)b' is no regular expression that can be used: look-around")]
    [InlineData("redact: [cards]", "agent.inputs[0].redact[0] should be credit_card, email, bearer or { pattern: REGEX, replace: TEXT }, not 'cards'")]
    [InlineData("redact: [{ replace: x }]", "agent.inputs[0].redact[0].pattern is missing")]
    [InlineData("redact: [{ pattern: x, with: y }]", "unknown key 'with'")]
    [InlineData("rate_limit: { burst: 1 }", "agent.inputs[0].rate_limit.lines_per_second is missing")]
    [InlineData("labels: { host: x }", "agent.inputs[0].labels.host: a label cannot have this name")]
    [InlineData("key: { patern: x }", "unknown key 'patern'")]
    [InlineData("encoding: utf16", "agent.inputs[0].encoding should be auto, utf-8")]
    [InlineData("format: json", "agent.inputs[0].format should be plain, docker, cri or container")]
    [InlineData("timestamp: iso", "agent.inputs[0].timestamp should be")]
    public void What_cannot_be_is_named(string text, string message)
    {
        ConfigurationException wrong = Assert.Throws<ConfigurationException>(() => Read(text));
        Assert.Contains(message, wrong.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Syslog_journal_and_metrics_are_never_UTF_16()
    {
        ConfigurationException wrong = Assert.Throws<ConfigurationException>(() => AgentSection.Find(ConfigurationFile.Read("""
            agent:
              bootstrap: "127.0.0.1:9092"
              state: /state
              inputs:
                - journal: {}
                  topic: t
                  encoding: utf-16le
            """, "agent.yaml", [])));
        Assert.Contains("agent.yaml:7: agent.inputs[0].encoding: syslog, journal and metrics are never UTF-16", wrong.Message, StringComparison.Ordinal);
    }

    private static InputOptions Read(string text) => AgentSection.Find(ConfigurationFile.Read($"""
        agent:
          bootstrap: "127.0.0.1:9092"
          state: /state
          inputs:
            - paths: ["/logs/*.log"]
              topic: t
              {text}
        """, "agent.yaml", []))!.Inputs[0];
}
