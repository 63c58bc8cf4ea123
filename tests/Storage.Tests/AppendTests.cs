using LogPipeline.Protocol;
using LogPipeline.Protocol.Records;

namespace LogPipeline.Storage.Tests;

public sealed class AppendTests
{
    private readonly TestNode _node = new();

    [Fact]
    public async Task Batches_get_offsets_without_gap_and_the_leader_epoch()
    {
        PartitionLog log = _node.StartLog();
        byte[] batch = TestBatches.Make(3);
        Assert.Equal(new AppendResult(ErrorCode.None, 0, 2, 0, false), log.Append(TestBatches.Make(3)));
        Assert.Equal(new AppendResult(ErrorCode.None, 3, 5, 0, false), log.Append(batch, leaderEpoch: 7));
        await log.FlushedAsync(6);
        Assert.Equal(6, log.DurableOffset);
        Assert.True(BatchHeader.TryParse(batch, out BatchHeader header));
        Assert.Equal(3, header.BaseOffset);
        Assert.Equal(7, header.LeaderEpoch);
        Assert.Equal(6, TestBatches.Walk(log.ReadAll(), 0));
    }

    [Fact]
    public void Records_get_the_time_of_their_append_where_that_is_wanted()
    {
        PartitionLog log = _node.StartLog();
        log.Options = log.Options with { LogAppendTime = true };
        byte[] batch = TestBatches.Make(3);
        AppendResult result = log.Append(batch);
        long now = _node.Time.GetUtcNow().ToUnixTimeMilliseconds();
        Assert.Equal((ErrorCode.None, now), (result.Error, result.LogAppendTime));
        Assert.True(RecordBatch.CrcIsValid(batch));
        Assert.True(BatchHeader.TryParse(batch, out BatchHeader header));
        Assert.Equal((true, now), (header.IsLogAppendTime, header.MaxTimestamp));
        Assert.Equal(3, TestBatches.Walk(log.ReadAll(), 0));
        Assert.Equal(new TimedOffset(0, now, 0), log.OffsetForTime(now - 1, 3));
        Assert.Null(log.OffsetForTime(now + 1, 3));
        Assert.Equal(-1, log.Append(TestBatches.Make(1), AppendOrigin.Broker).LogAppendTime);
    }

    [Fact]
    public void What_is_no_batch_is_refused()
    {
        PartitionLog log = _node.StartLog();
        _node.Options = log.Options = log.Options with { BatchBytesMax = 500 };
        byte[] flipped = TestBatches.Make(1);
        flipped[^1] ^= 1;
        Assert.Equal(ErrorCode.CorruptMessage, log.Append(flipped).Error);
        Assert.Equal(ErrorCode.CorruptMessage, log.Append(TestBatches.Make(1)[..^1]).Error);
        Assert.Equal(ErrorCode.CorruptMessage, log.Append([]).Error);
        Assert.Equal(ErrorCode.MessageTooLarge, log.Append(TestBatches.Make(1, valueLength: 500)).Error);
        byte[] miscounted = TestBatches.Make(2);
        miscounted[60] = 3;
        RecordBatch.Seal(miscounted);
        Assert.Equal(ErrorCode.InvalidRecord, log.Append(miscounted).Error);
        byte[] control = TestBatches.Make(1);
        control[22] |= 0x20;
        RecordBatch.Seal(control);
        Assert.Equal(ErrorCode.InvalidRecord, log.Append(control).Error);
        Assert.Equal(ErrorCode.None, log.Append(control, AppendOrigin.Broker).Error);
        Assert.Equal(1, log.LogEndOffset);
    }

    [Fact]
    public void A_repeat_within_five_batches_gets_its_old_offset()
    {
        PartitionLog log = _node.StartLog();
        for (int i = 0; i < 7; i++)
        {
            Assert.Equal(i * 2, log.Append(TestBatches.Make(2, 9, 0, i * 2)).BaseOffset);
        }
        for (int i = 2; i < 7; i++)
        {
            AppendResult again = log.Append(TestBatches.Make(2, 9, 0, i * 2));
            Assert.Equal(new AppendResult(ErrorCode.None, i * 2, (i * 2) + 1, 0, true), again);
        }
        Assert.Equal(ErrorCode.DuplicateSequenceNumber, log.Append(TestBatches.Make(2, 9, 0, 0)).Error);
        Assert.Equal(ErrorCode.DuplicateSequenceNumber, log.Append(TestBatches.Make(2, 9, 0, 2)).Error);
        Assert.Equal(14, log.LogEndOffset);
    }

