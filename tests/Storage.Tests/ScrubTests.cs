using LogPipeline.Protocol;
using LogPipeline.Storage.Verification;

namespace LogPipeline.Storage.Tests;

public sealed class ScrubTests
{
    private const int BatchesInAll = 40; // of 3 records each

    private readonly TestNode _node = new();

    [Fact]
    public void Sound_segments_have_no_damage()
    {
        PartitionLog log = Write();
        Assert.True(log.SegmentsToScrub.Count >= 3);
        Scrub(log);
        Assert.Empty(log.DamagedBatches);
        Assert.Equal(BatchesInAll * 3, ReadableFrom(log, 0).Count);
    }

    [Theory]
    [InlineData(70)] // a record
    [InlineData(8)] // the batch's length
    [InlineData(7)] // its offset
    public void Damaged_batch_is_not_served_and_all_around_it_is(long within)
    {
        PartitionLog log = Write();
        (long offset, long position) = ThirdBatch(log);
        _node.Disk.Corrupt(_node.LogFile(), position + within, 0x40);
        Scrub(log);
        DamagedBatch damaged = Assert.Single(log.DamagedBatches);
        Assert.Equal(new DamagedBatch(offset, offset + 3, 0, position, Batch(log, offset + 3).Position), damaged);
        Assert.Equal(Enumerable.Range(0, (int)offset).Select(static o => (long)o), ReadableFrom(log, 0));
        for (long refused = offset; refused < offset + 3; refused++)
        {
            Assert.Equal(ErrorCode.CorruptMessage, log.Read(refused, 1 << 20, true, out _));
        }
        Assert.Equal(Enumerable.Range((int)offset + 3, (BatchesInAll * 3) - (int)offset - 3).Select(static o => (long)o), ReadableFrom(log, offset + 3));
    }

    [Fact]
    public void Damage_is_known_after_a_restart_and_forgotten_when_the_file_is_restored()
    {
        PartitionLog log = Write();
        (long offset, long position) = ThirdBatch(log);
        _node.Disk.Corrupt(_node.LogFile(), position + 70, 1);
        Scrub(log);
        _node.Kill();
        log = _node.StartLog();
        Assert.Equal(ErrorCode.CorruptMessage, log.Read(offset, 1 << 20, true, out _));
        Assert.Equal(0, log.SegmentsToScrub[0]);
        _node.Disk.Corrupt(_node.LogFile(), position + 70, 1); // flips it back
        Scrub(log);
        Assert.Empty(log.DamagedBatches);
        Assert.Equal(BatchesInAll * 3, ReadableFrom(log, 0).Count);
        _node.Kill();
        Assert.Empty(_node.StartLog().DamagedBatches);
    }

    [Fact]
    public void Known_damage_is_not_served_while_the_segment_is_checked_again()
    {
        PartitionLog log = Write();
        (long offset, long position) = Batch(log, 6);
        (long later, long laterPosition) = Batch(log, 18);
        _node.Disk.Corrupt(_node.LogFile(), position + 70, 1);
        _node.Disk.Corrupt(_node.LogFile(), laterPosition + 70, 1);
        Scrub(log);
        Assert.Equal([offset, later], log.DamagedBatches.Select(static batch => batch.FirstOffset));
        using SegmentScrub again = log.Scrub(0)!;
        while (again.Step(1) > 0)
        {
            Assert.Equal(ErrorCode.CorruptMessage, log.Read(offset, 1 << 20, true, out _));
            Assert.Equal(ErrorCode.CorruptMessage, log.Read(later, 1 << 20, true, out _));
        }
        Assert.Equal([offset, later], log.DamagedBatches.Select(static batch => batch.FirstOffset));
    }

    [Fact]
    public void Damage_below_the_logs_start_is_no_damage_any_more()
    {
        PartitionLog log = Write();
        (long offset, long position) = ThirdBatch(log);
        _node.Disk.Corrupt(_node.LogFile(), position + 70, 1);
        Scrub(log);
        _node.Directory.DeleteRecords([(log, offset + 3)]);
        Assert.Empty(log.DamagedBatches);
        Assert.Equal(offset + 3, ReadableFrom(log, offset + 3)[0]);
    }

    [Fact]
    public void Damage_up_to_the_segments_end_ends_with_it()
    {
        PartitionLog log = Write();
        long next = log.SegmentsToScrub[1];
        long length = _node.Files.Stat(_node.LogFile())!.Value.Length;
        _node.Disk.Corrupt(_node.LogFile(), length - 3, 1);
        Scrub(log);
        DamagedBatch damaged = Assert.Single(log.DamagedBatches);
        Assert.Equal((next - 3, next), (damaged.FirstOffset, damaged.NextOffset));
        Assert.Equal(next, ReadableFrom(log, next)[0]);
        Assert.Equal(next - 3, ReadableFrom(log, 0).Count);
    }

    [Fact]
    public async Task Active_segment_is_checked_as_far_as_it_is_durable()
    {
        PartitionLog log = Write();
        long active = log.SegmentsToScrub[^1];
        (long offset, long position) = Batch(log, active + 3);
        _node.Disk.Corrupt(_node.LogFile(active), position + 70, 1);
        log.Append(TestBatches.Make(3));
        Scrub(log);
        Assert.Equal(offset, Assert.Single(log.DamagedBatches).FirstOffset);
        Assert.Equal(ErrorCode.CorruptMessage, log.Read(offset, 1 << 20, true, out _));
        await log.FlushedAsync(log.LogEndOffset);
        Assert.Equal(log.LogEndOffset - offset - 3, ReadableFrom(log, offset + 3).Count);
    }

    private PartitionLog Write()
    {
        _node.Options = _node.Options with { SegmentBytes = 2600, IndexIntervalBytes = 400 };
        PartitionLog log = _node.StartLog();
        for (int i = 0; i < BatchesInAll; i++)
        {
            log.Append(TestBatches.Make(3));
        }
        Assert.True(log.FlushedAsync(log.LogEndOffset).AsTask().Wait(TimeSpan.FromSeconds(10)));
        return log;
    }

    private static void Scrub(PartitionLog log)
    {
        foreach (long segment in log.SegmentsToScrub)
        {
            using SegmentScrub scrub = log.Scrub(segment)!;
            while (scrub.Step(500) > 0)
            {
            }
        }
    }

    private static (long Offset, long Position) ThirdBatch(PartitionLog log) => Batch(log, 6);

    private static (long Offset, long Position) Batch(PartitionLog log, long offset)
    {
        Assert.Equal(ErrorCode.None, log.Read(offset, 1, true, out LogSlice slice));
        using (slice)
        {
            return (slice.FirstOffset, slice.Position);
        }
    }

    // The offsets that a consumer gets one after another, up to the first that it is refused.
    private static List<long> ReadableFrom(PartitionLog log, long offset)
    {
        var offsets = new List<long>();
        while (offset < log.DurableOffset && log.Read(offset, 700, true, out LogSlice slice) == ErrorCode.None && slice.Length > 0)
        {
            byte[] bytes = new byte[slice.Length];
            using (slice)
            {
                slice.CopyTo(bytes);
            }
            long next = TestBatches.Walk(bytes, slice.FirstOffset);
            offsets.AddRange(Enumerable.Range(0, (int)(next - offset)).Select(i => offset + i));
            offset = next;
        }
        return offsets;
    }
}
