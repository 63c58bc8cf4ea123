using LogPipeline.Broker.Settings;
using LogPipeline.Broker.Tests.Harness;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;

namespace LogPipeline.Broker.Tests.Settings;

/// <summary>Whatever is accepted and does nothing is told: in the reply, and in the log of a start.</summary>
public sealed class IdleSettingsTests
{
    [Fact]
    public async Task The_reply_names_every_topic_setting_that_does_nothing_and_no_other()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreatedAsync("t");
        foreach (SettingDefinition setting in TopicSettingTable.All)
        {
            string value = ValueOf(setting);
            (ErrorCode error, string? message) = await client.ChangeAsync(Configs.TopicResource, "t", (Configs.Set, setting.Name, value));
            Assert.Equal((ErrorCode.None, !setting.HasEffect), (error, message is not null));
            CreateTopicsResponse.Topic made = await client.CreateTopicAsync($"with-{setting.Name}", configs: (setting.Name, value));
            Assert.Equal((ErrorCode.None, message), (made.ErrorCode, made.ErrorMessage));
        }
    }

    [Fact]
    public async Task The_reply_names_every_broker_setting_that_does_nothing_and_no_other()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        foreach (SettingDefinition setting in BrokerSettingTable.All.Where(static setting => BrokerSettingTable.IsDynamic(setting.Name)))
        {
            (ErrorCode error, string? message) = await client.ChangeAsync(Configs.BrokerResource, "", (Configs.Set, setting.Name, ValueOf(setting)));
            Assert.Equal((ErrorCode.None, !setting.HasEffect), (error, message is not null));
        }
    }

    [Fact]
    public async Task A_start_tells_of_every_setting_that_does_nothing()
    {
        SettingDefinition[] idle = [.. BrokerSettingTable.All.Where(static setting => !setting.HasEffect && setting.Name != "inter.broker.listener.name")];
        await using var broker = new TestBroker([.. idle.Select(static setting => (setting.Name, ValueOf(setting)))]);
        Assert.All(idle, setting => Assert.Equal(1, broker.Log.Count($"{setting.Name} has no effect here")));
    }

    [Fact]
    public async Task Of_a_policy_that_compacts_it_is_told_that_nothing_is_compacted()
    {
        await using var broker = new TestBroker(("log.cleanup.policy", "compact"));
        Assert.Equal(1, broker.Log.Count("log.cleanup.policy=compact has no effect here"));
        CreateTopicsResponse.Topic made = await broker.Connect().CreateTopicAsync("t", configs: ("cleanup.policy", "compact,delete"));
        Assert.Equal("cleanup.policy=compact,delete has no effect here: Nothing is compacted yet: records must have keys, and without delete all are kept.", made.ErrorMessage);
    }

    private static string ValueOf(SettingDefinition setting) =>
        setting.Default is { Length: > 0 } value ? value
        : setting.Type is SettingType.String or SettingType.List ? "x"
        : Math.Max(1, setting.Min).ToString(System.Globalization.CultureInfo.InvariantCulture);
}
