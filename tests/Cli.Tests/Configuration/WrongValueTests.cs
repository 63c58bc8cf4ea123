using LogPipeline.Cli.Configuration;
using LogPipeline.Hosting.Configuration;

namespace LogPipeline.Cli.Tests.Configuration;

public class WrongValueTests
{
    [Theory]
    [InlineData("agent:\n  linger: 5", "logpipe.yaml:2: agent.linger should be a duration with its unit, such as 200ms, 5s or 1h, not '5'")]
    [InlineData("agent:\n  linger: [5s]", "logpipe.yaml:2: agent.linger should be a duration with its unit, such as 200ms, 5s or 1h, not a list")]
    [InlineData("sinks:\n  - flush: { interval: soon }", "logpipe.yaml:2: sinks[0].flush.interval should be auto, or a duration with its unit, such as 200ms, 5s or 1h, not 'soon'")]
    [InlineData("agent:\n  batch_bytes: many", "logpipe.yaml:2: agent.batch_bytes should be a size from 1KiB to 64MiB, not 'many'")]
    [InlineData("agent:\n  batch_bytes: 1GiB", "logpipe.yaml:2: agent.batch_bytes should be a size from 1KiB to 64MiB, not '1GiB'")]
    [InlineData("agent:\n  inflight_per_partition: 9", "logpipe.yaml:2: agent.inflight_per_partition should be a whole number from 1 to 5, not '9'")]
    [InlineData("agent:\n  compression: zip", "logpipe.yaml:2: agent.compression should be lz4, gzip or none, not 'zip'")]
    [InlineData("agent:\n  inputs: /var/log/a", "logpipe.yaml:2: agent.inputs should be a list, each item beginning with '-', not '/var/log/a'")]
    [InlineData("agent:\n  inputs: [a]", "logpipe.yaml:2: agent.inputs[0] should be keys below it, not 'a'")]
    [InlineData("agent: yes please", "logpipe.yaml:1: agent should be keys below it, not 'yes please'")]
    [InlineData("agent:\n  inputs:\n    - topic: t", "logpipe.yaml:3: agent.inputs[0].paths is missing: name the files, such as [\"/var/log/nginx/*access.log*\"], or give syslog, metrics or journal")]
    [InlineData("agent:\n  inputs:\n    - paths: [/a]", "logpipe.yaml:3: agent.inputs[0].topic is missing: the topic that the lines go to, such as web_log")]
    [InlineData("agent:\n  inputs:\n    - paths: [/a, ~/b]\n      topic: t", "logpipe.yaml:3: agent.inputs[0].paths: '~/b' is not expanded here: write the whole path")]
    [InlineData("agent:\n  inputs:\n    - paths: [$HOME/b]\n      topic: t", "logpipe.yaml:3: agent.inputs[0].paths: '$HOME/b' is not expanded here: write the whole path")]
    [InlineData("agent:\n  inputs:\n    - paths: [/a]\n      topic: t\n      exclude: [old/*.log]",
        "logpipe.yaml:5: agent.inputs[0].exclude: 'old/*.log' can match nothing: write a whole path, or a file's name alone")]
    [InlineData("alerts:\n  rules:\n    - { name: a, query: \"status>=500\", above: lots }\nsinks:\n  - { name: s, topics: [t], parser: combined, sqlite: { file: x } }",
        "logpipe.yaml:3: alerts.rules[0].above must be a number of rows such as 100, or a share below 100% such as 1%, and not 'lots'")]
    [InlineData("alerts:\n  rules:\n    - { name: a, query: \"statsu>=500\", above: 1% }\nsinks:\n  - { name: s, topics: [t], parser: combined, sqlite: { file: x } }",
        "logpipe.yaml:3: alert a: query: there is no field statsu; did you mean status? (To look for the text, put it in double quotes.)\n  statsu>=500\n  ^^^^^^")]
    [InlineData("alerts:\n  rules:\n    - { name: a, query: \"status>=500\", above: 10, of: \"method:GET\" }\nsinks:\n  - { name: s, topics: [t], parser: combined, sqlite: { file: x } }",
        "logpipe.yaml:3: alert a: 'of' goes with a share, such as above: 1%, and not with 10")]
    [InlineData("alerts:\n  rules:\n    - { name: a, query: \"status>=500\", above: 10, sink: x }\nsinks:\n  - { name: s, topics: [t], parser: combined, sqlite: { file: x } }",
        "logpipe.yaml:3: no rows of a sink 'x' can be counted; there are s")]
    [InlineData("alerts: { webhook: example.com }",
        "logpipe.yaml:1: alerts.webhook must be an address such as https://example.com/hook, and not 'example.com'")]
    [InlineData("- a", "logpipe.yaml:1: expected keys such as 'broker:', 'agent:' or 'sinks:', found a list")]
    [InlineData("sinks:\n  - name: a\n    topics: [t]\n    sqlite: { file: x }\n  - name: a\n    topics: [t]\n    sqlite: { file: y }",
        "logpipe.yaml:5: two sinks are named 'a'; the name is the consumer group too, so each needs its own")]
    [InlineData("sinks:\n  - name: a\n    topics: [t]\n    sqlite: { file: /x/y }\n  - name: b\n    topics: [t]\n    sqlite: { file: /x/../x/y }",
        "logpipe.yaml:5: sinks 'a' and 'b' both write to table web_log of /x/y; give each its own, or name the topics of both in one")]
    [InlineData("sinks:\n  - name: a\n    topics: [t]\n    files: { directory: /x/y/ }\n  - name: b\n    topics: [u]\n    files: { directory: /x/y }",
        "logpipe.yaml:5: sinks 'a' and 'b' both write to directory /x/y; give each its own, or name the topics of both in one")]
    [InlineData("sinks:\n  - name: a\n    topics: [t]\n    files: { directory: /x/y/z }\n  - name: b\n    topics: [u]\n    files: { directory: /x/w/../y }",
        "logpipe.yaml:5: sinks 'a' and 'b' write to directories of which one lies in the other, /x/y/z and /x/y; give each its own, beside the other's")]
    [InlineData("sinks:\n  - name: a\n    topics: [t]\n    postgres: { connection: Host=h;Database=d;Username=u }\n  - name: b\n    topics: [u]\n    postgres: { connection: Username=v;Host=h;Port=5432;Database=d }",
        "logpipe.yaml:5: sinks 'a' and 'b' both write to table web_log of database d at h:5432; give each its own, or name the topics of both in one")]
    [InlineData("sinks:\n  - { name: s, topics: [t], parser: combined, sqlite: { file: x }, where: \"statsu>=500\" }",
        "logpipe.yaml:2: sink s: where: there is no field statsu; did you mean status? (To look for the text, put it in double quotes.)\n  statsu>=500\n  ^^^^^^")]
    [InlineData("sinks:\n  - { name: s, topics: [t], sqlite: { file: x }, where: \"time>1h\" }",
        "logpipe.yaml:2: sink s: where: `1h` is another time whenever it is asked: write a day or a time here (2026-11-21, 2026-11-21T08:30; UTC without an offset)\n  time>1h\n       ^^")]
    [InlineData("telemetry: { otlp: collector }", "logpipe.yaml:1: telemetry.otlp should be an address such as http://127.0.0.1:4317, not 'collector'")]
    public void What_is_wanted_is_said(string yaml, string expected) => Assert.Equal(expected, Refused(yaml));

