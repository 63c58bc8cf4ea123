using LogPipeline.Protocol;
using LogPipeline.Protocol.Compression;
using LogPipeline.Protocol.Records;

namespace LogPipeline.Storage.Tests;

/// <summary>What a topic's settings ask of single records.</summary>
public sealed class RecordRulesTests
{
    private readonly TestNode _node = new();
    private readonly PartitionLog _log;

    public RecordRulesTests() => _log = _node.StartLog();

    private long Now => _node.Time.GetUtcNow().ToUnixTimeMilliseconds();

    [Theory]
    [InlineData(CompressionCodec.None)]
    [InlineData(CompressionCodec.Lz4)]
    public void Records_too_far_from_the_clock_are_told_one_by_one(CompressionCodec codec)
    {
        _log.Options = _log.Options with { TimestampBeforeMaxMs = 1000, TimestampAfterMaxMs = 2000 };
        AppendResult result = _log.Append(Batch(codec, Now, Now - 1001, Now - 1000, Now + 2000, Now + 2001, -1));
        Assert.Equal((ErrorCode.InvalidTimestamp, 0L), (result.Error, _log.LogEndOffset));
        Assert.Equal([1, 4], result.RefusedRecords!.Select(static record => record.Index));
        Assert.Equal(
            $"Timestamp {Now - 1001} of message with offset 1 is out of range. The timestamp should be within [{Now - 1000}, {Now + 2000}]",
            result.RefusedRecords![0].Reason);
        Assert.Equal(ErrorCode.None, _log.Append(Batch(codec, Now + 2000, Now - 1000, -1)).Error);
    }

    [Fact]
    public void A_bound_on_one_side_leaves_the_other_open()
    {
        _log.Options = _log.Options with { TimestampAfterMaxMs = 0 };
        Assert.Equal(ErrorCode.None, _log.Append(Batch(CompressionCodec.None, 0, Now)).Error);
        Assert.Equal(ErrorCode.InvalidTimestamp, _log.Append(Batch(CompressionCodec.None, 0, Now + 1)).Error);
        _log.Options = _log.Options with { TimestampBeforeMaxMs = 0, TimestampAfterMaxMs = long.MaxValue };
        Assert.Equal(ErrorCode.None, _log.Append(Batch(CompressionCodec.None, Now, long.MaxValue)).Error);
        Assert.Equal(ErrorCode.InvalidTimestamp, _log.Append(Batch(CompressionCodec.None, long.MaxValue, Now - 1)).Error);
    }

    [Fact]
    public void Whatever_clock_a_host_has_it_can_log_where_nobody_set_a_bound()
        => Assert.Equal(ErrorCode.None, _log.Append(Batch(CompressionCodec.None, 0, Now + 86_400_000, long.MaxValue)).Error);

    [Fact]
    public void Times_that_the_broker_replaces_do_not_count()
    {
        _log.Options = _log.Options with { LogAppendTime = true, TimestampBeforeMaxMs = 0, TimestampAfterMaxMs = 0 };
        Assert.Equal(ErrorCode.None, _log.Append(Batch(CompressionCodec.None, 0, long.MaxValue)).Error);
    }

    [Fact]
    public void Keys_and_times_are_asked_together_and_a_key_may_be_empty()
    {
        _log.Options = _log.Options with { KeysRequired = true, TimestampBeforeMaxMs = 0 };
        using var builder = new RecordBatchBuilder(CompressionCodec.None, 1 << 20);
        builder.TryAppend(Now, true, default, false, default, 0, default);
        Assert.Equal(ErrorCode.None, _log.Append(builder.Build().ToArray()).Error);
        builder.Reset();
        builder.TryAppend(Now - 1, "no key"u8);
        builder.TryAppend(Now - 1, true, "k"u8, true, "too old"u8, 0, default);
        AppendResult result = _log.Append(builder.Build().ToArray());
        Assert.Equal((ErrorCode.InvalidTimestamp, 2), (result.Error, result.RefusedRecords!.Count));
        Assert.StartsWith("Compacted topic cannot accept message without key", result.RefusedRecords[0].Reason, StringComparison.Ordinal);
        Assert.StartsWith("Timestamp", result.RefusedRecords[1].Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void The_answer_to_many_bad_records_stays_small()
    {
        _log.Options = _log.Options with { TimestampBeforeMaxMs = 0 };
        Assert.Equal(100, _log.Append(TestBatches.Make(300)).RefusedRecords!.Count);
    }

    [Fact]
    public void The_brokers_own_records_are_not_asked()
    {
        _log.Options = _log.Options with { KeysRequired = true, TimestampBeforeMaxMs = 0, TimestampAfterMaxMs = 0 };
        Assert.Equal(ErrorCode.None, _log.Append(TestBatches.Make(1), AppendOrigin.Broker).Error);
    }

    [Fact]
    public void A_repeat_of_what_was_taken_is_acknowledged_though_it_would_be_refused_now()
    {
        AppendResult first = _log.Append(TestBatches.Make(2, producerId: 7, epoch: 0, sequence: 0));
        _log.Options = _log.Options with { TimestampBeforeMaxMs = 0 };
        AppendResult repeat = _log.Append(TestBatches.Make(2, producerId: 7, epoch: 0, sequence: 0));
        Assert.Equal(first with { Duplicate = true }, repeat);
        Assert.Equal(ErrorCode.InvalidTimestamp, _log.Append(TestBatches.Make(2, producerId: 7, epoch: 0, sequence: 2)).Error);
    }

    private static byte[] Batch(CompressionCodec codec, params long[] timestamps)
    {
        using var builder = new RecordBatchBuilder(codec, 1 << 20);
        foreach (long timestamp in timestamps)
        {
            Assert.True(builder.TryAppend(timestamp, "a value"u8));
        }
        return builder.Build().ToArray();
    }
}
