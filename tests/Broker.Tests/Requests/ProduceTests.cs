using LogPipeline.Broker.Tests.Harness;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;
using LogPipeline.Protocol.Records;

namespace LogPipeline.Broker.Tests.Requests;

public sealed class ProduceTests
{
    [Fact]
    public async Task Errors_are_told_per_partition_and_the_others_succeed()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreatedAsync("t");
        ProduceRequest request = Ask.Produce("t", Ask.Batch(2));
        request.TopicData[0].PartitionData.Add(new() { Index = 7, Records = new(Ask.Batch(1)) });
        request.TopicData.Add(new() { Name = "nowhere", PartitionData = [new() { Records = new(Ask.Batch(1)) }] });
        ProduceResponse response = await client.SendAsync<ProduceRequest, ProduceResponse>(request, 9);
        Assert.Equal(
            [ErrorCode.None, ErrorCode.UnknownTopicOrPartition, ErrorCode.UnknownTopicOrPartition],
            response.Responses.SelectMany(topic => topic.PartitionResponses).Select(partition => partition.ErrorCode));
        Assert.Equal([0, -1], response.Responses[0].PartitionResponses.Select(partition => partition.BaseOffset));
    }

    [Fact]
    public async Task Batches_that_are_none_are_refused()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreatedAsync("t");
        byte[] batch = Ask.Batch(1);
        Assert.Equal(ErrorCode.InvalidRecord, (await client.ProduceAsync("t", [.. batch, .. batch])).ErrorCode);
        Assert.Equal(ErrorCode.InvalidRecord, (await client.ProduceAsync("t", batch[..30])).ErrorCode);
        Assert.Equal(ErrorCode.CorruptMessage, (await client.ProduceAsync("t", [.. batch[..^1], 0x55])).ErrorCode);
        Assert.Equal(ErrorCode.MessageTooLarge, (await client.ProduceAsync("t", Ask.Batch(1, size: 2_000_000))).ErrorCode);
        Assert.Equal(ErrorCode.InvalidRequiredAcks, (await client.ProduceAsync("t", batch, acks: 2)).ErrorCode);
        Assert.Equal(0, (await client.ProduceAsync("t", batch)).BaseOffset);
    }

    [Fact]
    public async Task Internal_topics_are_not_written_by_clients()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.SendAsync<FindCoordinatorRequest, FindCoordinatorResponse>(new() { CoordinatorKeys = ["g"] });
        Assert.Equal(ErrorCode.InvalidTopicException, (await client.ProduceAsync("__consumer_offsets", Ask.Batch(1))).ErrorCode);
    }

    [Fact]
    public async Task A_request_without_acks_is_not_answered_and_its_error_closes_the_connection()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreatedAsync("t");
        client.Post<ProduceRequest, ProduceResponse>(Ask.Produce("t", Ask.Batch(1), acks: 0), 9);
        Assert.Equal(1, (await client.ProduceAsync("t", Ask.Batch(1))).BaseOffset);
        client.Post<ProduceRequest, ProduceResponse>(Ask.Produce("nowhere", Ask.Batch(1), acks: 0), 9);
        await client.ClosedAsync();
    }

    [Fact]
    public async Task Topic_ids_stand_for_names_from_version_13()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        CreateTopicsResponse.Topic made = await client.CreateTopicAsync("t");
        ProduceRequest request = Ask.Produce("", Ask.Batch(1));
        request.TopicData[0].TopicId = made.TopicId;
        Assert.Equal(ErrorCode.None, (await client.SendAsync<ProduceRequest, ProduceResponse>(request, 13)).Responses[0].PartitionResponses[0].ErrorCode);
        request.TopicData[0].TopicId = Guid.Parse("00000000-0000-0000-0000-000000000009");
        Assert.Equal(ErrorCode.UnknownTopicId, (await client.SendAsync<ProduceRequest, ProduceResponse>(request, 13)).Responses[0].PartitionResponses[0].ErrorCode);
    }

    [Fact]
    public async Task An_idempotent_producers_repeats_get_their_old_offset_before_and_after_a_power_cut()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreatedAsync("t");
        InitProducerIdResponse producer = await client.SendAsync<InitProducerIdRequest, InitProducerIdResponse>(new());
        Assert.Equal((ErrorCode.None, (short)0), (producer.ErrorCode, producer.ProducerEpoch));
        for (int i = 0; i < 8; i++)
        {
            Assert.Equal(i * 5, (await SendAsync(i)).BaseOffset);
        }
        await RepeatsAsync();
        broker.Crash();
        client = broker.Connect();
        await RepeatsAsync();
        InitProducerIdResponse another = await client.SendAsync<InitProducerIdRequest, InitProducerIdResponse>(new());
        Assert.True(another.ProducerId > producer.ProducerId);
        DescribeProducersResponse described = await client.SendAsync<DescribeProducersRequest, DescribeProducersResponse>(
            new() { Topics = [new() { Name = "t", PartitionIndexes = [0] }] });
        DescribeProducersResponse.Topic.Partition.ActiveProducer known = Assert.Single(described.Topics[0].Partitions[0].ActiveProducers);
        Assert.Equal((producer.ProducerId, 0, 39), (known.ProducerId, known.ProducerEpoch, known.LastSequence));

        Task<ProduceResponse.Response.PartitionResponse> SendAsync(int number, short epoch = 0) =>
            client.ProduceAsync("t", Ask.Batch(5, producer.ProducerId, epoch, number * 5));

        async Task RepeatsAsync()
        {
            for (int i = 7; i > 2; i--)
            {
                ProduceResponse.Response.PartitionResponse repeat = await SendAsync(i);
                Assert.Equal((ErrorCode.None, i * 5L), (repeat.ErrorCode, repeat.BaseOffset));
            }
            Assert.Equal(ErrorCode.DuplicateSequenceNumber, (await SendAsync(0)).ErrorCode);
            Assert.Equal(ErrorCode.OutOfOrderSequenceNumber, (await SendAsync(9)).ErrorCode);
        }
    }

    [Theory]
    [InlineData(9, false, ErrorCode.UnknownTopicOrPartition)]
    [InlineData(13, false, ErrorCode.UnknownTopicId)]
    [InlineData(13, true, ErrorCode.UnknownTopicId)]
    public async Task A_batch_under_way_when_its_topic_is_deleted_is_told_so(short version, bool isRefused, ErrorCode error)
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        CreateTopicsResponse.Topic made = await client.CreateTopicAsync("t");
        var begun = new TaskCompletionSource();
        var flush = new TaskCompletionSource();
        broker.Files.FlushDelay = _ =>
        {
            begun.TrySetResult();
            return flush.Task;
        };
        ProduceRequest request = Ask.Produce("t", Ask.Batch(1));
        request.TopicData[0].TopicId = made.TopicId;
        Task<ProduceResponse> sent = client.SendAsync<ProduceRequest, ProduceResponse>(request, version);
        await begun.Task;
        broker.Files.Before = isRefused ? _ => throw new IOException("No space left on device") : null;
        await broker.Connect().SendAsync<DeleteTopicsRequest, DeleteTopicsResponse>(new() { TopicNames = ["t"] }, 5);
        broker.Files.Before = null;
        flush.SetResult();
        ProduceResponse.Response.PartitionResponse answer = (await sent).Responses[0].PartitionResponses[0];
        Assert.Equal((error, -1), (answer.ErrorCode, answer.BaseOffset));
    }

    [Fact]
    public async Task Transactions_are_refused_clearly()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        Assert.Equal(ErrorCode.InvalidRequest, (await client.SendAsync<InitProducerIdRequest, InitProducerIdResponse>(new() { TransactionalId = "tx" })).ErrorCode);
        FindCoordinatorResponse found = await client.SendAsync<FindCoordinatorRequest, FindCoordinatorResponse>(new() { Key = "tx", KeyType = 1 }, 2);
        Assert.Equal((ErrorCode.InvalidRequest, "Transactions are not served."), (found.ErrorCode, found.ErrorMessage));
    }

    [Fact]
    public async Task The_brokers_time_is_answered_where_records_get_it_and_a_repeat_is_told_the_first_one()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        Assert.Equal(ErrorCode.None, (await client.CreateTopicAsync("t", 1, 1, ("message.timestamp.type", "LogAppendTime"))).ErrorCode);
        long appended = broker.Time.GetUtcNow().ToUnixTimeMilliseconds();
        Assert.Equal(appended, (await client.ProduceAsync("t", Ask.Batch(2, producerId: 5, epoch: 0, sequence: 0))).LogAppendTimeMs);
        broker.Time.Advance(TimeSpan.FromMilliseconds(7));
        Assert.Equal(appended, (await client.ProduceAsync("t", Ask.Batch(2, producerId: 5, epoch: 0, sequence: 0))).LogAppendTimeMs);
        Assert.Equal(ErrorCode.None, (await client.ChangeAsync(Configs.TopicResource, "t", (Configs.Delete, "message.timestamp.type", null))).Error);
        Assert.Equal(-1, (await client.ProduceAsync("t", Ask.Batch(2))).LogAppendTimeMs);
        FetchResponse fetched = await client.FetchAsync(Ask.Fetch("t", 0));
        Assert.True(BatchHeader.TryParse(fetched.Responses[0].Partitions[0].Records.Memory.Span, out BatchHeader header));
        Assert.Equal((true, appended), (header.IsLogAppendTime, header.MaxTimestamp));
    }

    [Fact]
    public async Task The_brokers_default_decides_whose_time_counts()
    {
        await using var broker = new TestBroker(("log.message.timestamp.type", "LogAppendTime"));
        TestClient client = broker.Connect();
        await client.CreatedAsync("t");
        Assert.Equal(broker.Time.GetUtcNow().ToUnixTimeMilliseconds(), (await client.ProduceAsync("t", Ask.Batch(1))).LogAppendTimeMs);
    }
}
