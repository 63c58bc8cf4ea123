using LogPipeline.Broker;
using LogPipeline.Broker.Settings;
using LogPipeline.Cli.KafkaTools;
using LogPipeline.Cli.KafkaTools.Server;

namespace LogPipeline.Cli.Tests.KafkaTools;

public class ServerSettingsTests
{
    private readonly List<string> _warnings = [];

    [Fact]
    public void File_that_a_ZooKeeper_broker_had_is_taken_with_one_warning_for_ZooKeeper_and_one_for_the_rest()
    {
        BrokerOptions broker = Read("""
            broker.id=0
            num.network.threads=3
            log.dirs=/srv/kafka
            num.partitions=1
            replica.lag.time.max.ms=30000
            log.retention.hours=168
            zookeeper.connect=localhost:2181
            zookeeper.connection.timeout.ms=18000
            """);
        Assert.Equal("/srv/kafka", broker.DataDirectory);
        Assert.Equal("0", broker.Settings["node.id"]);
        Assert.Equal("168", broker.Settings["log.retention.hours"]);
        Assert.Equal(4, broker.Settings.Count);
        Assert.Equal(2, _warnings.Count);
        Assert.StartsWith("zookeeper.connect, zookeeper.connection.timeout.ms: ignored", _warnings[0], StringComparison.Ordinal);
        Assert.StartsWith("replica.lag.time.max.ms: ignored", _warnings[1], StringComparison.Ordinal);
    }

    [Fact]
    public void Old_names_of_addresses_are_taken_and_newer_ones_count()
    {
        BrokerOptions broker = Read("host.name=10.0.0.5\nport=9093\nadvertised.host.name=logs.example\nbroker.id=7\nnode.id=8");
        Assert.Equal("PLAINTEXT://10.0.0.5:9093", broker.Settings["listeners"]);
        Assert.Equal("PLAINTEXT://logs.example:9092", broker.Settings["advertised.listeners"]);
        Assert.Equal("8", broker.Settings["node.id"]);
    }

    [Fact]
    public void Broker_with_controllers_elsewhere_does_not_need_their_listener()
        => Assert.DoesNotContain("controller.listener.names", Read("process.roles=broker\ncontroller.listener.names=CONTROLLER\ncontroller.quorum.voters=1@c:9093").Settings.Keys);

    [Theory]
    [InlineData("num.partitons=3", "Unknown setting num.partitons; did you mean num.partitions?")]
    [InlineData("num.recovery.thread.per.data.dir=3", "Unknown setting num.recovery.thread.per.data.dir; did you mean num.recovery.threads.per.data.dir?")]
    [InlineData("authorizer.class.name=kafka.security.authorizer.AclAuthorizer", "authorizer.class.name=kafka.security.authorizer.AclAuthorizer cannot be had here")]
    [InlineData("security.inter.broker.protocol=SSL", "security.inter.broker.protocol=SSL cannot be had here")]
    [InlineData("process.roles=controller", "process.roles=controller")]
    [InlineData("log.dirs=/a,/b", "log.dirs=/a,/b: one data directory is served")]
    public void What_cannot_be_had_refuses_the_start(string line, string message)
        => Assert.StartsWith(message, Assert.Throws<KafkaToolException>(() => Read(line)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("security.inter.broker.protocol=PLAINTEXT")]
    [InlineData("authorizer.class.name=")]
    [InlineData("ssl.keystore.location=/etc/kafka/keystore.jks")]
    [InlineData("listener.name.internal.sasl.enabled.mechanisms=PLAIN")]
    public void What_guards_nothing_is_no_reason_to_refuse(string line) => Assert.Empty(Read(line).Settings);

    [Fact]
    public void Names_that_are_ignored_are_no_settings_of_the_broker()
        => Assert.DoesNotContain(KafkaSettingNames.Others, BrokerSettings.IsKnown);

    [Fact]
    public void Variables_of_container_images_are_settings_and_others_are_named()
    {
        Dictionary<string, string> settings = ContainerEnvironment.Read(
            [
                new("KAFKA_ADVERTISED_LISTENERS", "PLAINTEXT://broker:9092"), new("KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR", "1"), new("KAFKA_CFG_NUM_PARTITIONS", "4"),
                new("KAFKA_NUM_PARTITIONS", "2"), new("KAFKA_ZOOKEEPER_CONNECT", "zookeeper:2181"), new("KAFKA_HEAP_OPTS", "-Xmx1G"), new("KAFKA_LOG4J_LOGGERS", "x"),
                new("KAFKA_SERVICE_HOST", "10.1.1.1"), new("KAFKA_BROKERS", "a:1"), new("PATH", "/bin"),
            ],
            _warnings.Add);
        Assert.Equal(
            ["advertised.listeners=PLAINTEXT://broker:9092", "num.partitions=4", "offsets.topic.replication.factor=1", "zookeeper.connect=zookeeper:2181"],
            settings.Select(static pair => $"{pair.Key}={pair.Value}").Order(StringComparer.Ordinal));
        Assert.Equal("KAFKA_BROKERS, KAFKA_SERVICE_HOST: ignored, no setting of the broker is called so", Assert.Single(_warnings));
    }

    private BrokerOptions Read(string text) => ServerSettings.Read(JavaProperties.Read(text), _warnings.Add);
}
