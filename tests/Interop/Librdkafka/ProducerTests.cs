using Confluent.Kafka;
using Confluent.Kafka.Admin;

namespace LogPipeline.Interop.Librdkafka;

/// <summary>librdkafka 2.16 by Confluent.Kafka: its idempotent producer with five requests in flight.</summary>
public sealed class ProducerTests(BrokerFixture broker) : IClassFixture<BrokerFixture>
{
    private const int Records = 20_000;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    [Theory]
    [InlineData(CompressionType.None)]
    [InlineData(CompressionType.Gzip)]
    [InlineData(CompressionType.Snappy)]
    [InlineData(CompressionType.Lz4)]
    [InlineData(CompressionType.Zstd)]
    public async Task Every_record_is_stored_once_and_in_order(CompressionType codec)
    {
        string topic = $"idempotent_{codec}";
        using IAdminClient admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = broker.Address }).Build();
        await admin.CreateTopicsAsync([new TopicSpecification { Name = topic, NumPartitions = 1 }]);
        DeliveryReport<Null, string>[] reports = Produce(topic, codec);
        Assert.All(reports, report => Assert.Equal(PersistenceStatus.Persisted, report.Status));
        Assert.Equal(Enumerable.Range(0, Records).Select(i => (long)i), reports.Select(report => report.Offset.Value));
        Assert.Equal(Enumerable.Range(0, Records).Select(Value), Read(topic));
    }

    // Returns the reports in the order of the records. Batches of 16 KiB keep several requests in flight.
    private DeliveryReport<Null, string>[] Produce(string topic, CompressionType codec)
    {
        using IProducer<Null, string> producer = new ProducerBuilder<Null, string>(new ProducerConfig
        {
            BootstrapServers = broker.Address,
            EnableIdempotence = true,
            MaxInFlight = 5,
            CompressionType = codec,
            BatchSize = 16 << 10,
            LingerMs = 1,
        }).Build();
        var reports = new DeliveryReport<Null, string>[Records];
        for (int i = 0; i < Records; i++)
        {
            int at = i;
            producer.Produce(topic, new Message<Null, string> { Value = Value(at) }, report => reports[at] = report);
        }
        Assert.Equal(0, producer.Flush(Patience));
        return reports;
    }

    private List<string> Read(string topic)
    {
        using IConsumer<Ignore, string> consumer = new ConsumerBuilder<Ignore, string>(
            new ConsumerConfig { BootstrapServers = broker.Address, GroupId = "unused", EnablePartitionEof = true, CheckCrcs = true }).Build();
        consumer.Assign(new TopicPartitionOffset(topic, 0, Offset.Beginning));
        using var patience = new CancellationTokenSource(Patience);
        var values = new List<string>();
        while (consumer.Consume(patience.Token) is { IsPartitionEOF: false } read)
        {
            values.Add(read.Message.Value);
        }
        return values;
    }

    private static string Value(int i) => $"127.0.0.1 - - [10/Oct/2026:13:55:36 +0000] \"GET /item/{i} HTTP/1.1\" 200 {i * 7919 % 100_000}";
}
