using LogPipeline.Files;
using LogPipeline.Protocol;
using LogPipeline.Testing.Files;

namespace LogPipeline.Storage.Tests;

/// <summary>Removing a log's first segments: what stays, what a crash leaves, and what the log still knows of its producers.</summary>
public sealed class SegmentRemovalTests
{
    private const int Segments = 6;
    private const int PerSegment = 3;

    [Fact]
    public void Whole_segments_below_the_start_go_and_the_rest_is_read_as_before()
    {
        TestNode node = Filled(out PartitionLog log);
        byte[] all = log.ReadAll();
        long start = StartOfSegment(log, 3);
        node.Directory.DeleteRecords([(log, start)]);
        Assert.Equal((start, start), (log.LogStartOffset, log.Segments().First().BaseOffset));
        Assert.Equal(all[^log.ReadAll().Length..], log.ReadAll());
        Assert.Equal(ErrorCode.OffsetOutOfRange, log.Read(start - 1, 100, true, out _));
        Assert.False(node.Files.FileExists(node.LogFile()));
        node.Kill();
        Assert.Equal(start, node.StartLog().LogStartOffset);
    }

    [Fact]
    public void A_power_cut_at_any_call_leaves_no_gap_and_revives_nothing_that_was_told_to_be_gone()
    {
        TestNode filled = Filled(out PartitionLog full);
        byte[] all = full.ReadAll();
        long start = StartOfSegment(full, 4);
        filled.Kill();
        for (int calls = 0; ; calls++)
        {
            TestNode node = filled.Copy();
            int left = int.MaxValue;
            PartitionLog log = node.StartLog(files => files.Before = call => Die(files, ref left));
            long told = 0;
            bool isDone = false;
            try
            {
                left = calls;
                node.Directory.DeleteRecords([(log, start)]);
                told = log.LogStartOffset;
                isDone = true;
            }
            catch (Died)
            {
                told = log.LogStartOffset;
            }
            node.LosePower(calls);
            for (int life = 0; life < 3; life++)
            {
                PartitionLog again = node.StartLog();
                Assert.InRange(again.LogStartOffset, told, start);
                byte[] rest = again.ReadAll(); // walks the offsets
                Assert.Equal(all[^rest.Length..], rest);
                Assert.Equal(again.LogStartOffset, again.Segments().First().BaseOffset);
                told = again.LogStartOffset;
                node.LosePower(life);
            }
            if (isDone)
            {
                Assert.Equal(start, told);
                return;
            }
        }
    }

    [Fact]
    public void Another_logs_removal_keeps_a_start_whose_files_a_power_cut_brings_back()
    {
        for (int seed = 0; seed < 30; seed++)
        {
            TestNode node = Filled(out PartitionLog log);
            PartitionLog other = node.Directory.Create("other", Guid.NewGuid(), 0, 1, node.Options)[0];
            other.Append(TestBatches.Make(3));
            long start = StartOfSegment(log, 4);
            node.Directory.DeleteRecords([(log, start)]);
            node.Directory.DeleteRecords([(other, 1)]);
            node.LosePower(seed);
            node.Start();
            PartitionLog again = node.Directory.Logs.Single(one => one.Topic == "web_log");
            Assert.Equal((start, start), (again.LogStartOffset, again.Segments().First().BaseOffset));
        }
    }

