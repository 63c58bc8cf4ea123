using System.Threading.Channels;
using Confluent.Kafka;
using Confluent.Kafka.Admin;

namespace LogPipeline.Interop.Librdkafka;

/// <summary>A consumer group of librdkafka with the assignor <c>cooperative-sticky</c>: a rebalance takes away only what moves.</summary>
public sealed class CooperativeGroupTests(BrokerFixture broker) : IClassFixture<BrokerFixture>
{
    private const string Topic = "shared_by_two";
    private const int PartitionCount = 4;
    private const int RecordsEach = 500;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly Channel<MemberEvent> _events = Channel.CreateUnbounded<MemberEvent>();
    private readonly Dictionary<string, HashSet<int>> _owned = new() { ["a"] = [], ["b"] = [] };
    private readonly Dictionary<string, int> _lost = new() { ["a"] = 0, ["b"] = 0 };
    private readonly List<string> _read = [];

    [Fact]
    public async Task A_second_member_takes_half_the_first_keeps_the_rest_and_every_record_is_read_once()
    {
        using IAdminClient admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = broker.Address }).Build();
        await admin.CreateTopicsAsync([new TopicSpecification { Name = Topic, NumPartitions = PartitionCount }]);
        using IProducer<Null, string> producer = new ProducerBuilder<Null, string>(new ProducerConfig { BootstrapServers = broker.Address }).Build();
        Produce(producer, "first");
        await using var a = new PolledMember(broker.Address, "cooperative", Topic, "a", _events.Writer);
        await UntilAsync(() => _owned["a"].Count == PartitionCount && _read.Count == PartitionCount * RecordsEach);

        var b = new PolledMember(broker.Address, "cooperative", Topic, "b", _events.Writer);
        await using (b)
        {
            Produce(producer, "second");
            await UntilAsync(() => _owned["b"].Count == PartitionCount / 2 && _read.Count == 2 * PartitionCount * RecordsEach);
            Assert.Equal((PartitionCount / 2, PartitionCount / 2), (_owned["a"].Count, _lost["a"]));
            DescribeConsumerGroupsResult described = await admin.DescribeConsumerGroupsAsync(["cooperative"]);
            ConsumerGroupDescription group = Assert.Single(described.ConsumerGroupDescriptions);
            Assert.Equal((ConsumerGroupState.Stable, "cooperative-sticky"), (group.State, group.PartitionAssignor));
            Assert.Equal(["a", "b"], group.Members.Select(member => member.ClientId).Order());
        }
        Produce(producer, "third");
        await UntilAsync(() => _owned["a"].Count == PartitionCount && _read.Count == 3 * PartitionCount * RecordsEach);
        Assert.Equal(_read.Count, _read.Distinct().Count());
    }

    private static void Produce(IProducer<Null, string> producer, string round)
    {
        for (int partition = 0; partition < PartitionCount; partition++)
        {
            for (int i = 0; i < RecordsEach; i++)
            {
                producer.Produce(new TopicPartition(Topic, partition), new Message<Null, string> { Value = $"{round} {partition} {i}" });
            }
        }
        Assert.Equal(0, producer.Flush(Patience));
    }

    private async Task UntilAsync(Func<bool> isReached)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (!isReached())
        {
            MemberEvent happened = await _events.Reader.ReadAsync(patience.Token);
            switch (happened.Kind)
            {
                case MemberEventKind.Assigned:
                    _owned[happened.Member].UnionWith(happened.Partitions);
                    break;
                case MemberEventKind.Revoked:
                    _owned[happened.Member].ExceptWith(happened.Partitions);
                    _lost[happened.Member] += happened.Partitions.Length;
                    break;
                default:
                    _read.Add(happened.Value!);
                    break;
            }
        }
    }
}
