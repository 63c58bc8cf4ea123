using System.Text;
using LogPipeline.Client.Consuming;
using LogPipeline.Client.Metadata;
using LogPipeline.Client.Tests.Connections;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Compression;
using LogPipeline.Protocol.Messages;
using LogPipeline.Protocol.Records;
using LogPipeline.Protocol.Wire;
using LogPipeline.Testing.Time;

namespace LogPipeline.Client.Tests.Consuming;

/// <summary>A partition that cannot be read for a while, beside one that can.</summary>
public sealed class TroubledPartitionTests
{
    private readonly ManualTime _time = new();
    private readonly ScriptedBroker _broker = new();
    private ErrorCode _refusal = ErrorCode.None;

    public TroubledPartitionTests()
    {
        _broker.Lead("t", partitions: 2);
        _broker.On<ListOffsetsRequest, ListOffsetsResponse>(request => new ListOffsetsResponse
        {
            Topics = [new() { Name = "t", Partitions = [new() { PartitionIndex = request.Topics[0].Partitions[0].PartitionIndex, Offset = 0 }] }],
        });
        _broker.On<OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse>(request => new OffsetForLeaderEpochResponse
        {
            Topics = [new() { Name = "t", Partitions = [new() { Index = request.Topics[0].Partitions[0].Index, LeaderEpoch = 0, EndOffset = 1 }] }],
        });
        _broker.OnAsync<FetchRequest, FetchResponse>(FetchAsync, newest: 12);
    }

    [Theory]
    [InlineData(ErrorCode.TopicAuthorizationFailed)]
    [InlineData(ErrorCode.CorruptMessage)]
    public void A_refused_partition_is_told_by_a_poll_holds_up_no_other_and_is_read_when_it_may_be(ErrorCode refusal) => OneThread.Run(_time, async () =>
    {
        _refusal = refusal;
        await using ClusterClient cluster = NewCluster();
        await using Consumer consumer = NewConsumer(cluster);
        consumer.Seek(new TopicPartition("t", 0), 0);
        consumer.Seek(new TopicPartition("t", 1), 0);
        Assert.Equal("line of 1", await PollAsync(consumer));
        for (int poll = 0; poll < 2; poll++)
        {
            BrokerErrorException refused = await Assert.ThrowsAnyAsync<BrokerErrorException>(() => PollAsync(consumer));
            Assert.Equal(refusal, refused.Code);
        }
        _refusal = ErrorCode.None;
        Assert.Equal("line of 0", await PollAsync(consumer));
    });

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_partition_whose_leader_is_away_holds_up_no_other_while_its_position_is_looked_up(bool isSought) => OneThread.Run(_time, async () =>
    {
        _broker.LedBy("t", [2, 1]);
        _broker.DeadPort = 2;
        await using ClusterClient cluster = NewCluster();
        await using Consumer consumer = NewConsumer(cluster);
        for (int partition = 0; isSought && partition < 2; partition++)
        {
            consumer.Seek(new TopicPartition("t", partition), 0, leaderEpoch: 0);
        }
        DateTimeOffset begin = _time.GetUtcNow();
        Assert.Equal("line of 1", await PollAsync(consumer));
        Assert.True(_time.GetUtcNow() - begin < TimeSpan.FromSeconds(1), "the partition with a leader waited for the other");
        for (int poll = 0; poll < 2; poll++)
        {
            await Assert.ThrowsAnyAsync<IOException>(() => PollAsync(consumer));
        }
        Assert.True(_time.GetUtcNow() - begin >= 2 * cluster.Options.LookupTimeout, "a lookup ended early");
        _broker.DeadPort = 0;
        Assert.Equal("line of 0", await PollAsync(consumer));
    });

    [Fact]
    public void A_poll_that_is_cancelled_leaves_a_lookup_to_the_next_one() => OneThread.Run(_time, async () =>
    {
        _broker.LedBy("t", [2, 1]);
        _broker.DeadPort = 2;
        await using ClusterClient cluster = NewCluster();
        await using Consumer consumer = NewConsumer(cluster);
        Assert.Equal("line of 1", await PollAsync(consumer));
        using var stop = new CancellationTokenSource(TimeSpan.FromSeconds(3), _time);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => consumer.PollAsync(stop.Token).AsTask());
        _broker.DeadPort = 0;
        await Task.Delay(TimeSpan.FromSeconds(5), _time);
        Assert.Equal(0, consumer.Position(new TopicPartition("t", 0)));
    });

    private ClusterClient NewCluster() => new(new ClientOptions { Bootstrap = ["b:1"] }, _broker, _time, new Random(1));

    private Consumer NewConsumer(ClusterClient cluster)
    {
        var consumer = new Consumer(new ConsumerOptions { OffsetReset = OffsetReset.Earliest }, cluster, _time, new Random(2));
        consumer.Assign([new TopicPartition("t", 0), new TopicPartition("t", 1)]);
        return consumer;
    }

    private static async Task<string> PollAsync(Consumer consumer) =>
        Encoding.UTF8.GetString(Assert.Single(await consumer.PollAsync(CancellationToken.None)).Value!.Value.Span);

    private async Task<FetchResponse?> FetchAsync(FetchRequest request)
    {
        var answers = new List<FetchResponse.Response.Partition>();
        foreach (FetchRequest.Topic.Partition asked in request.Topics[0].Partitions)
        {
            var answer = new FetchResponse.Response.Partition { PartitionIndex = asked.Index, HighWatermark = 1, LogStartOffset = 0 };
            answer.ErrorCode = asked.Index == 0 ? _refusal : ErrorCode.None;
            if (answer.ErrorCode == ErrorCode.None && asked.FetchOffset == 0)
            {
                answer.Records = new RecordSet(Batch($"line of {asked.Index}"));
            }
            answers.Add(answer);
        }
        if (answers.TrueForAll(answer => answer is { ErrorCode: ErrorCode.None, Records.Length: 0 }))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(request.MaxWaitMs), _time);
        }
        return new FetchResponse { Responses = [new() { Topic = "t", Partitions = answers }] };
    }

    private static byte[] Batch(string line)
    {
        using var builder = new RecordBatchBuilder(CompressionCodec.None, 1024);
        builder.TryAppend(1, Encoding.UTF8.GetBytes(line));
        return builder.Build().ToArray();
    }
}