    [Fact]
    public void A_producer_is_known_after_every_segment_it_wrote_to_is_gone_and_after_a_restart_too()
    {
        var node = new TestNode();
        PartitionLog log = node.StartLog();
        for (int i = 0; i < 7; i++)
        {
            Assert.Equal(ErrorCode.None, log.Append(TestBatches.Make(2, producerId: 5, epoch: 0, sequence: i * 2)).Error);
        }
        Assert.Equal(14, log.RollBelow(14));
        node.Directory.DeleteRecords([(log, 14)]);
        Assert.Equal(14, log.LogStartOffset);
        Check(log);
        node.LosePower(3);
        log = node.StartLog();
        Check(log);
        Assert.Equal(14, log.Append(TestBatches.Make(2, producerId: 5, epoch: 0, sequence: 14)).BaseOffset);

        static void Check(PartitionLog log)
        {
            Assert.Equal((ErrorCode.None, 12L, true), Answer(log, 12));
            Assert.Equal((ErrorCode.DuplicateSequenceNumber, -1L, false), Answer(log, 0));
            Assert.Equal((ErrorCode.OutOfOrderSequenceNumber, -1L, false), Answer(log, 20));
        }

        static (ErrorCode Error, long BaseOffset, bool Duplicate) Answer(PartitionLog log, int sequence)
        {
            AppendResult result = log.Append(TestBatches.Make(2, producerId: 5, epoch: 0, sequence: sequence));
            return (result.Error, result.BaseOffset, result.Duplicate);
        }
    }

    [Fact]
    public void A_log_whose_snapshots_are_gone_writes_one_before_it_removes_a_segment()
    {
        TestNode node = Filled(out PartitionLog log, producerId: 5);
        node.Kill();
        var files = new MemoryFileSystem(node.Disk);
        foreach (string name in files.List($"{TestNode.Root}/web_log-0").Select(static entry => entry.Name).Where(static name => name.EndsWith(".snapshot", StringComparison.Ordinal)))
        {
            files.Delete($"{TestNode.Root}/web_log-0/{name}");
        }
        log = node.StartLog();
        long end = log.LogEndOffset;
        node.Directory.DeleteRecords([(log, StartOfSegment(log, Segments - 1))]);
        node.LosePower(1);
        log = node.StartLog();
        Assert.Equal(end - 1, Assert.Single(log.Producers(out _)).LastSequence);
    }

    [Fact]
    public void An_epoch_whose_records_were_removed_ends_at_the_logs_start_and_not_where_it_was_followed()
    {
        var node = new TestNode();
        PartitionLog log = node.StartLog();
        for (int epoch = 0; epoch < 4; epoch++)
        {
            log.Append(TestBatches.Make(10), leaderEpoch: epoch);
        }
        Assert.Equal((1, 20), log.EndOffsetForEpoch(1, 40));
        Assert.Equal(40, log.RollBelow(40));
        node.Directory.DeleteRecords([(log, 25)]);
        Check(log);
        node.Directory.DeleteRecords([(log, 40)]);
        Assert.Equal((1, 40), log.EndOffsetForEpoch(1, 40));
        node.LosePower(1);
        log = node.StartLog();
        Assert.Equal((1, 40), log.EndOffsetForEpoch(1, 40));

        static void Check(PartitionLog log)
        {
            Assert.Equal((0, 25), log.EndOffsetForEpoch(0, 40)); // a reader at 25 has lost nothing
            Assert.Equal((2, 30), log.EndOffsetForEpoch(2, 40));
            Assert.Equal((3, 40), log.EndOffsetForEpoch(3, 40));
        }
    }

    [Fact]
    public void An_active_segment_that_takes_records_meanwhile_stays()
    {
        var node = new TestNode();
        PartitionLog log = node.StartLog();
        log.Append(TestBatches.Make(3));
        long seen = log.LogEndOffset;
        log.Append(TestBatches.Make(1));
        Assert.Equal(0, log.RollBelow(seen));
        Assert.Single(log.Segments());
        Assert.Equal(4, log.RollBelow(4));
        Assert.Equal([4, 4], log.Segments().Select(static segment => segment.EndOffset));
        Assert.Equal(4, log.RollBelow(4)); // an empty one is not rolled again
        Assert.Equal(2, log.Segments().Count());
    }

