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

/// <summary>
/// What was fetched and not polled yet: two partitions of six records each, of which a fetch gives one at a time, and a prefetch limit that
/// three of them fill.
/// </summary>
public sealed class PrefetchTests
{
    private const int Records = 6;
    private static readonly int PrefetchBytes = Batch(0, 0).Length * 3;
    private static readonly TopicPartition First = new("t", 0);
    private static readonly TopicPartition Second = new("t", 1);

    private readonly ManualTime _time = new();
    private readonly ScriptedBroker _broker = new();
    private readonly List<string> _fetched = [];

    private ErrorCode _error;
    private string _undecodable = "";

    public PrefetchTests()
    {
        _broker.Lead("t", partitions: 2);
        _broker.OnAsync<FetchRequest, FetchResponse>(FetchAsync, newest: 12);
    }

    [Fact]
    public void What_was_fetched_of_a_paused_partition_leaves_room_for_the_others_and_nothing_is_lost() => OneThread.Run(_time, async () =>
    {
        await using var cluster = new ClusterClient(new ClientOptions { Bootstrap = ["b:1"] }, _broker, _time, new Random(1));
        await using var consumer = new Consumer(new ConsumerOptions { PrefetchBytes = PrefetchBytes }, cluster, _time, new Random(2));
        consumer.Assign([First, Second]);
        consumer.Seek(First, 0);
        consumer.Seek(Second, 0);
        consumer.Pause(Second);
        Assert.Equal("0:0", await PollAsync(consumer));
        await Task.Delay(TimeSpan.FromSeconds(1), _time);
        Assert.Equal(["0:0", "0:1", "0:2", "0:3"], _fetched);
        consumer.Pause(First);
        consumer.Resume(Second);
        for (int i = 0; i < Records; i++)
        {
            Assert.Equal($"1:{i}", await PollAsync(consumer));
        }
        consumer.Resume(First);
        for (int i = 1; i < Records; i++)
        {
            Assert.Equal($"0:{i}", await PollAsync(consumer));
        }
        Assert.Equal(1, _fetched.Count(record => record == "0:1"));
    });

    [Fact]
    public void It_keeps_what_was_fetched_while_nobody_needs_the_room() => OneThread.Run(_time, async () =>
    {
        await using var cluster = new ClusterClient(new ClientOptions { Bootstrap = ["b:1"] }, _broker, _time, new Random(1));
        await using var consumer = new Consumer(new ConsumerOptions { PrefetchBytes = PrefetchBytes + 1 }, cluster, _time, new Random(2));
        consumer.Assign([First]);
        consumer.Seek(First, 0);
        for (int i = 0; i < Records; i++)
        {
            Assert.Equal($"0:{i}", await PollAsync(consumer));
            consumer.Pause(First);
            await Task.Delay(TimeSpan.FromSeconds(1), _time);
            consumer.Resume(First);
        }
        Assert.Equal(Records, _fetched.Count);
    });

    [Fact]
    public void A_log_that_was_cut_within_what_was_fetched_gives_all_that_it_still_has() => OneThread.Run(_time, async () =>
    {
        _broker.On<OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse>(_ => new OffsetForLeaderEpochResponse
        {
            Topics = [new() { Name = "t", Partitions = [new() { LeaderEpoch = 0, EndOffset = 3 }] }],
        });
        await using var cluster = new ClusterClient(new ClientOptions { Bootstrap = ["b:1"] }, _broker, _time, new Random(1));
        var options = new ConsumerOptions { PrefetchBytes = PrefetchBytes, OffsetReset = OffsetReset.Earliest };
        await using var consumer = new Consumer(options, cluster, _time, new Random(2));
        consumer.Assign([First]);
        consumer.Seek(First, 0);
        Assert.Equal("0:0", await PollAsync(consumer));
        await Task.Delay(TimeSpan.FromSeconds(1), _time);
        Assert.Equal("0:3", _fetched[^1]);
        (_broker.LeaderEpoch, _error) = (1, ErrorCode.NotLeaderOrFollower);
        Assert.Equal("0:1", await PollAsync(consumer));
        await Task.Delay(TimeSpan.FromSeconds(1), _time);
        _error = ErrorCode.None;
        await Task.Delay(TimeSpan.FromSeconds(5), _time);
        Assert.Equal("0:2", await PollAsync(consumer));
        Assert.Equal("0:3", await PollAsync(consumer));
        Assert.Equal(2, _fetched.Count(record => record == "0:3"));
    });