    [Theory]
    [InlineData("files: { directory: ROOT/real/out }", "files: { directory: ROOT/link/out }", "both write to directory ROOT/link/out")]
    [InlineData("files: { directory: ROOT/real/out }", "files: { directory: ROOT/link/out/new/one }", "one lies in the other, ROOT/real/out and ROOT/real/out/new/one")]
    [InlineData("files: { directory: ROOT/real }", "files: { directory: ROOT/deep/../out }", "one lies in the other, ROOT/real and ROOT/real/out")]
    [InlineData("sqlite: { file: ROOT/real/logs.db }", "sqlite: { file: ROOT/link/logs.db }", "both write to table web_log of ROOT/link/logs.db")]
    public void Targets_are_told_apart_by_where_they_lie(string one, string other, string expected)
    {
        string root = Directory.CreateTempSubdirectory("targets-").FullName;
        try
        {
            Directory.CreateDirectory($"{root}/real/inner");
            Directory.CreateSymbolicLink($"{root}/link", "real");
            Directory.CreateSymbolicLink($"{root}/deep", "link/inner");
            string refused = Refused($"sinks:\n  - name: a\n    topics: [t]\n    {one}\n  - name: b\n    topics: [u]\n    {other}".Replace("ROOT", root, StringComparison.Ordinal));
            Assert.Contains(expected, refused.Replace(root, "ROOT", StringComparison.Ordinal), StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    [Fact]
    public void Directories_whose_names_begin_alike_lie_beside_each_other() =>
        PipelineConfiguration.Read(ConfigurationFile.Read(
            "sinks:\n  - { name: a, topics: [t], files: { directory: /x/y } }\n  - { name: b, topics: [t], files: { directory: /x/yz } }", "logpipe.yaml", []));

    [Fact]
    public void Text_that_is_not_yaml_names_its_line()
        => Assert.StartsWith("logpipe.yaml:2: not valid YAML: ", Refused("broker: { data: a }\nagent: }"), StringComparison.Ordinal);

    [Fact]
    public void Key_written_twice_is_refused()
        => Assert.StartsWith("logpipe.yaml:", Refused("broker: { data: a }\nbroker: { data: b }"), StringComparison.Ordinal);

    private static string Refused(string yaml)
        => Assert.Throws<ConfigurationException>(() => PipelineConfiguration.Read(ConfigurationFile.Read(yaml, "logpipe.yaml", []))).Message;
}
