using System.Text;
using LogPipeline.Client.Admin;
using LogPipeline.Client.Connections;
using LogPipeline.Client.Consuming;
using LogPipeline.Client.Metadata;
using LogPipeline.Client.Producing;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Compression;

namespace LogPipeline.Client.Tests.Interop;

/// <summary>What the client must do with any broker; each version of Apache Kafka runs all of it.</summary>
public abstract class ClusterTests(string bootstrap) : IAsyncLifetime, IAsyncDisposable
{
    private readonly CancellationTokenSource _late = new(TimeSpan.FromSeconds(90));
    private readonly ClusterClient _cluster = new(
        new ClientOptions { Bootstrap = [bootstrap.Length > 0 ? bootstrap : "127.0.0.1:9"], LookupTimeout = TimeSpan.FromSeconds(60) },
        new TcpConnector(), TimeProvider.System, new Random(1));
    private readonly string _topic = $"t-{Path.GetRandomFileName()}";

    private CancellationToken Ct => _late.Token;

    public Task InitializeAsync() => Task.CompletedTask;

    Task IAsyncLifetime.DisposeAsync() => Task.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await _cluster.DisposeAsync();
        _late.Dispose();
        GC.SuppressFinalize(this);
    }

    [KafkaFact]
    public async Task Records_come_back_as_they_were_sent()
    {
        await CreateAsync(3);
        await using Producer producer = NewProducer(new ProducerOptions());
        List<Task<DeliveryResult>> sent = [];
        for (int i = 0; i < 1000; i++)
        {
            sent.Add(producer.SendAsync(Record($"v{i}") with { Key = Bytes($"k{i % 50}"), Headers = [new("h", Bytes("x")), new("n", null)] }, Ct));
        }
        DeliveryResult[] results = await Task.WhenAll(sent);
        Assert.All(results, r => Assert.True(r.Offset >= 0));
        await using Consumer consumer = NewConsumer(new ConsumerOptions { OffsetReset = OffsetReset.Earliest });
        consumer.Assign([new(_topic, 0), new(_topic, 1), new(_topic, 2)]);
        List<ConsumedRecord> got = await TakeAsync(consumer, 1000);
        for (int i = 0; i < 1000; i++)
        {
            ConsumedRecord record = got.Single(r => r.Partition == results[i].Partition && r.Offset == results[i].Offset);
            Assert.Equal($"v{i}", Text(record.Value));
            Assert.Equal($"k{i % 50}", Text(record.Key));
            Assert.Equal(2, record.HeaderCount);
            Assert.Equal(Murmur2.Partition(record.Key!.Value.Span, 3), record.Partition.Partition);
        }
        Assert.Equal(0, consumer.Lag(new(_topic, 0)));
    }

    [KafkaFact]
    public async Task Every_codec_and_acknowledgement_delivers()
    {
        await CreateAsync(1);
        int total = 0;
        foreach (CompressionCodec codec in Enum.GetValues<CompressionCodec>())
        {
            foreach (Acks acks in new[] { Acks.All, Acks.Leader, Acks.None })
            {
                await using Producer producer = NewProducer(new ProducerOptions { Compression = codec, Acks = acks, Idempotent = acks == Acks.All });
                for (int i = 0; i < 100; i++)
                {
                    await producer.PostAsync(Record(new string('x', 500) + i), null, Ct);
                    total++;
                }
            }
        }
        await using Consumer consumer = NewConsumer(new ConsumerOptions { OffsetReset = OffsetReset.Earliest });
        consumer.Assign([new(_topic, 0)]);
        Assert.Equal(total, (await TakeAsync(consumer, total)).Count);
    }

    [KafkaFact]
    public async Task A_small_buffer_makes_senders_wait_and_keeps_order()
    {
        await CreateAsync(1);
        await using (Producer producer = NewProducer(new ProducerOptions { BufferBytes = 8192, BatchBytes = 2048, Linger = TimeSpan.Zero }))
        {
            for (int i = 0; i < 5000; i++)
            {
                await producer.PostAsync(Record($"{i}"), null, Ct);
            }
        }
        await using Consumer consumer = NewConsumer(new ConsumerOptions { OffsetReset = OffsetReset.Earliest });
        consumer.Assign([new(_topic, 0)]);
        List<ConsumedRecord> got = await TakeAsync(consumer, 5000);
        Assert.Equal(Enumerable.Range(0, 5000).Select(i => $"{i}"), got.Select(r => Text(r.Value)));
    }

    [KafkaFact]
    public async Task Members_share_a_topic_and_a_leaver_hands_over()
    {
        await CreateAsync(4);
        foreach (AssignmentStrategy strategy in Enum.GetValues<AssignmentStrategy>())
        {
            string group = $"g-{strategy}-{_topic}";
            var first = new Member(NewConsumer(Grouped(group, strategy)), _topic);
            await first.UntilAsync(p => p.Count == 4, Ct);
            var second = new Member(NewConsumer(Grouped(group, strategy)), _topic);
            await Task.WhenAll(first.UntilAsync(p => p.Count == 2, Ct), second.UntilAsync(p => p.Count == 2, Ct));
            Assert.Empty(first.Owned.Intersect(second.Owned));
            GroupDescription described = await new AdminClient(_cluster).DescribeGroupAsync(group, Ct);
            Assert.Equal(2, described.Members.Count);
            Assert.All(described.Members, m => Assert.Equal(2, m.Assignment.Count));
            await first.DisposeAsync();
            await second.UntilAsync(p => p.Count == 4, Ct);
            await second.DisposeAsync();
        }
    }

    [KafkaFact]
    public async Task A_group_resumes_at_its_commit()
    {
        await CreateAsync(1);
        await using (Producer producer = NewProducer(new ProducerOptions()))
        {
            for (int i = 0; i < 10; i++)
            {
                await producer.PostAsync(Record($"{i}"), null, Ct);
            }
        }
        var options = new ConsumerOptions { Group = $"g-{_topic}", OffsetReset = OffsetReset.Earliest };
        await using (Consumer consumer = NewConsumer(options))
        {
            consumer.Subscribe([_topic]);
            await foreach (ConsumedRecord record in consumer.ConsumeAsync(Ct))
            {
                if (record.Offset == 4)
                {
                    break;
                }
            }
            Assert.Equal(5, consumer.Position(new(_topic, 0)));
            await consumer.CommitAsync(Ct);
        }
        await using (Consumer consumer = NewConsumer(options))
        {
            consumer.Subscribe([_topic]);
            List<ConsumedRecord> rest = await TakeAsync(consumer, 5);
            Assert.Equal([5L, 6, 7, 8, 9], rest.Select(r => r.Offset));
        }
        IReadOnlyList<KeyValuePair<TopicPartition, CommitPoint>> offsets = await new AdminClient(_cluster).GroupOffsetsAsync(options.Group, Ct);
        Assert.Equal(5, Assert.Single(offsets).Value.Offset);
    }

    [KafkaFact]
    public async Task Positions_move_by_seek_time_pause_and_policy()
    {
        await CreateAsync(1);
        var partition = new TopicPartition(_topic, 0);
        DateTimeOffset begin = DateTimeOffset.UtcNow.AddHours(-1);
        await using (Producer producer = NewProducer(new ProducerOptions()))
        {
            for (int i = 0; i < 10; i++)
            {
                await producer.SendAsync(Record($"{i}") with { Timestamp = begin.AddMinutes(i) }, Ct);
            }
        }
        await using Consumer consumer = NewConsumer(new ConsumerOptions { OffsetReset = OffsetReset.None });
        consumer.Assign([partition]);
        await consumer.SeekToTimeAsync(partition, begin.AddMinutes(6.5), Ct);
        Assert.Equal([7L, 8, 9], (await TakeAsync(consumer, 3)).Select(r => r.Offset));
        consumer.Seek(partition, 2);
        Assert.Equal(2, (await consumer.PollAsync(Ct))[0].Offset);
        consumer.Seek(partition, 1000);
        PositionOutOfRangeException outside = await Assert.ThrowsAsync<PositionOutOfRangeException>(() => consumer.PollAsync(Ct).AsTask());
        Assert.Equal((0, 10), (outside.LogStartOffset, outside.HighWatermark));
        consumer.Seek(partition, 0);
        consumer.Pause(partition);
        using var soon = new CancellationTokenSource(TimeSpan.FromMilliseconds(700));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => consumer.PollAsync(soon.Token).AsTask());
        consumer.Resume(partition);
        using FetchedBatches batches = await consumer.PollBatchesAsync(Ct);
        Assert.Equal(0, batches.Partitions[0].FetchOffset);
        EpochEnd end = await consumer.OffsetForLeaderEpochAsync(partition, 0, Ct);
        Assert.Equal(10, end.EndOffset);
    }

    [KafkaFact]
    public async Task Administration_answers()
    {
        var admin = new AdminClient(_cluster);
        Assert.Equal(ErrorCode.None, (await admin.CreateTopicsAsync([new NewTopic(_topic, 2, 1, [new("retention.ms", "1234567")])], Ct))[0].Error);
        Assert.Equal(ErrorCode.TopicAlreadyExists, (await admin.CreateTopicsAsync([new NewTopic(_topic)], Ct))[0].Error);
        await UntilAsync(admin, exists: true);
        Assert.Equal(2, (await admin.DescribeTopicAsync(_topic, Ct)).Partitions.Count);
        Assert.Contains(await admin.ListTopicsAsync(Ct), t => t.Name == _topic);
        Assert.Equal("1234567", (await admin.DescribeConfigsAsync(ConfigResourceType.Topic, _topic, Ct)).Single(c => c.Name == "retention.ms").Value);
        Assert.NotEmpty((await admin.DescribeClusterAsync(Ct)).ClusterId);
        await using (Producer producer = NewProducer(new ProducerOptions()))
        {
            await producer.SendAsync(Record("x") with { Partition = 1 }, Ct);
        }
        Assert.Equal(1, (await admin.OffsetAsync(new(_topic, 1), OffsetSpec.Latest, Ct)).Offset);
        Assert.Equal(0, (await admin.OffsetAsync(new(_topic, 1), OffsetSpec.MaxTimestamp, Ct)).Offset);
        Assert.Equal(0, Assert.Single(await admin.DescribeProducersAsync(new(_topic, 1), Ct)).LastSequence);
        Assert.Equal(ErrorCode.None, (await admin.DeleteTopicsAsync([_topic], Ct))[0].Error);
        await UntilAsync(admin, exists: false);
        await Assert.ThrowsAsync<BrokerErrorException>(() => admin.DescribeTopicAsync(_topic, Ct).AsTask());
    }

    [KafkaFact]
    public async Task A_static_member_returns_without_a_rebalance()
    {
        await CreateAsync(2);
        ConsumerOptions options = Grouped($"g-{_topic}", AssignmentStrategy.CooperativeSticky) with { InstanceId = "one" };
        var other = new Member(NewConsumer(options with { InstanceId = "two" }), _topic);
        var member = new Member(NewConsumer(options), _topic);
        await Task.WhenAll(member.UntilAsync(p => p.Count == 1, Ct), other.UntilAsync(p => p.Count == 1, Ct));
        IReadOnlyList<TopicPartition> owned = member.Owned;
        int rebalances = other.Changes;
        await member.DisposeAsync();
        member = new Member(NewConsumer(options), _topic);
        await member.UntilAsync(p => p.Count == 1, Ct);
        Assert.Equal(owned, member.Owned);
        Assert.Equal(rebalances, other.Changes);
        await member.DisposeAsync();
        await other.DisposeAsync();
    }

    private static ConsumerOptions Grouped(string group, AssignmentStrategy strategy) => new()
    {
        Group = group,
        Assignments = [strategy],
        OffsetReset = OffsetReset.Earliest,
        HeartbeatInterval = TimeSpan.FromMilliseconds(200),
        SessionTimeout = TimeSpan.FromSeconds(10),
        PollIntervalMax = TimeSpan.FromSeconds(20),
    };

    /// <summary>
    /// Returns once the broker lists the topic, or no longer does. Apache Kafka acknowledges a topic's creation or
    /// deletion when its controller has committed it (KIP-500); each broker follows the controller's log a little later.
    /// </summary>
    private async Task UntilAsync(AdminClient admin, bool exists)
    {
        while ((await admin.ListTopicsAsync(Ct)).Any(t => t.Name == _topic) != exists)
        {
            await Task.Delay(20, Ct);
        }
    }

    private async Task CreateAsync(int partitions)
    {
        IReadOnlyList<Outcome> outcome = await new AdminClient(_cluster).CreateTopicsAsync([new NewTopic(_topic, partitions, 1)], Ct);
        Assert.Equal(ErrorCode.None, outcome[0].Error);
    }

    private Producer NewProducer(ProducerOptions options) => new(options, _cluster, TimeProvider.System, new Random(2));

    private Consumer NewConsumer(ConsumerOptions options) => new(options, _cluster, TimeProvider.System, new Random(3));

    private ProducerRecord Record(string value) => new() { Topic = _topic, Value = Bytes(value) };

    private async Task<List<ConsumedRecord>> TakeAsync(Consumer consumer, int count)
    {
        List<ConsumedRecord> records = [];
        while (records.Count < count)
        {
            records.AddRange(await consumer.PollAsync(Ct));
        }
        return records;
    }

    private static ReadOnlyMemory<byte> Bytes(string text) => Encoding.UTF8.GetBytes(text);

    private static string Text(ReadOnlyMemory<byte>? bytes) => Encoding.UTF8.GetString(bytes!.Value.Span);
}

public sealed class Kafka42Tests(Kafka42 kafka) : ClusterTests(kafka.Peer.Bootstrap), IClassFixture<Kafka42>;

public sealed class Kafka39Tests(Kafka39 kafka) : ClusterTests(kafka.Peer.Bootstrap), IClassFixture<Kafka39>;