    [Fact]
    public void A_log_that_was_cut_within_what_was_fetched_before_the_first_poll_gives_what_it_has_there_now() => OneThread.Run(_time, async () =>
    {
        _broker.On<OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse>(request => new OffsetForLeaderEpochResponse
        {
            Topics = [new() { Name = "t", Partitions = [.. request.Topics[0].Partitions.Select(asked =>
                new OffsetForLeaderEpochResponse.Topic.Partition { Index = asked.Index, LeaderEpoch = 0, EndOffset = asked.Index == 1 ? 1 : Records })] }],
        });
        await using var cluster = new ClusterClient(new ClientOptions { Bootstrap = ["b:1"] }, _broker, _time, new Random(1));
        var options = new ConsumerOptions { OffsetReset = OffsetReset.Earliest };
        await using var consumer = new Consumer(options, cluster, _time, new Random(2));
        consumer.Assign([First, Second]);
        consumer.Seek(First, 0);
        consumer.Seek(Second, 0);
        Assert.Equal("0:0", await PollAsync(consumer));
        consumer.Pause(First);
        await Task.Delay(TimeSpan.FromSeconds(1), _time);
        Assert.Equal("1:5", _fetched[^1]);
        (_broker.LeaderEpoch, _error) = (1, ErrorCode.NotLeaderOrFollower);
        await Task.Delay(TimeSpan.FromSeconds(1), _time);
        _error = ErrorCode.None;
        for (int i = 0; i < Records; i++)
        {
            Assert.Equal($"1:{i}", await PollAsync(consumer));
        }
        Assert.Equal(2, _fetched.Count(record => record == "1:1"));
    });

    [Fact]
    public void What_precedes_a_batch_that_cannot_be_decoded_is_given_and_the_position_stands_before_it() => OneThread.Run(_time, async () =>
    {
        _undecodable = "0:2";
        await using var cluster = new ClusterClient(new ClientOptions { Bootstrap = ["b:1"] }, _broker, _time, new Random(1));
        await using var consumer = new Consumer(new ConsumerOptions(), cluster, _time, new Random(2));
        consumer.Assign([First]);
        consumer.Seek(First, 0);
        Assert.Equal("0:0", await PollAsync(consumer));
        Assert.Equal("0:1", await PollAsync(consumer));
        for (int poll = 0; poll < 2; poll++)
        {
            CorruptBatchException corrupt = await Assert.ThrowsAsync<CorruptBatchException>(() => PollAsync(consumer));
            Assert.Equal((First, 2L), (corrupt.Partition, corrupt.Offset));
            Assert.Contains("codec 7 is unknown", corrupt.Message, StringComparison.Ordinal);
        }
        _undecodable = "";
        consumer.Seek(First, 2);
        Assert.Equal("0:2", await PollAsync(consumer));
    });

    private async Task<string> PollAsync(Consumer consumer)
    {
        using var late = new CancellationTokenSource(TimeSpan.FromSeconds(5), _time);
        return Encoding.UTF8.GetString(Assert.Single(await consumer.PollAsync(late.Token)).Value!.Value.Span);
    }

    private async Task<FetchResponse?> FetchAsync(FetchRequest request)
    {
        List<FetchResponse.Response.Partition> answers = [];
        foreach (FetchRequest.Topic.Partition asked in request.Topics[0].Partitions)
        {
            var answer = new FetchResponse.Response.Partition { PartitionIndex = asked.Index, HighWatermark = Records, LogStartOffset = 0 };
            answer.ErrorCode = _error;
            if (_error == ErrorCode.None && asked.FetchOffset < Records)
            {
                byte[] batch = Batch(asked.Index, asked.FetchOffset);
                if (_undecodable == $"{asked.Index}:{asked.FetchOffset}")
                {
                    batch[22] = 7; // attributes: a codec that is not there
                    RecordBatch.Seal(batch);
                }
                answer.Records = new RecordSet(batch);
                _fetched.Add($"{asked.Index}:{asked.FetchOffset}");
            }
            answers.Add(answer);
        }
        if (_error == ErrorCode.None && answers.TrueForAll(answer => answer.Records.Length == 0))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(request.MaxWaitMs), _time);
        }
        return new FetchResponse { Responses = [new() { Topic = "t", Partitions = answers }] };
    }

    private static byte[] Batch(int partition, long offset)
    {
        using var builder = new RecordBatchBuilder(CompressionCodec.None, 1024);
        builder.TryAppend(1, Encoding.UTF8.GetBytes($"{partition}:{offset}"));
        byte[] batch = builder.Build().ToArray();
        RecordBatch.Stamp(batch, offset, 0);
        return batch;
    }
}
