using LogPipeline.Broker.Tests.Harness;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;
using LogPipeline.Testing.Files;
using static LogPipeline.Broker.Tests.Harness.Configs;

namespace LogPipeline.Broker.Tests.Requests;

public sealed class AlterBrokerConfigsTests
{
    private const string This = "1";
    private const string All = "";

    [Fact]
    public async Task What_is_changed_for_the_broker_goes_before_the_cluster_before_what_it_was_started_with()
    {
        await using var broker = new TestBroker(("log.retention.ms", "1000"));
        TestClient client = broker.Connect();
        await client.ChangeAsync(BrokerResource, All, (Set, "log.retention.ms", "2000"));
        await client.ChangeAsync(BrokerResource, This, (Set, "log.retention.ms", "3000"));
        DescribeConfigsResponse.Result.Config told = await client.DescribeAsync(BrokerResource, This, "log.retention.ms");
        Assert.Equal(("3000", (sbyte)2, false), (told.Value, told.ConfigSource, told.ReadOnly));
        Assert.Equal(
            [("3000", (sbyte)2), ("2000", (sbyte)3), ("1000", (sbyte)4), ("604800000", (sbyte)5)],
            told.Synonyms.Select(synonym => (synonym.Value, synonym.Source)));
        await client.ChangeAsync(BrokerResource, This, (Delete, "log.retention.ms", null));
        Assert.Equal("2000", (await client.DescribeAsync(BrokerResource, This, "log.retention.ms")).Value);
        Assert.Equal([("log.retention.ms", "2000")], await client.OwnAsync(BrokerResource, All));
    }

    [Fact]
    public async Task A_topic_inherits_a_change_at_once_and_after_a_power_cut()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreatedAsync("t");
        Answered(ErrorCode.None, null, await client.ChangeAsync(BrokerResource, This, (Set, "message.max.bytes", "1000")));
        await CheckAsync(client);
        broker.Crash();
        await CheckAsync(broker.Connect());

        static async Task CheckAsync(TestClient client)
        {
            Assert.Equal(ErrorCode.MessageTooLarge, (await client.ProduceAsync("t", Ask.Batch(1, size: 2000))).ErrorCode);
            DescribeConfigsResponse.Result.Config told = await client.DescribeAsync(TopicResource, "t", "max.message.bytes");
            Assert.Equal(("1000", (sbyte)2, "message.max.bytes"), (told.Value, told.ConfigSource, told.Synonyms[0].Name));
        }
    }

    [Theory]
    [InlineData(This, "node.id", "3", ErrorCode.InvalidRequest, "Cannot update these configs dynamically: Set(node.id)")]
    [InlineData(All, "num.partitions", "3", ErrorCode.InvalidRequest, "Cannot update these configs dynamically: Set(num.partitions)")]
    [InlineData(This, "log.retention.ms", "soon", ErrorCode.InvalidRequest, "Invalid value soon for configuration log.retention.ms: Not a number of type LONG")]
    [InlineData(This, "no.key", "3", ErrorCode.InvalidConfig, "Unknown broker config name: no.key")]
    [InlineData("9", "log.retention.ms", "3", ErrorCode.InvalidRequest, "Unexpected broker id, expected 1, but received 9")]
    [InlineData("x", "log.retention.ms", "3", ErrorCode.InvalidRequest, "Node id must be an integer, but it is: x")]
    public async Task What_needs_a_restart_is_another_brokers_or_is_wrong_is_refused_in_Kafkas_words(
        string name, string key, string value, ErrorCode error, string text)
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        Answered(error, text, await client.ChangeAsync(BrokerResource, name, (Set, key, value)));
        Assert.Empty(await client.OwnAsync(BrokerResource, This));
    }

    [Fact]
    public async Task AlterConfigs_replaces_all_that_was_changed_for_the_broker()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.ChangeAsync(BrokerResource, This, (Set, "log.retention.ms", "3000"), (Set, "max.connections", "7"));
        await client.ReplaceAsync(BrokerResource, This, ("log.retention.ms", "4000"));
        Assert.Equal([("log.retention.ms", "4000")], await client.OwnAsync(BrokerResource, This));
    }

    [Fact]
    public async Task A_power_cut_at_any_step_keeps_the_old_settings_or_the_new_ones()
    {
        bool wasReached = true;
        for (int call = 1; wasReached; call++)
        {
            await using var broker = new TestBroker();
            TestClient client = broker.Connect();
            await client.ChangeAsync(BrokerResource, This, (Set, "log.retention.ms", "3000"));
            int left = call;
            broker.Files.Before = _ =>
            {
                if (--left == 0)
                {
                    broker.Files.Kill();
                }
            };
            try
            {
                await client.ChangeAsync(BrokerResource, This, (Set, "log.retention.ms", "4000"));
            }
            catch (System.Threading.Channels.ChannelClosedException)
            {
            }
            wasReached = left <= 0;
            broker.Files.Kill();
            broker.Crash();
            string? kept = (await broker.Connect().DescribeAsync(BrokerResource, This, "log.retention.ms")).Value;
            Assert.Contains(kept, wasReached ? ["3000", "4000"] : new[] { "4000" });
        }
    }

    [Fact]
    public async Task A_damaged_file_of_changed_settings_from_an_earlier_version_stops_the_start_and_is_named()
    {
        await using var broker = new TestBroker();
        await broker.Core.CloseAsync();
        var files = new MemoryFileSystem(broker.Disk);
        using (LogPipeline.Files.IFile file = files.Open("/data/broker-settings.json", LogPipeline.Files.FileOpenMode.ReadWrite))
        {
            file.Write("""z "version": 0, "cluster": {}, "broker": {} }"""u8, 0);
        }
        BrokerStartException e = Assert.Throws<BrokerStartException>(() => BrokerCore.Open(
            new BrokerOptions { DataDirectory = "/data" }, files, broker.Time, new Random(1)));
        Assert.StartsWith("/data/broker-settings.json is damaged:", e.Message, StringComparison.Ordinal);
    }
}
