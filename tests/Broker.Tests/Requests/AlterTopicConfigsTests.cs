using LogPipeline.Broker.Tests.Harness;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;
using static LogPipeline.Broker.Tests.Harness.Configs;

namespace LogPipeline.Broker.Tests.Requests;

public sealed class AlterTopicConfigsTests
{
    [Fact]
    public async Task IncrementalAlterConfigs_changes_what_is_named_and_it_survives_a_power_cut()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreateTopicAsync("t", 2, 1, ("retention.ms", "3600000"), ("segment.ms", "60000"));
        Answered(ErrorCode.None, null, await client.ChangeAsync(TopicResource, "t", (Set, "retention.ms", "5000"), (Set, "retention.bytes", "77"), (Delete, "segment.ms", null)));
        await CheckAsync();
        broker.Crash();
        await CheckAsync();

        async Task CheckAsync() => Assert.Equal(
            [("retention.bytes", "77"), ("retention.ms", "5000")], await broker.Connect().OwnAsync(TopicResource, "t"));
    }

    [Fact]
    public async Task A_changed_setting_is_in_force_at_once()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreatedAsync("t");
        Assert.Equal(ErrorCode.None, (await client.ProduceAsync("t", Ask.Batch(1, size: 2000))).ErrorCode);
        await client.ChangeAsync(TopicResource, "t", (Set, "max.message.bytes", "1000"));
        Assert.Equal(ErrorCode.MessageTooLarge, (await client.ProduceAsync("t", Ask.Batch(1, size: 2000))).ErrorCode);
        await client.ChangeAsync(TopicResource, "t", (Delete, "max.message.bytes", null));
        Assert.Equal(ErrorCode.None, (await client.ProduceAsync("t", Ask.Batch(1, size: 2000))).ErrorCode);
    }

    [Fact]
    public async Task AlterConfigs_inherits_again_what_it_does_not_name()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreateTopicAsync("t", 1, 1, ("retention.ms", "3600000"));
        Answered(ErrorCode.None, null, await client.ReplaceAsync(TopicResource, "t", ("retention.bytes", "77")));
        Assert.Equal([("retention.bytes", "77")], await client.OwnAsync(TopicResource, "t"));
        Answered(ErrorCode.None, null, await client.ReplaceAsync(TopicResource, "t"));
        Assert.Empty(await client.OwnAsync(TopicResource, "t"));
    }

    [Fact]
    public async Task Lists_are_appended_to_and_subtracted_from()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreatedAsync("t");
        await client.ChangeAsync(TopicResource, "t", (Append, "cleanup.policy", "compact"));
        Assert.Equal([("cleanup.policy", "delete,compact")], await client.OwnAsync(TopicResource, "t"));
        await client.ChangeAsync(TopicResource, "t", (Append, "cleanup.policy", "compact"));
        Assert.Equal([("cleanup.policy", "delete,compact")], await client.OwnAsync(TopicResource, "t"));
        await client.ChangeAsync(TopicResource, "t", (Subtract, "cleanup.policy", "delete"));
        Assert.Equal([("cleanup.policy", "compact")], await client.OwnAsync(TopicResource, "t"));
    }

    [Theory]
    [InlineData("t", Set, "retention.ms", "soon", ErrorCode.InvalidConfig, "Invalid value soon for configuration retention.ms: Not a number of type LONG")]
    [InlineData("t", Set, "retention.ms", "-5", ErrorCode.InvalidConfig, "Invalid value -5 for configuration retention.ms: Value must be at least -1")]
    [InlineData("t", Set, "preallocate", "maybe", ErrorCode.InvalidConfig, "Invalid value maybe for configuration preallocate: Expected value to be either true or false")]
    [InlineData("t", Set, "no.key", "1", ErrorCode.InvalidConfig, "Unknown topic config name: no.key")]
    [InlineData("t", Append, "retention.ms", "1", ErrorCode.InvalidConfig, "Can't APPEND to key retention.ms because its type is not LIST.")]
    [InlineData("t", Subtract, "retention.ms", "1", ErrorCode.InvalidConfig, "Can't SUBTRACT to key retention.ms because its type is not LIST.")]
    [InlineData("t", Set, "retention.ms", null, ErrorCode.InvalidRequest, "Null value not supported for : retention.ms")]
    [InlineData("t", (sbyte)9, "retention.ms", "1", ErrorCode.InvalidRequest, "Unknown operation 9 for retention.ms")]
    [InlineData("nowhere", Set, "retention.ms", "1", ErrorCode.UnknownTopicOrPartition, "The topic 'nowhere' does not exist.")]
    [InlineData("", Set, "retention.ms", "1", ErrorCode.InvalidRequest, "Default topic resources are not allowed.")]
    public async Task What_cannot_be_changed_is_refused_in_Kafkas_words_and_nothing_changes(
        string topic, sbyte operation, string key, string? value, ErrorCode error, string text)
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreateTopicAsync("t", 1, 1, ("retention.ms", "3600000"));
        Answered(error, text, await client.ChangeAsync(TopicResource, topic, (Set, "retention.bytes", "7"), (operation, key, value)));
        Assert.Equal([("retention.ms", "3600000")], await client.OwnAsync(TopicResource, "t"));
    }

    [Fact]
    public async Task Keys_and_resources_named_twice_and_kinds_without_settings_are_refused()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreatedAsync("t");
        Answered(ErrorCode.InvalidRequest, "Error due to duplicate config keys",
            await client.ChangeAsync(TopicResource, "t", (Set, "retention.ms", "1"), (Delete, "retention.ms", null)));
        Answered(ErrorCode.InvalidRequest, "Unknown resource type 3", await client.ChangeAsync(3, "t"));
        Answered(ErrorCode.InvalidTopicException, "Topic name is invalid: 'no/slash' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'",
            await client.ChangeAsync(TopicResource, "no/slash"));
        IncrementalAlterConfigsResponse twice = await client.SendAsync<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse>(
            new() { Resources = [new() { ResourceType = TopicResource, ResourceName = "t" }, new() { ResourceType = TopicResource, ResourceName = "t" }] });
        Assert.All(twice.Responses, response => Assert.Equal("Each resource must appear at most once.", response.ErrorMessage));
    }

    [Fact]
    public async Task A_check_alone_changes_nothing()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreatedAsync("t");
        Answered(ErrorCode.None, null, await client.ChangeAsync(validateOnly: true, TopicResource, "t", (Set, "retention.ms", "5")));
        Assert.Empty(await client.OwnAsync(TopicResource, "t"));
    }

    [Fact]
    public async Task A_setting_that_does_nothing_here_is_taken_with_a_remark()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreatedAsync("t");
        Answered(ErrorCode.None, "preallocate has no effect here: Segments are always preallocated.",
            await client.ChangeAsync(TopicResource, "t", (Set, "preallocate", "true")));
    }

    [Fact]
    public async Task A_disk_that_refuses_leaves_the_settings_as_they_were()
    {
        bool wasReached = true;
        for (int call = 1; wasReached; call++)
        {
            await using var broker = new TestBroker();
            TestClient client = broker.Connect();
            await client.CreatedAsync("t");
            int left = call;
            broker.Files.Before = _ =>
            {
                if (--left == 0)
                {
                    throw new IOException("No space left on device");
                }
            };
            (ErrorCode error, _) = await client.ChangeAsync(TopicResource, "t", (Set, "retention.ms", "5"));
            wasReached = left <= 0;
            broker.Files.Before = null;
            Assert.Equal(wasReached, error == ErrorCode.KafkaStorageError);
            Assert.Equal(wasReached ? [] : [("retention.ms", "5")], await client.OwnAsync(TopicResource, "t"));
        }
    }
}
