using LogPipeline.Client.Consuming;

namespace LogPipeline.Sinks.Tests;

/// <summary>Topics by pattern: what a pattern takes, what is refused, and topics that appear while the sink runs.</summary>
public sealed class TopicPatternsTests
{
    [Theory]
    [InlineData("app_*", "app_1 app_ app_x.y", "app xapp_1 App_1")]
    [InlineData("app.?", "app.1", "app.12 app-1 app.")]
    [InlineData("*", "a web_log", "logpipe_agents")]
    [InlineData("/app_[0-9]+/", "app_1 app_22", "app_ app_1x xapp_1")]
    [InlineData("/a|bb/", "a bb", "ab abb")]
    public void A_pattern_takes_whole_names(string pattern, string taken, string left)
    {
        TopicSelection topics = TopicPatterns.Of(["web_log", pattern]);
        Assert.Equal(["web_log"], topics.Names);
        Assert.All(taken.Split(' '), topic => Assert.True(topics.Pattern!(topic), topic));
        Assert.All(left.Split(' '), topic => Assert.False(topics.Pattern!(topic), topic));
    }

    [Fact]
    public void Names_alone_are_no_pattern() => Assert.Null(TopicPatterns.Of(["web_log", "app.1-x"]).Pattern);

    [Theory]
    [InlineData("web_.*", "\"/web_.*/\"")]
    [InlineData("app_[0-9]", "\"/app_[0-9]/\"")]
    [InlineData("/app_(/", "is not a regular expression")]
    [InlineData("my topic", "neither a topic's name")]
    [InlineData("", "neither a topic's name")]
    public void What_is_neither_name_nor_pattern_is_refused_with_what_to_write(string topic, string expected)
    {
        var options = new SinkOptions { Name = "web", Topics = [topic], Sqlite = new SqliteOptions { File = "x.db" } };
        SinkConfigurationException refused = Assert.Throws<SinkConfigurationException>(options.Validate);
        Assert.Contains(expected, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_topic_that_appears_while_the_sink_runs_is_stored()
    {
        await using SinkScene scene = await SinkScene.StartAsync();
        SinkOptions options = scene.Sqlite() with { Parser = "none", Topics = ["web_*", "/never[0-9]/"] };
        await SinkScene.RunAsync(options, 3, async () =>
        {
            await scene.SendAsync(0, ["line 1", "line 2"]);
            await scene.SendAsync(1, ["line 3"]);
        });
        Assert.Equal(3L, await SinkScene.ScalarAsync(options, "SELECT count(*) FROM web_log WHERE topic = 'web_log'"));
    }
}
