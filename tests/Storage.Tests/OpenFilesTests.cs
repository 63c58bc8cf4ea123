using LogPipeline.Protocol;

namespace LogPipeline.Storage.Tests;

/// <summary>How many files a log keeps open, and when a deleted one is closed.</summary>
public sealed class OpenFilesTests
{
    private const int HandlesMax = 100_000;
    private readonly TestNode _node = new() { Options = new PartitionLogOptions { SegmentBytes = 3_000, IndexIntervalBytes = 200 } };

    [Fact]
    public void A_log_holds_one_handle_however_many_segments_it_has()
    {
        PartitionLog log = _node.StartLog(files => files.HandlesMax = HandlesMax);
        for (int i = 0; i < 300; i++)
        {
            log.Append(TestBatches.Make(2));
        }
        Assert.Equal(1, Open());
        _node.Kill();
        _node.StartLog(files => files.HandlesMax = HandlesMax);
        Assert.Equal(1, Open());
    }

    [Fact]
    public void What_reading_opens_is_bounded()
    {
        PartitionLog log = _node.StartLog(files => files.HandlesMax = 160); // an eighth of it for closed segments
        for (int i = 0; i < 1000; i++)
        {
            log.Append(TestBatches.Make(2));
        }
        for (int turn = 0; turn < 2; turn++)
        {
            TestBatches.Walk(log.ReadAll(), 0);
            for (int offset = 0; offset < 2000; offset += 7)
            {
                Assert.NotNull(log.OffsetForTime(1000));
            }
        }
        Assert.InRange(160 - _node.Files.FreeHandles(), 2, 21);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_deleted_log_gives_its_space_back_when_the_last_slice_of_it_is_disposed(bool fromClosedSegment)
    {
        PartitionLog log = _node.StartLog(files => files.HandlesMax = HandlesMax);
        for (int i = 0; i < 100; i++)
        {
            log.Append(TestBatches.Make(2));
        }
        long offset = fromClosedSegment ? 0 : log.LogEndOffset - 1;
        Assert.Equal(ErrorCode.None, log.Read(offset, 200, true, out LogSlice slice));
        byte[] before = new byte[slice.Length];
        slice.CopyTo(before);
        _node.Directory.DeleteTopic(log.Topic, log.TopicId);
        Assert.Equal(1, Open());
        byte[] after = new byte[slice.Length];
        slice.CopyTo(after);
        Assert.Equal(before, after);
        long used = _node.Disk.UsedBytes;
        slice.Dispose();
        slice.Dispose();
        Assert.Equal(0, Open());
        Assert.True(_node.Disk.UsedBytes < used);
    }

    [Fact]
    public async Task A_segment_not_read_since_the_start_is_cold_until_it_was_checked()
    {
        PartitionLog log = _node.StartLog();
        for (int i = 0; i < 100; i++)
        {
            log.Append(TestBatches.Make(2));
        }
        await _node.Directory.CloseAsync();
        log = _node.StartLog();
        Assert.True(log.IsCold(0));
        Assert.False(log.IsCold(log.LogEndOffset));
        log.Read(0, 1 << 20, true, out LogSlice slice);
        slice.Dispose();
        Assert.False(log.IsCold(0));
        Assert.True(log.IsCold(100));
    }

    [Fact]
    public async Task Index_files_are_not_written_by_reading()
    {
        PartitionLog log = _node.StartLog();
        for (int i = 0; i < 100; i++)
        {
            log.Append(TestBatches.Make(2));
        }
        await _node.Directory.CloseAsync();
        int writes = 0;
        log = _node.StartLog();
        _node.Files.Before = call => writes += call.Operation is Testing.Files.FileOperation.Write or Testing.Files.FileOperation.SetLength ? 1 : 0;
        log.ReadAll();
        log.OffsetForTime(1000);
        Assert.Equal(0, writes);
    }

    private int Open() => HandlesMax - _node.Files.FreeHandles();
}
