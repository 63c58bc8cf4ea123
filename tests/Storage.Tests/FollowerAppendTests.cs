using LogPipeline.Protocol;
using LogPipeline.Protocol.Records;

namespace LogPipeline.Storage.Tests;

/// <summary>A follower stores what its leader has, byte for byte, and nothing that cannot be the leader's.</summary>
public sealed class FollowerAppendTests
{
    private readonly TestNode _leader = new(1);
    private readonly TestNode _follower = new(2);

    [Fact]
    public async Task A_copy_has_the_leaders_bytes_epochs_and_producers()
    {
        _follower.Options = _follower.Options with { SegmentBytes = 1_000 };
        PartitionLog leader = _leader.StartLog();
        PartitionLog follower = _follower.StartLog();
        var random = new Random(1);
        for (int i = 0; i < 60; i++)
        {
            leader.Append(TestBatches.Make(2, 9, 1, i * 2, timestamp: random.Next(1000)), leaderEpoch: i / 20);
        }
        while (follower.LogEndOffset < leader.LogEndOffset)
        {
            Assert.Equal(ErrorCode.None, leader.Read(follower.LogEndOffset, random.Next(700), true, out LogSlice slice));
            byte[] bytes = new byte[slice.Length];
            slice.CopyTo(bytes);
            long from = follower.LogEndOffset;
            AppendResult result = follower.AppendAsFollower(bytes, leaderEpoch: 2);
            Assert.Equal((ErrorCode.None, from, follower.LogEndOffset - 1), (result.Error, result.BaseOffset, result.LastOffset));
            await follower.FlushedAsync(follower.LogEndOffset);
        }
        RequireSame();
        _follower.LosePower(1);
        follower = _follower.StartLog();
        RequireSame();

        void RequireSame()
        {
            Assert.Equal(leader.ReadAll(), follower.ReadAll());
            Assert.Equal((0, 40), follower.EndOffsetForEpoch(0, 120));
            Assert.Equal((1, 80), follower.EndOffsetForEpoch(1, 120));
            Assert.Equal(119, follower.Producers(out _).Single().LastOffset);
        }
    }

    [Fact]
    public void What_cannot_be_the_leaders_is_refused_whole()
    {
        PartitionLog log = _follower.StartLog();
        Assert.Equal(ErrorCode.None, log.AppendAsFollower(Batch(0, 4), 5).Error);
        byte[] flipped = Batch(2, 4);
        flipped[^1] ^= 1;
        Assert.Equal(ErrorCode.CorruptMessage, log.AppendAsFollower([], 5).Error);
        Assert.Equal(ErrorCode.CorruptMessage, log.AppendAsFollower(flipped, 5).Error);
        Assert.Equal(ErrorCode.CorruptMessage, log.AppendAsFollower(Batch(2, 4).AsSpan()[..^1], 5).Error);
        Assert.Equal(ErrorCode.CorruptMessage, log.AppendAsFollower([.. Batch(2, 4), 0], 5).Error);
        Assert.Equal(ErrorCode.OffsetOutOfRange, log.AppendAsFollower(Batch(1, 4), 5).Error);
        Assert.Equal(ErrorCode.OffsetOutOfRange, log.AppendAsFollower(Batch(3, 4), 5).Error);
        Assert.Equal(ErrorCode.OffsetOutOfRange, log.AppendAsFollower([.. Batch(2, 4), .. Batch(5, 4)], 5).Error);
        Assert.Equal(ErrorCode.FencedLeaderEpoch, log.AppendAsFollower(Batch(2, 3), 5).Error);
        Assert.Equal(ErrorCode.UnknownLeaderEpoch, log.AppendAsFollower(Batch(2, 6), 5).Error);
        Assert.Equal(ErrorCode.FencedLeaderEpoch, log.AppendAsFollower([.. Batch(2, 5), .. Batch(4, 4)], 5).Error);
        Assert.Equal(2, log.LogEndOffset);
        Assert.Equal(ErrorCode.None, log.AppendAsFollower([.. Batch(2, 4), .. Batch(4, 5)], 5).Error);
        Assert.Equal(6, log.LogEndOffset);
    }

    [Fact]
    public void A_full_disk_keeps_the_batches_before_the_refused_one()
    {
        PartitionLog log = _follower.StartLog();
        byte[] batches = [.. Batch(0, 4), .. Batch(2, 4), .. Batch(4, 4)];
        log.AppendAsFollower(Batch(0, 4), 5);
        _follower.Disk.Capacity = _follower.Disk.UsedBytes + 1;
        Assert.Equal(ErrorCode.KafkaStorageError, log.AppendAsFollower([.. Batch(2, 4), .. Batch(4, 4)], 5).Error);
        _follower.Disk.Capacity = long.MaxValue;
        int next = (int)log.LogEndOffset / 2 * Batch(0, 4).Length;
        Assert.Equal(ErrorCode.None, log.AppendAsFollower(batches.AsSpan()[next..], 5).Error);
        Assert.Equal(6, TestBatches.Walk(log.ReadAll(), 0));
    }

    private static byte[] Batch(long offset, int epoch)
    {
        byte[] batch = TestBatches.Make(2);
        RecordBatch.Stamp(batch, offset, epoch);
        return batch;
    }
}
