using Confluent.Kafka;
using Confluent.Kafka.Admin;

namespace LogPipeline.Interop.Librdkafka;

/// <summary>librdkafka's admin client.</summary>
public sealed class AdminTests : IClassFixture<BrokerFixture>, IDisposable
{
    private readonly BrokerFixture _broker;
    private readonly IAdminClient _admin;

    public AdminTests(BrokerFixture broker)
    {
        _broker = broker;
        _admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = broker.Address }).Build();
    }

    public void Dispose() => _admin.Dispose();

    [Fact]
    public async Task A_topics_settings_are_created_described_and_altered()
    {
        var topic = new ConfigResource { Type = ResourceType.Topic, Name = "configured" };
        await _admin.CreateTopicsAsync([new TopicSpecification { Name = topic.Name, NumPartitions = 3, Configs = new() { ["retention.ms"] = "3600000" } }]);
        Assert.Equal(("3600000", ConfigSource.DynamicTopicConfig), await RetentionAsync());
        await _admin.IncrementalAlterConfigsAsync(new()
        {
            [topic] = [new ConfigEntry { Name = "retention.ms", Value = "7200000", IncrementalOperation = AlterConfigOpType.Set }],
        });
        Assert.Equal(("7200000", ConfigSource.DynamicTopicConfig), await RetentionAsync());

        async Task<(string, ConfigSource)> RetentionAsync()
        {
            ConfigEntryResult entry = Assert.Single(await _admin.DescribeConfigsAsync([topic])).Entries["retention.ms"];
            return (entry.Value, entry.Source);
        }
    }

    [Fact]
    public async Task Partitions_are_added_and_a_topic_is_deleted()
    {
        await _admin.CreateTopicsAsync([new TopicSpecification { Name = "grows", NumPartitions = 1 }]);
        CreateTopicsException again = await Assert.ThrowsAsync<CreateTopicsException>(
            () => _admin.CreateTopicsAsync([new TopicSpecification { Name = "grows", NumPartitions = 1 }]));
        Assert.Equal(ErrorCode.TopicAlreadyExists, Assert.Single(again.Results).Error.Code);
        await _admin.CreatePartitionsAsync([new PartitionsSpecification { Topic = "grows", IncreaseTo = 4 }]);
        Assert.Equal(4, (await DescribeAsync()).Partitions.Count);
        await _admin.DeleteTopicsAsync(["grows"]);
        DescribeTopicsException gone = await Assert.ThrowsAsync<DescribeTopicsException>(DescribeAsync);
        Assert.Equal(ErrorCode.UnknownTopicOrPart, Assert.Single(gone.Results.TopicDescriptions).Error.Code);

        async Task<TopicDescription> DescribeAsync() => Assert.Single((await _admin.DescribeTopicsAsync(TopicCollection.OfTopicNames(["grows"]))).TopicDescriptions);
    }

    [Fact]
    public async Task Records_below_an_offset_are_deleted()
    {
        Produce("shortened", 10);
        DeleteRecordsResult deleted = Assert.Single(await _admin.DeleteRecordsAsync([new TopicPartitionOffset("shortened", 0, 4)]));
        Assert.Equal(4, deleted.Offset.Value);
        Assert.Equal(4, await OffsetAsync(OffsetSpec.Earliest()));
        Assert.Equal(10, await OffsetAsync(OffsetSpec.Latest()));

        async Task<long> OffsetAsync(OffsetSpec which)
        {
            ListOffsetsResult listed = await _admin.ListOffsetsAsync([new TopicPartitionOffsetSpec { TopicPartition = new TopicPartition("shortened", 0), OffsetSpec = which }]);
            return Assert.Single(listed.ResultInfos).TopicPartitionOffsetError.Offset.Value;
        }
    }

    [Fact]
    public async Task A_group_is_listed_described_and_deleted_with_its_offsets()
    {
        Produce("committed", 10);
        var partition = new TopicPartition("committed", 0);
        using (IConsumer<Ignore, Ignore> consumer = new ConsumerBuilder<Ignore, Ignore>(new ConsumerConfig { BootstrapServers = _broker.Address, GroupId = "readers" }).Build())
        {
            consumer.Commit([new TopicPartitionOffset(partition, 7)]);
        }
        ConsumerGroupListing listing = Assert.Single((await _admin.ListConsumerGroupsAsync()).Valid, group => group.GroupId == "readers");
        Assert.Equal(ConsumerGroupState.Empty, listing.State);
        ConsumerGroupDescription described = Assert.Single((await _admin.DescribeConsumerGroupsAsync(["readers"])).ConsumerGroupDescriptions);
        Assert.Equal((ConsumerGroupState.Empty, 0, 1), (described.State, described.Members.Count, described.Coordinator.Id));
        Assert.Equal(7, await CommittedAsync());
        await _admin.DeleteGroupsAsync(["readers"]);
        Assert.Equal(Offset.Unset.Value, await CommittedAsync());
        Assert.DoesNotContain((await _admin.ListConsumerGroupsAsync()).Valid, group => group.GroupId == "readers");

        async Task<long> CommittedAsync()
        {
            List<ListConsumerGroupOffsetsResult> all = await _admin.ListConsumerGroupOffsetsAsync([new ConsumerGroupTopicPartitions("readers", [partition])]);
            return Assert.Single(Assert.Single(all).Partitions).Offset.Value;
        }
    }

    // The topic is made by the first record, with the broker's number of partitions; all records go to partition 0.
    private void Produce(string topic, int records)
    {
        using IProducer<Null, string> producer = new ProducerBuilder<Null, string>(new ProducerConfig { BootstrapServers = _broker.Address }).Build();
        for (int i = 0; i < records; i++)
        {
            producer.Produce(new TopicPartition(topic, 0), new Message<Null, string> { Value = $"record {i}" });
        }
        Assert.Equal(0, producer.Flush(TimeSpan.FromMinutes(1)));
    }
}
