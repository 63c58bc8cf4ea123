using LogPipeline.Protocol;
using LogPipeline.Protocol.Compression;

namespace LogPipeline.Storage.Tests;

public sealed class ReadTests
{
    private readonly TestNode _node = new();

    [Fact]
    public void Every_offset_and_size_gives_whole_batches_from_the_one_that_holds_it()
    {
        _node.Options = _node.Options with { SegmentBytes = 2_000 };
        PartitionLog log = _node.StartLog();
        var sizes = new List<int>();
        for (int i = 0; i < 40; i++)
        {
            byte[] batch = TestBatches.Make(3, valueLength: i * 4);
            sizes.Add(batch.Length);
            log.Append(batch);
        }
        for (int offset = 0; offset < 120; offset++)
        {
            foreach (int bytesMax in (int[])[1, 300, 700, 1999, 100_000])
            {
                Assert.Equal(ErrorCode.None, log.Read(offset, bytesMax, true, out LogSlice slice));
                byte[] bytes = new byte[slice.Length];
                slice.CopyTo(bytes);
                Assert.Equal(offset / 3 * 3, slice.FirstOffset);
                long next = TestBatches.Walk(bytes, slice.FirstOffset);
                Assert.True(next > offset);
                Assert.True(slice.Length <= Math.Max(bytesMax, sizes[offset / 3]));
                Assert.Equal(ErrorCode.None, log.Read(offset, sizes[offset / 3] - 1, false, out slice));
                Assert.Equal(0, slice.Length);
            }
        }
    }

    [Fact]
    public void Outside_the_log_is_out_of_range_and_its_end_is_empty()
    {
        PartitionLog log = _node.StartLog();
        log.Append(TestBatches.Make(3));
        Assert.Equal(ErrorCode.None, log.Read(3, 1000, true, out LogSlice slice));
        Assert.Equal(0, slice.Length);
        Assert.Equal(ErrorCode.OffsetOutOfRange, log.Read(4, 1000, true, out _));
        Assert.Equal(ErrorCode.OffsetOutOfRange, log.Read(-1, 1000, true, out _));
    }

    [Fact]
    public async Task Nothing_is_shown_before_it_is_durable()
    {
        var flush = new TaskCompletionSource();
        PartitionLog log = _node.StartLog();
        log.Append(TestBatches.Make(3, timestamp: 100));
        _node.Files.FlushDelay = _ => flush.Task;
        long end = log.Append(TestBatches.Make(3, timestamp: 200)).LastOffset + 1;
        Assert.Equal(ErrorCode.None, log.Read(3, 1000, true, out LogSlice slice));
        Assert.Equal(0, slice.Length);
        Assert.Null(log.OffsetForTime(150));
        Assert.Equal(new TimedOffset(2, 102, 0), log.MaxTimestamp());
        Assert.Equal((0, 3), log.EndOffsetForEpoch(0, log.DurableOffset));
        flush.SetResult();
        await log.FlushedAsync(end);
        Assert.Equal(ErrorCode.None, log.Read(3, 1000, true, out slice));
        Assert.True(slice.Length > 0);
        Assert.Equal(new TimedOffset(3, 200, 0), log.OffsetForTime(150));
    }

    [Theory]
    [InlineData(CompressionCodec.None)]
    [InlineData(CompressionCodec.Gzip)]
    public void Times_are_found_to_the_record_even_when_they_are_out_of_order(CompressionCodec codec)
    {
        _node.Options = _node.Options with { SegmentBytes = 2_000 };
        PartitionLog log = _node.StartLog();
        var random = new Random(4);
        var times = new List<long>();
        for (int i = 0; i < 60; i++)
        {
            long time = random.Next(10_000);
            log.Append(TestBatches.Make(3, timestamp: time, codec: codec));
            times.AddRange([time, time + 1, time + 2]);
        }
        for (int wanted = 0; wanted < 10_100; wanted += 37)
        {
            int expected = times.FindIndex(time => time >= wanted);
            TimedOffset? found = log.OffsetForTime(wanted);
            Assert.Equal(expected < 0 ? null : new TimedOffset(expected, times[expected], 0), found);
        }
        int largest = times.IndexOf(times.Max());
        Assert.Equal(new TimedOffset(largest, times[largest], 0), log.MaxTimestamp());
    }

    [Fact]
    public void Deleted_records_are_gone_for_good_and_a_slice_of_them_stays_readable()
    {
        _node.Options = _node.Options with { SegmentBytes = 1_000 };
        PartitionLog log = _node.StartLog();
        for (int i = 0; i < 40; i++)
        {
            log.Append(TestBatches.Make(3));
        }
        Assert.Equal(ErrorCode.None, log.Read(0, 500, true, out LogSlice slice));
        _node.Directory.DeleteRecords([(log, 61)]);
        slice.CopyTo(new byte[slice.Length]);
        Require();
        _node.LosePower(1);
        log = _node.StartLog();
        Require();

        void Require()
        {
            Assert.Equal(61, log.LogStartOffset);
            Assert.Equal(ErrorCode.OffsetOutOfRange, log.Read(60, 500, true, out _));
            Assert.Equal(ErrorCode.None, log.Read(61, 500, true, out LogSlice first));
            Assert.Equal(60, first.FirstOffset);
            Assert.Equal(61, log.OffsetForTime(0)!.Value.Offset);
            Assert.False(_node.Files.FileExists(_node.LogFile()));
        }
    }

    [Fact]
    public void An_idle_segment_is_closed_after_its_time()
    {
        PartitionLog log = _node.StartLog();
        log.Append(TestBatches.Make(1));
        _node.Time.Advance(TimeSpan.FromDays(8));
        log.Append(TestBatches.Make(1));
        Assert.True(_node.Files.FileExists(_node.LogFile(1)));
    }
}