    [Fact]
    public void Gaps_overlaps_and_old_epochs_are_refused()
    {
        PartitionLog log = _node.StartLog();
        Assert.Equal(ErrorCode.None, log.Append(TestBatches.Make(5, 9, 3, 100)).Error); // unknown: may begin anywhere
        Assert.Equal(ErrorCode.OutOfOrderSequenceNumber, log.Append(TestBatches.Make(1, 9, 3, 106)).Error);
        Assert.Equal(ErrorCode.OutOfOrderSequenceNumber, log.Append(TestBatches.Make(5, 9, 3, 103)).Error);
        Assert.Equal(ErrorCode.InvalidProducerEpoch, log.Append(TestBatches.Make(1, 9, 2, 105)).Error);
        Assert.Equal(ErrorCode.OutOfOrderSequenceNumber, log.Append(TestBatches.Make(1, 9, 4, 105)).Error);
        Assert.Equal(ErrorCode.None, log.Append(TestBatches.Make(1, 9, 4, 0)).Error);
        Assert.Equal(ErrorCode.InvalidProducerEpoch, log.Append(TestBatches.Make(1, 9, 3, 105)).Error);
        Assert.Equal(6, log.LogEndOffset);
    }

    [Fact]
    public void Sequences_run_on_through_zero()
    {
        PartitionLog log = _node.StartLog();
        Assert.Equal(ErrorCode.None, log.Append(TestBatches.Make(1, 9, 0, int.MaxValue - 2)).Error);
        Assert.Equal(ErrorCode.None, log.Append(TestBatches.Make(3, 9, 0, int.MaxValue - 1)).Error); // …max, 0
        Assert.Equal(ErrorCode.None, log.Append(TestBatches.Make(1, 9, 0, 1)).Error);
        Assert.True(log.Append(TestBatches.Make(3, 9, 0, int.MaxValue - 1)).Duplicate);
        Assert.Equal(ErrorCode.DuplicateSequenceNumber, log.Append(TestBatches.Make(2, 9, 0, int.MaxValue - 2)).Error);
        Assert.Equal(ErrorCode.OutOfOrderSequenceNumber, log.Append(TestBatches.Make(1, 9, 0, int.MaxValue - 3)).Error); // never taken
        Assert.Equal(ErrorCode.OutOfOrderSequenceNumber, log.Append(TestBatches.Make(1, 9, 0, 3)).Error);
    }

    [Fact]
    public void A_silent_producer_is_forgotten_after_its_time()
    {
        PartitionLog log = _node.StartLog();
        log.Append(TestBatches.Make(1, 9, 0, 0));
        _node.Time.Advance(TimeSpan.FromDays(6.9));
        Assert.True(log.Append(TestBatches.Make(1, 9, 0, 0)).Duplicate);
        Assert.Equal(ErrorCode.OutOfOrderSequenceNumber, log.Append(TestBatches.Make(1, 9, 0, 5)).Error);
        _node.Time.Advance(TimeSpan.FromDays(0.2));
        Assert.Equal(ErrorCode.None, log.Append(TestBatches.Make(1, 9, 0, 5)).Error);
    }

    [Fact]
    public async Task Producers_are_told_with_the_offset_that_must_become_durable()
    {
        var flush = new TaskCompletionSource();
        PartitionLog log = _node.StartLog();
        _node.Files.FlushDelay = _ => flush.Task;
        log.Append(TestBatches.Make(3, 9, 2, 0));
        IReadOnlyList<ProducerState> told = log.Producers(out long end);
        Task durable = log.FlushedAsync(end).AsTask();
        Assert.False(durable.IsCompleted);
        Assert.Equal(0, log.DurableOffset);
        flush.SetResult();
        await durable;
        Assert.Equal([new ProducerState(9, 2, 2, 2, _node.Time.GetUtcNow().ToUnixTimeMilliseconds())], told);
    }

