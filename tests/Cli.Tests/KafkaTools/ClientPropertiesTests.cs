using System.CommandLine;
using LogPipeline.Cli.KafkaTools;
using LogPipeline.Client;
using LogPipeline.Client.Consuming;
using LogPipeline.Client.Producing;

namespace LogPipeline.Cli.Tests.KafkaTools;

/// <summary>What Kafka's options and properties make of our clients.</summary>
public class ClientPropertiesTests
{
    [Fact]
    public void A_groups_tool_waits_as_long_as_its_timeout_says()
    {
        ParseResult parsed = ConsumerGroupsTool.Create().Parse("--list --timeout 700 --command-property client.id=me");
        ClientOptions options = ClientProperties.Apply(new ClientOptions(), ConsumerGroupsTool.Properties(parsed));
        var timeout = TimeSpan.FromMilliseconds(700);
        Assert.Equal((timeout, timeout, timeout, "me"), (options.RequestTimeout, options.LookupTimeout, options.ConnectTimeout, options.ClientId));
    }

    [Theory]
    [InlineData("--isolation-level read_committed", true)]
    [InlineData("--consumer-property isolation.level=read_committed", true)]
    [InlineData("--consumer-property isolation.level=read_committed --isolation-level read_uncommitted", false)]
    [InlineData("", false)]
    public void A_console_consumer_reads_committed_records_where_it_is_said(string options, bool readCommitted)
        => Assert.Equal(readCommitted, Consumer(options).ReadCommitted);

    [Fact]
    public void A_console_consumer_commits_for_a_group_alone_and_begins_at_the_end_unless_told()
    {
        Assert.Equal(((string?)null, (TimeSpan?)null, OffsetReset.Latest), (Consumer("").Group, Consumer("").AutoCommitInterval, Consumer("").OffsetReset));
        ConsumerOptions ofGroup = Consumer("--group g --from-beginning --consumer-property session.timeout.ms=7000");
        Assert.Equal(("g", TimeSpan.FromSeconds(5), OffsetReset.Earliest, TimeSpan.FromSeconds(7)), (ofGroup.Group, ofGroup.AutoCommitInterval, ofGroup.OffsetReset, ofGroup.SessionTimeout));
        Assert.Null(Consumer("--group g --consumer-property enable.auto.commit=false").AutoCommitInterval);
    }

    [Fact]
    public void A_console_producers_options_are_its_producers_settings()
    {
        ParseResult parsed = ConsoleProducerTool.Create().Parse(
            "--topic t --max-memory-bytes 100000 --max-partition-memory-bytes 5000 --timeout 30 --retry-backoff-ms 3000 --metadata-expiry-ms 1000 --max-block-ms 900 --request-required-acks 1");
        IReadOnlyDictionary<string, string> properties = ConsoleProducerTool.Properties(parsed);
        ProducerOptions producer = ProducerProperties.Options(properties);
        Assert.Equal((100_000L, 5000, TimeSpan.FromMilliseconds(30), Acks.Leader, false), (producer.BufferBytes, producer.BatchBytes, producer.Linger, producer.Acks, producer.Idempotent));
        ClientOptions client = ClientProperties.Apply(new ClientOptions { Bootstrap = ["b:1"] }, properties);
        Assert.Equal((TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(1), TimeSpan.FromMilliseconds(900)), (client.RetryDelay, client.MetadataMaxAge, client.LookupTimeout));
        client.Validate();
    }

    [Theory]
    [InlineData("request.timeout.ms", "0")]
    [InlineData("request.timeout.ms", "-1")]
    [InlineData("metadata.max.age.ms", "soon")]
    public void A_value_that_cannot_be_is_refused_by_its_name(string name, string value)
    {
        var given = new Dictionary<string, string> { [name] = value };
        KafkaToolException refused = Assert.Throws<KafkaToolException>(() => ClientProperties.Apply(new ClientOptions(), given));
        Assert.Equal($"Invalid value {value} for configuration {name}", refused.Message);
    }

    private static ConsumerOptions Consumer(string options) =>
        ConsumerProperties.Options(ConsoleConsumerTool.Properties(ConsoleConsumerTool.Create().Parse($"--topic t {options}")));
}
