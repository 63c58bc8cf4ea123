using System.Text;
using LogPipeline.Client.Metadata;
using LogPipeline.Client.Producing;
using LogPipeline.Client.Tests.Connections;
using LogPipeline.Protocol.Messages;
using LogPipeline.Testing.Time;

namespace LogPipeline.Client.Tests.Producing;

/// <summary>A partition that nobody leads, or whose leader does not answer, beside one whose leader does.</summary>
public sealed class LeaderlessPartitionTests
{
    private readonly ManualTime _time = new();
    private readonly ScriptedBroker _broker = new() { DeadPort = 2 };

    public LeaderlessPartitionTests()
    {
        _broker.On<InitProducerIdRequest, InitProducerIdResponse>(_ => new InitProducerIdResponse { ProducerId = 7, ProducerEpoch = 0 });
        _broker.On<ProduceRequest, ProduceResponse>(
            request => new ProduceResponse
            {
                Responses =
                [
                    .. request.TopicData.Select(topic => new ProduceResponse.Response
                    {
                        Name = topic.Name,
                        PartitionResponses = [.. topic.PartitionData.Select(partition => new ProduceResponse.Response.PartitionResponse { Index = partition.Index })],
                    }),
                ],
            },
            newest: 9);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(2)]
    public void It_holds_up_no_other_and_its_leader_is_asked_for_now_and_then(int leader) => OneThread.Run(_time, async () =>
    {
        _broker.LedBy("t", [leader, 1], _time);
        await using var cluster = new ClusterClient(new ClientOptions { Bootstrap = ["b:1"] }, _broker, _time, new Random(1));
        await using var producer = new Producer(new ProducerOptions { DeliveryTimeout = TimeSpan.FromSeconds(10) }, cluster, _time, new Random(2));
        Task<DeliveryResult> stuck = producer.SendAsync(Record(0), CancellationToken.None);
        DateTimeOffset begin = _time.GetUtcNow();
        await producer.SendAsync(Record(1), CancellationToken.None);
        Assert.True(_time.GetUtcNow() - begin < TimeSpan.FromSeconds(1), "the partition with a leader waited for the other");
        await Assert.ThrowsAsync<DeliveryTimeoutException>(() => stuck);
        // In ten seconds, a tenth to a fifth of a second apart.
        Assert.InRange(_broker.MetadataAsked, 2, 110);
    });

    [Fact]
    public void It_is_sent_to_once_it_has_a_leader() => OneThread.Run(_time, async () =>
    {
        int[] leaders = [-1, 1];
        _broker.LedBy("t", leaders, _time);
        await using var cluster = new ClusterClient(new ClientOptions { Bootstrap = ["b:1"] }, _broker, _time, new Random(1));
        await using var producer = new Producer(new ProducerOptions(), cluster, _time, new Random(2));
        Task<DeliveryResult> waiting = producer.SendAsync(Record(0), CancellationToken.None);
        await Task.Delay(TimeSpan.FromSeconds(3), _time);
        Assert.False(waiting.IsCompleted);
        leaders[0] = 1;
        DateTimeOffset begin = _time.GetUtcNow();
        await waiting;
        Assert.True(_time.GetUtcNow() - begin < TimeSpan.FromSeconds(1));
    });

    private static ProducerRecord Record(int partition) => new() { Topic = "t", Partition = partition, Value = Encoding.UTF8.GetBytes("x") };
}
