using LogPipeline.Broker.Tests.Harness;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;

namespace LogPipeline.Broker.Tests.Requests;

public sealed class FetchTests
{
    [Fact]
    public async Task What_was_produced_is_fetched_as_the_same_bytes_but_for_offset_and_epoch()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreatedAsync("t");
        byte[] batch = Ask.Batch(3, size: 20_000);
        await client.ProduceAsync("t", batch);
        await client.ProduceAsync("t", Ask.Batch(2));
        FetchResponse.Response.Partition read = (await client.FetchAsync(Ask.Fetch("t", 1))).Responses[0].Partitions[0];
        Assert.Equal([0, 3], read.BaseOffsets());
        Assert.Equal((ErrorCode.None, 5, 5, 0), (read.ErrorCode, read.HighWatermark, read.LastStableOffset, read.LogStartOffset));
        Assert.True(read.Records.Memory.Span[16..batch.Length].SequenceEqual(batch.AsSpan(16)));
    }

    [Fact]
    public async Task The_end_is_empty_and_beyond_it_is_out_of_range()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreatedAsync("t");
        await client.ProduceAsync("t", Ask.Batch(2));
        FetchResponse.Response.Partition end = (await client.FetchAsync(Ask.Fetch("t", 2))).Responses[0].Partitions[0];
        Assert.Equal((ErrorCode.None, 0), (end.ErrorCode, end.Records.Length));
        FetchResponse.Response.Partition beyond = (await client.FetchAsync(Ask.Fetch("t", 3, maxWaitMs: 60_000))).Responses[0].Partitions[0];
        Assert.Equal((ErrorCode.OffsetOutOfRange, -1), (beyond.ErrorCode, beyond.HighWatermark));
        Assert.Equal(ErrorCode.UnknownTopicOrPartition, (await client.FetchAsync(Ask.Fetch("nowhere", 0, 60_000))).Responses[0].Partitions[0].ErrorCode);
    }

    [Fact]
    public async Task A_long_poll_ends_with_data_or_with_its_time()
    {
        await using var broker = new TestBroker();
        TestClient reader = broker.Connect();
        TestClient writer = broker.Connect();
        await writer.CreatedAsync("t");
        int waiting = reader.Post<FetchRequest, FetchResponse>(Ask.Fetch("t", 0, maxWaitMs: 500), 11);
        await writer.ProduceAsync("t", Ask.Batch(1));
        FetchResponse woken = await reader.NextAsync<FetchRequest, FetchResponse>(waiting, 11);
        Assert.Equal([0], woken.Responses[0].Partitions[0].BaseOffsets());
        waiting = reader.Post<FetchRequest, FetchResponse>(Ask.Fetch("t", 1, maxWaitMs: 500), 11);
        await broker.Time.UntilDueInAsync(TimeSpan.FromMilliseconds(500));
        Assert.False(reader.Transport.Sent.TryPeek(out _));
        broker.Time.Advance(TimeSpan.FromMilliseconds(500));
        Assert.Equal(0, (await reader.NextAsync<FetchRequest, FetchResponse>(waiting, 11)).Responses[0].Partitions[0].Records.Length);
    }

    [Fact]
    public async Task A_long_poll_waits_for_MinBytes()
    {
        await using var broker = new TestBroker();
        TestClient reader = broker.Connect();
        TestClient writer = broker.Connect();
        await writer.CreatedAsync("t");
        byte[] batch = Ask.Batch(1, size: 100);
        int waiting = reader.Post<FetchRequest, FetchResponse>(Ask.Fetch("t", 0, maxWaitMs: 5000, minBytes: batch.Length * 2), 11);
        await writer.ProduceAsync("t", batch);
        await writer.MetadataAsync("t");
        Assert.False(reader.Transport.Sent.TryPeek(out _));
        await writer.ProduceAsync("t", batch);
        Assert.Equal([0, 1], (await reader.NextAsync<FetchRequest, FetchResponse>(waiting, 11)).Responses[0].Partitions[0].BaseOffsets());
    }

    [Fact]
    public async Task The_first_batch_goes_out_whole_and_later_partitions_get_what_is_left()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreatedAsync("t", 2);
        await client.ProduceAsync("t", Ask.Batch(1, size: 5000));
        await client.ProduceAsync("t", Ask.Batch(1, size: 5000), partition: 1);
        FetchRequest request = Ask.Fetch("t", 0);
        request.MaxBytes = 100;
        request.Topics[0].Partitions.Add(new() { Index = 1, PartitionMaxBytes = 1 << 20 });
        FetchResponse response = await client.FetchAsync(request);
        Assert.Equal([0], response.Responses[0].Partitions[0].BaseOffsets());
        Assert.Equal(0, response.Responses[0].Partitions[1].Records.Length);
    }

    [Theory]
    [InlineData(0, null)]
    [InlineData(1, 0)]
    public async Task Read_committed_gets_an_empty_list_of_aborted_transactions(sbyte isolation, int? aborted)
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreatedAsync("t");
        FetchRequest request = Ask.Fetch("t", 0);
        request.IsolationLevel = isolation;
        Assert.Equal(aborted, (await client.FetchAsync(request)).Responses[0].Partitions[0].AbortedTransactions?.Count);
    }

    [Fact]
    public async Task A_session_is_told_only_what_is_new()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreatedAsync("t", 2);
        FetchRequest request = Ask.Fetch("t", 0);
        request.Topics[0].Partitions.Add(new() { Index = 1, PartitionMaxBytes = 1 << 20 });
        request.SessionEpoch = 0;
        FetchResponse opened = await client.FetchAsync(request);
        Assert.NotEqual(0, opened.SessionId);
        Assert.Equal(2, opened.Responses[0].Partitions.Count);
        Assert.Empty((await client.FetchAsync(Next(1))).Responses);
        await client.ProduceAsync("t", Ask.Batch(1), partition: 1);
        FetchResponse.Response.Partition news = Assert.Single((await client.FetchAsync(Next(2))).Responses[0].Partitions);
        Assert.Equal((1, 1), (news.PartitionIndex, news.BaseOffsets().Count));
        FetchRequest forgetting = Next(3);
        forgetting.ForgottenTopicsData.Add(new() { Topic = "t", Partitions = [1] });
        Assert.Empty((await client.FetchAsync(forgetting)).Responses);
        Assert.Equal(ErrorCode.InvalidFetchSessionEpoch, (await client.FetchAsync(Next(3))).ErrorCode);
        FetchRequest closing = Next(-1);
        Assert.Equal(ErrorCode.None, (await client.FetchAsync(closing)).ErrorCode);
        Assert.Equal(ErrorCode.FetchSessionIdNotFound, (await client.FetchAsync(Next(4))).ErrorCode);

        FetchRequest Next(int epoch) => new() { MinBytes = 1, SessionId = opened.SessionId, SessionEpoch = epoch };
    }

    [Fact]
    public async Task A_reader_with_an_old_or_unknown_epoch_is_told_so()
    {
        await using var broker = new TestBroker();
        await broker.Connect().CreatedAsync("t");
        await broker.RestartAsync();
        TestClient client = broker.Connect();
        int epoch = (await client.MetadataAsync("t")).Partitions[0].LeaderEpoch;
        Assert.True(epoch > 0);
        Assert.Equal([ErrorCode.FencedLeaderEpoch, ErrorCode.None, ErrorCode.UnknownLeaderEpoch], [await ErrorAsync(epoch - 1), await ErrorAsync(epoch), await ErrorAsync(epoch + 1)]);

        async Task<ErrorCode> ErrorAsync(int believed)
        {
            FetchRequest request = Ask.Fetch("t", 0);
            request.Topics[0].Partitions[0].CurrentLeaderEpoch = believed;
            return (await client.FetchAsync(request)).Responses[0].Partitions[0].ErrorCode;
        }
    }

    [Fact]
    public async Task ListOffsets_finds_start_end_times_and_the_newest()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreatedAsync("t");
        await client.ProduceAsync("t", Ask.Batch(5));
        Assert.Equal((0, -1), await FindAsync(-2));
        Assert.Equal((5, -1), await FindAsync(-1));
        Assert.Equal((4, 1_767_225_600_004), await FindAsync(-3));
        Assert.Equal((2, 1_767_225_600_002), await FindAsync(1_767_225_600_002));
        Assert.Equal((-1, -1), await FindAsync(1_767_225_600_005));
        Assert.Equal((-1, -1), await FindAsync(-5));

        async Task<(long, long)> FindAsync(long timestamp)
        {
            ListOffsetsResponse found = await client.SendAsync<ListOffsetsRequest, ListOffsetsResponse>(
                new() { Topics = [new() { Name = "t", Partitions = [new() { Timestamp = timestamp }] }] });
            Assert.Equal(ErrorCode.None, found.Topics[0].Partitions[0].ErrorCode);
            return (found.Topics[0].Partitions[0].Offset, found.Topics[0].Partitions[0].Timestamp);
        }
    }

    [Fact]
    public async Task OffsetForLeaderEpoch_tells_where_an_epoch_ended()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreatedAsync("t");
        int first = (await client.MetadataAsync("t")).Partitions[0].LeaderEpoch;
        await client.ProduceAsync("t", Ask.Batch(5));
        await broker.RestartAsync();
        client = broker.Connect();
        await client.ProduceAsync("t", Ask.Batch(2));
        OffsetForLeaderEpochResponse found = await client.SendAsync<OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse>(
            new() { Topics = [new() { Name = "t", Partitions = [new() { LeaderEpoch = first }] }] });
        Assert.Equal((first, 5), (found.Topics[0].Partitions[0].LeaderEpoch, found.Topics[0].Partitions[0].EndOffset));
    }

    [Theory]
    [InlineData(11)]
    [InlineData(12)]
    public async Task A_replica_is_told_that_there_is_nothing_for_it_here(short version)
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreatedAsync("t");
        FetchRequest request = Ask.Fetch("t", 0);
        request.ReplicaId = 7;
        Assert.Equal(ErrorCode.NotLeaderOrFollower, (await client.FetchAsync(request, version)).Responses[0].Partitions[0].ErrorCode);
    }

    [Fact]
    public async Task An_epoch_of_the_future_was_never_read_here()
    {
        await using var broker = new TestBroker();
        TestClient client = broker.Connect();
        await client.CreatedAsync("t");
        FetchRequest request = Ask.Fetch("t", 0);
        request.Topics[0].Partitions[0].LastFetchedEpoch = 99;
        FetchResponse.Response.Partition answer = (await client.FetchAsync(request, 12)).Responses[0].Partitions[0];
        Assert.Equal((ErrorCode.OffsetOutOfRange, -1L, null), (answer.ErrorCode, answer.HighWatermark, answer.DivergingEpoch));
    }
}