    [Fact]
    public async Task One_flush_takes_all_that_waits()
    {
        var flushes = new List<TaskCompletionSource>();
        PartitionLog log = _node.StartLog();
        _node.Files.FlushDelay = _ =>
        {
            flushes.Add(new TaskCompletionSource());
            return flushes[^1].Task;
        };
        Task[] acks = [.. Enumerable.Range(0, 50).Select(_ => log.FlushedAsync(log.Append(TestBatches.Make(1)).LastOffset + 1).AsTask())];
        Assert.Single(flushes);
        flushes[0].SetResult();
        await acks[0];
        Assert.Equal(1, log.DurableOffset); // the others came after the flush began
        flushes[1].SetResult();
        await Task.WhenAll(acks);
        Assert.Equal(2, flushes.Count);
        Assert.Equal(50, log.DurableOffset);
    }

    [Fact]
    public async Task A_log_let_go_of_during_a_flush_acknowledges_nothing_to_who_asks_only_then()
    {
        var flush = new TaskCompletionSource();
        PartitionLog log = _node.StartLog();
        _node.Files.FlushDelay = _ => flush.Task;
        long end = log.Append(TestBatches.Make(1)).LastOffset + 1;
        log.Retire();
        flush.SetResult();
        await Assert.ThrowsAsync<LogOfflineException>(async () => await log.FlushedAsync(end));
        Assert.Equal(0, log.DurableOffset);
    }

    [Fact]
    public async Task A_failed_flush_takes_the_log_offline_and_acknowledges_nothing()
    {
        PartitionLog log = _node.StartLog();
        log.Append(TestBatches.Make(1));
        _node.Files.Before = call => Fail(call, Testing.Files.FileOperation.Flush);
        long end = log.Append(TestBatches.Make(1)).LastOffset + 1;
        await Assert.ThrowsAsync<LogOfflineException>(async () => await log.FlushedAsync(end));
        _node.Files.Before = null;
        Assert.Equal(ErrorCode.KafkaStorageError, log.Append(TestBatches.Make(1)).Error);
        Assert.Equal(1, log.DurableOffset);
        Assert.NotNull(log.OfflineReason);
        Assert.Equal(1, TestBatches.Walk(log.ReadAll(), 0));
        Assert.Empty(_node.Fatal);
    }

    [Fact]
    public void A_full_disk_refuses_and_takes_again_when_there_is_room()
    {
        PartitionLog log = _node.StartLog();
        log.Append(TestBatches.Make(2, 9, 0, 0));
        for (int room = 0; room < 100; room += 7)
        {
            _node.Disk.Capacity = _node.Disk.UsedBytes + room;
            Assert.Equal(ErrorCode.KafkaStorageError, log.Append(TestBatches.Make(2, 9, 0, 2)).Error);
        }
        Assert.Equal(2, log.LogEndOffset);
        _node.Disk.Capacity = long.MaxValue;
        Assert.Equal(2, log.Append(TestBatches.Make(2, 9, 0, 2)).BaseOffset);
        Assert.Equal(4, TestBatches.Walk(log.ReadAll(), 0));
        _node.LosePower(3);
        Assert.Equal(4, _node.StartLog().LogEndOffset);
    }

    [Fact]
    public void What_is_written_and_not_yet_durable_can_be_read_by_who_asks_for_it()
    {
        _node.Options = _node.Options with { Flush = FlushPolicy.Os };
        PartitionLog log = _node.StartLog();
        log.Append(TestBatches.Make(1));
        log.Append(TestBatches.Make(2));
        Assert.Equal((0, 3), (log.DurableOffset, log.LogEndOffset));
        Assert.False(log.FlushedAsync(1).AsTask().IsCompleted);
        foreach (long limit in (long[])[1, 3, 4])
        {
            Assert.Equal(ErrorCode.None, log.Read(0, limit, 1000, true, out LogSlice slice));
            byte[] bytes = new byte[slice.Length];
            slice.CopyTo(bytes);
            Assert.Equal(Math.Min(limit, 3), TestBatches.Walk(bytes, 0));
        }
        _node.Kill();
        Assert.Equal(3, _node.StartLog().LogEndOffset); // a killed process loses nothing
    }

    private static void Fail(Testing.Files.FileCall call, Testing.Files.FileOperation operation)
    {
        if (call.Operation == operation && call.Path.EndsWith(".log", StringComparison.Ordinal))
        {
            throw new IOException("the disk is broken");
        }
    }
}
