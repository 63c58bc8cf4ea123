using LogPipeline.Agent.Configuration;
using LogPipeline.Agent.Tailing;
using LogPipeline.Hosting.Configuration;

namespace LogPipeline.Agent.Tests.Tailing;

/// <summary>Topics by the paths of files: what placeholders give, and what a configuration is told that cannot be.</summary>
public sealed class TopicTemplateTests
{
    [Theory]
    [InlineData("web_{dir}", "/var/log/*/*.log", "/var/log/shop/access.log", "web_shop")]
    [InlineData("{host}-{name}", "/l/*", "/l/access.log.1", "h1-access")]
    [InlineData("{name}", "/l/.*", "/l/.bash.log", ".bash")]
    [InlineData("x{dir}", "/*.log", "/a.log", "x")]
    [InlineData("{1}.{2}", "/var/log/*/*.log", "/var/log/shop/access.log", "shop.access")]
    [InlineData("{2}-{1}", "/srv/**/logs/*.log", "/srv/a/b/logs/x.log", "x-a_b")]
    [InlineData("t{1}", "/srv/**/*.log", "/srv/x.log", "t")]
    [InlineData("t-{1}", "/srv/**", "/srv/a/x.log", "t-a_x.log")]
    [InlineData("{1}-{2}", "/{var,opt/app}/log/[a-c]?-x*", "/opt/app/log/bz-x.log", "opt_app-bz")]
    [InlineData("{3}", "/{var,opt/app}/log/[a-c]?-x*", "/var/log/bz-x.log", ".log")]
    [InlineData("{1}", "/l/app[0-9]*[0-9].log", "/l/app1234.log", "1234")]
    [InlineData("{1}-{2}", "/l/*-*.log", "/l/a-b-c.log", "a-b-c")]
    [InlineData("{1}", "/l/[!x][a-]*", "/l/y-1", "y-1")]
    [InlineData("x.{1}", "/l/*.log", "/l/größe 1:%.log", "x.gr__e_1__")]
    [InlineData("{1}", "/l/{a,b}.{log,txt}", "/l/b.txt", "b")]
    [InlineData("a{2}", "/l/{a,b}.{log,txt}", "/l/b.txt", "atxt")]
    public void Placeholders_are_filled_from_the_path(string template, string pattern, string path, string topic)
    {
        var options = new AgentOptions { Host = "h1", Inputs = [new InputOptions { Topic = template, Paths = [pattern] }] };
        TopicTemplate.Check(options.Inputs[0]);
        var rules = new PathRules(options);
        Assert.Contains(GlobPattern.Parse(pattern), glob => glob.IsMatch(path));
        Assert.Equal(topic, rules.TopicOf(path, options.Inputs[0]));
    }

    [Fact]
    public void The_first_pattern_that_matches_counts_its_groups()
    {
        var options = new AgentOptions { Host = "h1", Inputs = [new InputOptions { Topic = "t_{1}", Paths = ["/l/{a,b}/x*", "/l/*/y"] }] };
        var rules = new PathRules(options);
        Assert.Equal("t_b", rules.TopicOf("/l/b/x1", options.Inputs[0]));
        Assert.Equal("t_q", rules.TopicOf("/l/q/y", options.Inputs[0]));
        Assert.Null(rules.TopicOf("/l/q/z", options.Inputs[0]));
    }

    [Theory]
    [InlineData("", "would be empty")]
    [InlineData("..", "would be '..', which no topic may be called")]
    [InlineData("__consumer_offsets", "names that begin with __ are the cluster's own")]
    [InlineData("logpipe_agents", "would be 'logpipe_agents', which is agent.status_topic")]
    [InlineData("web", null)]
    [InlineData("_web", null)]
    public void Names_that_no_topic_can_have_are_known(string topic, string? problem)
    {
        var options = new AgentOptions { Host = "h1", StatusTopic = "logpipe_agents", Inputs = [new InputOptions { Topic = "{1}", Paths = ["/*"] }] };
        string? found = new PathRules(options).ProblemOf(topic, options.Inputs[0]);
        Assert.Equal(problem is null, found is null);
        Assert.True(problem is null || found!.Contains(problem, StringComparison.Ordinal), found);
        Assert.Null(TopicTemplate.ProblemOf(new string('a', TopicTemplate.NameMax)));
        Assert.Contains("would have 250 characters", TopicTemplate.ProblemOf(new string('a', TopicTemplate.NameMax + 1)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("web_{dri}", "agent.yaml:5: agent.inputs[0].topic: 'web_{dri}': there is no placeholder {dri}; did you mean {dir}?")]
    [InlineData("web_{10}", "there is no placeholder {10}; there are {host}, {name}, {dir} and {1} to {9}")]
    [InlineData("web_{}", "there is no placeholder {}")]
    [InlineData("web_{dir", "'web_{dir': a '{' has no '}' behind it")]
    [InlineData("web {dir}", "'web {dir}': a topic's name cannot have ' '")]
    [InlineData("web_{3}", "agent.yaml:5: agent.inputs[0].topic: 'web_{3}': {3} is no group of wildcards in '/logs/*/*.log', which has 2")]
    [InlineData("web_{2}", "'web_{2}': {2} is no group of wildcards in '/logs/a?*.log', which has 1")]
    public void What_cannot_be_is_named_with_its_place(string topic, string message)
    {
        ConfigurationException wrong = Assert.Throws<ConfigurationException>(() => Read($"paths: [\"/logs/*/*.log\", \"/logs/a?*.log\"]\n      topic: '{topic}'"));
        Assert.Contains(message, wrong.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_source_has_its_host_and_no_path()
    {
        AgentOptions options = Read("metrics: {}\n      topic: 'metrics_{host}'") with { Host = "h1" };
        options.Validate();
        Assert.Equal("metrics_h1", new PathRules(options).TopicOf(options.Inputs[0].Paths[0].Replace('*', 'x'), options.Inputs[0]));
        ConfigurationException wrong = Assert.Throws<ConfigurationException>(() => Read("metrics: {}\n      topic: '{name}'"));
        Assert.Contains("agent.yaml:5: agent.inputs[0].topic: '{name}': metrics has no path, so {host} alone can stand there", wrong.Message, StringComparison.Ordinal);
    }

    private static AgentOptions Read(string input) => AgentSection.Find(ConfigurationFile.Read($"""
        agent:
          state: /state
          inputs:
            - {input}
        """, "agent.yaml", []))!;
}