    [Fact]
    public void A_segment_is_rolled_when_it_is_old_though_nothing_comes_in()
    {
        var node = new TestNode();
        node.Options = node.Options with { SegmentTime = TimeSpan.FromHours(1) };
        PartitionLog log = node.StartLog();
        node.Time.Advance(TimeSpan.FromHours(2));
        log.RollWhenDue();
        Assert.Single(log.Segments()); // an empty segment stays
        log.Append(TestBatches.Make(1));
        log.RollWhenDue();
        Assert.Equal([true, false], log.Segments().Select(static segment => segment.SizeBytes > 0));
        node.LosePower(1);
        log = node.StartLog();
        Assert.Equal((1, 2), (log.LogEndOffset, log.Segments().Count()));
    }

    [Fact]
    public void A_segment_is_as_new_as_its_largest_timestamp_or_by_arrival_as_its_last_append()
    {
        var node = new TestNode();
        PartitionLog log = node.StartLog();
        node.Time.Advance(TimeSpan.FromHours(1));
        long arrived = node.Time.GetUtcNow().ToUnixTimeMilliseconds();
        log.Append(TestBatches.Make(2, timestamp: 5_000_000_000_000));
        log.RollBelow(2);
        Assert.Equal(5_000_000_000_001, log.Segments().First().Time);
        log.Options = log.Options with { RetentionClock = RetentionClock.Arrival };
        node.Time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(arrived, log.Segments().First().Time);
        node.Kill();
        node.Options = log.Options;
        Assert.Equal(arrived, node.StartLog().Segments().First().Time);
    }

    [Fact]
    public void A_full_disk_gives_the_reserve_for_a_removal()
    {
        TestNode node = Filled(out PartitionLog log);
        node.Kill();
        node.ReservedBytes = 64 << 10;
        log = node.StartLog();
        using (IFile reserve = node.Files.Open(TestNode.Root + "/reserved.space", FileOpenMode.ReadWrite))
        {
            reserve.SetLength(node.ReservedBytes); // this disk reserves nothing for an empty file
        }
        node.Disk.Capacity = node.Disk.UsedBytes;
        node.Directory.DeleteRecords([(log, StartOfSegment(log, 4))]);
        Assert.False(node.Files.FileExists(node.LogFile()));
    }

    [Fact]
    public void The_start_of_a_log_that_cannot_be_opened_is_kept()
    {
        TestNode node = Filled(out PartitionLog log);
        long start = StartOfSegment(log, 4) + 1;
        node.Directory.DeleteRecords([(log, start)]);
        PartitionLog other = node.Directory.Create("other", Guid.NewGuid(), 0, 1, node.Options)[0];
        other.Append(TestBatches.Make(3));
        node.Kill();
        node.Start(static files => files.Before = static call =>
        {
            if (call.Path.Contains("/web_log-0/", StringComparison.Ordinal) && call.Operation == FileOperation.Open)
            {
                throw new IOException("input/output error");
            }
        });
        node.Directory.DeleteRecords([(node.Directory.Logs.Single(), 2)]);
        node.LosePower(1);
        node.Start();
        Assert.Equal([2, start], node.Directory.Logs.Select(static one => one.LogStartOffset));
    }

    private static TestNode Filled(out PartitionLog log, long producerId = -1)
    {
        var node = new TestNode();
        log = node.StartLog();
        int sequence = 0;
        for (int i = 0; i < Segments * PerSegment; i++)
        {
            if (i > 0 && i % PerSegment == 0)
            {
                log.RollBelow(log.LogEndOffset);
            }
            Assert.Equal(ErrorCode.None, log.Append(TestBatches.Make(2, producerId, (short)(producerId < 0 ? -1 : 0), producerId < 0 ? -1 : sequence, timestamp: 1000 + i)).Error);
            sequence += 2;
        }
        Assert.Equal(Segments, log.Segments().Count());
        return node;
    }

    private static long StartOfSegment(PartitionLog log, int index) => log.Segments().ElementAt(index).BaseOffset;

    private static void Die(MemoryFileSystem files, ref int left)
    {
        if (left-- <= 0)
        {
            files.Kill(static () => new Died());
        }
    }

    private sealed class Died : Exception;
}
