using LogPipeline.Broker.Tests.Harness;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Compression;
using LogPipeline.Protocol.Messages;
using LogPipeline.Protocol.Records;
using LogPipeline.Testing.Files;

namespace LogPipeline.Broker.Tests.Maintenance;

/// <summary>A broker whose clock the tests move: what its rounds of maintenance remove, and what they leave.</summary>
public sealed class RetentionTests
{
    private const int Size = 600_000; // a segment of the least size holds one such record

    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    [Fact]
    public async Task Old_records_go_the_active_segment_too_and_readers_below_are_told()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreateTopicAsync("t", 1, 1, ("retention.ms", "3600000"), ("segment.bytes", "1048576"));
        await ProduceAsync(broker, client, "t", 3);
        await broker.MaintainAsync(Hour / 2);
        Assert.Equal(0, await StartAsync(client, "t"));
        await ProduceAsync(broker, client, "t", 1); // half an hour younger
        await broker.MaintainAsync(Hour / 2 + TimeSpan.FromMinutes(1));
        Assert.Equal(3, await StartAsync(client, "t"));
        Assert.Equal(ErrorCode.OffsetOutOfRange, (await client.FetchAsync(Ask.Fetch("t", 2))).Responses[0].Partitions[0].ErrorCode);
        Assert.Equal([3], (await client.FetchAsync(Ask.Fetch("t", 3))).Responses[0].Partitions[0].BaseOffsets());
        await broker.MaintainAsync(Hour);
        Assert.Equal(4, await StartAsync(client, "t"));
        Assert.Equal(0, broker.Core.Topics.Find("t")!.Partitions[0].Log!.SizeBytes);
        broker.Crash();
        client = broker.Connect();
        Assert.Equal(4, await StartAsync(client, "t"));
        Assert.Equal(4, (await client.ProduceAsync("t", Ask.Batch(1))).BaseOffset);
    }

    [Fact]
    public async Task Rounds_come_by_themselves()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreateTopicAsync("t", 1, 1, ("retention.ms", "3600000"));
        await ProduceAsync(broker, client, "t", 1);
        broker.Time.Advance(Hour + TimeSpan.FromMinutes(1));
        await broker.Time.RunAsync(UntilGoneAsync(), TimeSpan.FromSeconds(10));

        async Task<bool> UntilGoneAsync()
        {
            while (broker.Core.Topics.Find("t")!.Partitions[0].LogStartOffset == 0)
            {
                await Task.Yield();
            }
            return true;
        }
    }

    [Fact]
    public async Task What_is_beyond_retention_bytes_goes()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreateTopicAsync("t", 1, 1, ("retention.bytes", "1300000"), ("segment.bytes", "1048576"), ("retention.ms", "-1"));
        await ProduceAsync(broker, client, "t", 5);
        await broker.MaintainAsync(Hour);
        Assert.Equal(2, await StartAsync(client, "t")); // two would be too little
    }

    [Theory]
    [InlineData("retention.ms", "-1")]
    [InlineData("cleanup.policy", "compact")]
    public async Task What_must_stay_stays(string name, string value)
    {
        await using var broker = new TestBroker(("log.retention.ms", "1000"), ("log.retention.total.bytes", "2500000"));
        TestClient client = broker.Connect();
        await client.CreateTopicAsync("t", 1, 1, (name, value), ("segment.bytes", "1048576"));
        await ProduceAsync(broker, client, "t", 3);
        await client.SendAsync<FindCoordinatorRequest, FindCoordinatorResponse>(new() { Key = "g" }, 2);
        await broker.MaintainAsync(24 * Hour);
        Assert.Equal(0, await StartAsync(client, "t"));
    }

    [Fact]
    public async Task Committed_offsets_outlive_every_limit()
    {
        await using var broker = new TestBroker(("log.retention.ms", "1000"), ("log.retention.total.bytes", "0"), ("log.roll.ms", "1000"));
        TestClient client = broker.Connect();
        await client.CreatedAsync("t");
        await client.SendAsync<FindCoordinatorRequest, FindCoordinatorResponse>(new() { Key = "g" }, 2);
        OffsetCommitResponse committed = await client.SendAsync<OffsetCommitRequest, OffsetCommitResponse>(
            new() { GroupId = "g", GenerationIdOrMemberEpoch = -1, Topics = [new() { Name = "t", Partitions = [new() { CommittedOffset = 7 }] }] }, 2);
        Assert.Equal(ErrorCode.None, committed.Topics[0].Partitions[0].ErrorCode);
        await broker.MaintainAsync(24 * Hour);
        broker.Crash();
        OffsetFetchResponse fetched = await broker.Connect().SendAsync<OffsetFetchRequest, OffsetFetchResponse>(
            new() { GroupId = "g", Topics = [new() { Name = "t", PartitionIndexes = [0] }] }, 5);
        Assert.Equal(7, fetched.Topics[0].Partitions[0].CommittedOffset);
    }

    [Theory]
    [InlineData("record", 0)]
    [InlineData("arrival", 2)]
    public async Task A_record_of_the_far_future_keeps_its_segment_unless_arrival_counts(string clock, long start)
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreateTopicAsync("t", 1, 1, ("retention.ms", "3600000"), ("retention.clock", clock));
        await ProduceAsync(broker, client, "t", 1, ahead: 1000 * 24 * Hour);
        await ProduceAsync(broker, client, "t", 1);
        await broker.MaintainAsync(2 * Hour);
        Assert.Equal(start, await StartAsync(client, "t"));
    }

    [Fact]
    public async Task The_budget_takes_the_oldest_of_all_topics_and_says_so()
    {
        await using var broker = new TestBroker(("log.retention.total.bytes", "3100000"), ("log.segment.bytes", "1048576"));
        TestClient client = broker.Connect();
        await client.CreatedAsync("a");
        await client.CreatedAsync("b");
        await ProduceAsync(broker, client, "b", 1);
        await broker.MaintainAsync(Hour);
        await ProduceAsync(broker, client, "a", 2);
        await broker.MaintainAsync(Hour);
        await ProduceAsync(broker, client, "b", 3);
        await broker.MaintainAsync(Hour);
        // Six records have 3.6 MB; 2.79 MB may stay, which are four: the oldest of b and of a went.
        Assert.Equal((1, 1), (await StartAsync(client, "a"), await StartAsync(client, "b")));
        Assert.Equal(1, broker.Log.Count("a-0 begins at offset 1 now"));
        Assert.Equal(1, broker.Log.Count("b-0 begins at offset 1 now"));
    }

    [Fact]
    public async Task A_small_budget_rolls_the_active_segment_and_what_may_not_go_is_told()
    {
        await using var broker = new TestBroker(("log.retention.total.bytes", "1000000"));
        TestClient client = broker.Connect();
        await client.CreatedAsync("t");
        await client.CreateTopicAsync("compacted", 1, 1, ("cleanup.policy", "compact"));
        await ProduceAsync(broker, client, "t", 2);
        await broker.MaintainAsync(Hour);
        Assert.Equal(2, await StartAsync(client, "t"));
        Assert.Equal(0, broker.Log.Count("nothing more may go"));
        await ProduceAsync(broker, client, "compacted", 2);
        await broker.MaintainAsync(Hour);
        Assert.Equal(0, await StartAsync(client, "compacted"));
        Assert.Equal(1, broker.Log.Count("nothing more may go"));
    }

    [Fact]
    public async Task Settings_that_change_while_the_broker_runs_count_at_the_next_round()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreateTopicAsync("t", 1, 1, ("segment.bytes", "1048576"));
        await ProduceAsync(broker, client, "t", 3);
        await broker.MaintainAsync(Hour);
        Assert.Equal(0, await StartAsync(client, "t"));
        await client.ChangeAsync(Configs.TopicResource, "t", (Configs.Set, "retention.ms", "60000"));
        await broker.MaintainAsync(Hour);
        Assert.Equal(3, await StartAsync(client, "t"));
    }

    [Fact]
    public async Task A_round_over_idle_partitions_touches_no_file()
    {
        await using var broker = new TestBroker(("log.retention.total.bytes", "100000000"), ("log.reserved.bytes", "0"));
        TestClient client = broker.Connect();
        await client.CreateTopicAsync("t", 50, 1, ("segment.bytes", "1048576"));
        await ProduceAsync(broker, client, "t", 3);
        await broker.RestartAsync();
        await broker.MaintainAsync(Hour); // reads the largest timestamp of the first segment
        int calls = 0;
        broker.Files.Before = _ => Interlocked.Increment(ref calls);
        await broker.MaintainAsync(Hour);
        Assert.Equal(0, calls);
    }

    [Fact]
    public async Task A_disk_that_refuses_the_new_start_loses_nothing_and_the_next_round_goes_on()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreateTopicAsync("t", 1, 1, ("retention.ms", "1000"), ("segment.bytes", "1048576"));
        await ProduceAsync(broker, client, "t", 3);
        broker.Files.Before = static call =>
        {
            if (call.Path.Contains("log-start-offset-checkpoint", StringComparison.Ordinal))
            {
                throw new IOException("input/output error");
            }
        };
        await broker.MaintainAsync(Hour);
        Assert.Equal(0, await StartAsync(client, "t"));
        Assert.Equal(1, broker.Log.Count("stay: the disk refused"));
        broker.Files.Before = null;
        await broker.MaintainAsync(Hour);
        Assert.Equal(3, await StartAsync(client, "t"));
    }

    [Fact]
    public async Task A_fault_in_a_round_stops_the_broker_with_the_reason()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreateTopicAsync("t", 1, 1, ("retention.ms", "1000"));
        await ProduceAsync(broker, client, "t", 1);
        var died = new TaskCompletionSource<Exception>(TaskCreationOptions.RunContinuationsAsynchronously);
        broker.OnFatal = died.SetResult;
        broker.Files.Before = static call =>
        {
            if (call.Path.Contains("log-start-offset-checkpoint", StringComparison.Ordinal))
            {
                throw new InvalidOperationException("a fault");
            }
        };
        broker.Time.Advance(Hour);
        Assert.Equal("a fault", (await died.Task).Message);
        broker.Files.Before = null;
    }

    [Fact]
    public async Task A_full_disk_refuses_producers_until_retention_has_made_room()
    {
        await using var broker = new TestBroker(("log.retention.ms", "3600000"), ("log.segment.bytes", "1048576"), ("log.reserved.bytes", "2000000"));
        TestClient client = broker.Connect();
        await client.CreatedAsync("t");
        await ProduceAsync(broker, client, "t", 3);
        broker.Disk.Capacity = broker.Disk.UsedBytes + 2_100_000;
        long end = 3;
        while ((await client.ProduceAsync("t", Ask.Batch(1, size: 50_000))).ErrorCode == ErrorCode.None)
        {
            end++;
        }
        Assert.True(broker.Disk.Capacity - broker.Disk.UsedBytes > 900_000); // refused long before the disk is full
        Assert.Equal([0], (await client.FetchAsync(Ask.Fetch("t", 0))).Responses[0].Partitions[0].BaseOffsets().Take(1));
        await broker.MaintainAsync(2 * Hour);
        Assert.Equal(end, await StartAsync(client, "t"));
        Assert.Equal(end, (await client.ProduceAsync("t", Ask.Batch(1, size: 1000))).BaseOffset);
    }

    [Fact]
    public async Task Partitions_for_which_there_was_no_handle_are_served_once_there_is_one()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreatedAsync("t", 2);
        await client.ProduceAsync("t", Ask.Batch(2), 1);
        broker.BeforeFiles = static call =>
        {
            if (call.Operation == FileOperation.Open && call.Path.Contains("/t-1/0", StringComparison.Ordinal))
            {
                throw new IOException("too many open files", hresult: 24);
            }
        };
        await broker.RestartAsync();
        client = broker.Connect();
        Assert.Equal(ErrorCode.KafkaStorageError, (await client.ProduceAsync("t", Ask.Batch(1), 1)).ErrorCode);
        broker.Files.Before = null;
        await broker.MaintainAsync(Hour);
        Assert.Equal(2, (await client.ProduceAsync("t", Ask.Batch(1), 1)).BaseOffset);
        broker.BeforeFiles = null;
        broker.Crash();
        Assert.Equal(3, (await broker.Connect().ProduceAsync("t", Ask.Batch(1), 1)).BaseOffset);
    }

    // Records of the present, one a batch; some time ahead of it if said so.
    private static async Task ProduceAsync(TestBroker broker, TestClient client, string topic, int batches, TimeSpan ahead = default)
    {
        for (int i = 0; i < batches; i++)
        {
            using var builder = new RecordBatchBuilder(CompressionCodec.None, 1 << 20);
            long time = (broker.Time.GetUtcNow() + ahead).ToUnixTimeMilliseconds();
            builder.TryAppend(time, true, "k"u8, true, new byte[Size - 1], 0, default);
            Assert.Equal(ErrorCode.None, (await client.ProduceAsync(topic, builder.Build().ToArray())).ErrorCode);
        }
    }

    private static async Task<long> StartAsync(TestClient client, string topic)
    {
        ListOffsetsResponse start = await client.SendAsync<ListOffsetsRequest, ListOffsetsResponse>(
            new() { Topics = [new() { Name = topic, Partitions = [new() { Timestamp = -2 }] }] });
        return start.Topics[0].Partitions[0].Offset;
    }
}
