using LogPipeline.Files;
using LogPipeline.Protocol;
using LogPipeline.Testing.Files;

namespace LogPipeline.Storage.Tests;

public sealed class RecoveryTests
{
    private readonly TestNode _node = new();

    [Fact]
    public void A_killed_broker_loses_nothing_and_knows_five_batches()
    {
        PartitionLog log = _node.StartLog();
        for (int i = 0; i < 8; i++)
        {
            log.Append(TestBatches.Make(2, 9, 1, i * 2));
        }
        byte[] before = log.ReadAll();
        _node.Kill();
        log = _node.StartLog();
        Assert.Equal(16, log.LogEndOffset);
        Assert.Equal(16, log.DurableOffset);
        Assert.Equal(before, log.ReadAll());
        RequireWindow(log);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Five_batches_are_known_behind_a_snapshot_too(bool clean)
    {
        _node.Options = _node.Options with { CheckpointBytes = 300 };
        PartitionLog log = _node.StartLog();
        for (int i = 0; i < 8; i++)
        {
            log.Append(TestBatches.Make(2, 9, 1, i * 2));
        }
        for (int life = 0; life < 3; life++)
        {
            if (clean)
            {
                await _node.Directory.CloseAsync();
            }
            else
            {
                _node.Kill();
            }
            RequireWindow(log = _node.StartLog());
        }
    }

    [Fact]
    public void Leader_epochs_rise_at_each_start_and_say_where_they_end()
    {
        for (int life = 0; life < 4; life++)
        {
            PartitionLog log = _node.StartLog();
            Assert.Equal(life, _node.Directory.LeaderEpoch);
            if (life != 2)
            {
                log.Append(TestBatches.Make(3), leaderEpoch: life);
            }
            _node.LosePower(life);
        }
        PartitionLog last = _node.StartLog();
        Assert.Equal(4, _node.Directory.LeaderEpoch);
        Assert.Equal((0, 3), last.EndOffsetForEpoch(0, 9));
        Assert.Equal((0, 2), last.EndOffsetForEpoch(0, 2));
        Assert.Equal((1, 6), last.EndOffsetForEpoch(2, 9));
        Assert.Equal((3, 9), last.EndOffsetForEpoch(3, 9));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(0)]
    public async Task An_epoch_whose_records_are_lost_ends_where_the_log_did(int batchesKept)
    {
        byte[] batch = TestBatches.Make(3);
        for (int life = 0; life < 2; life++)
        {
            _node.StartLog().Append([.. batch], leaderEpoch: life);
            _node.Kill();
        }
        using (IFile file = new MemoryFileSystem(_node.Disk).Open(_node.LogFile(), FileOpenMode.ReadWrite))
        {
            file.SetLength(batchesKept * batch.Length);
        }
        PartitionLog log = _node.StartLog();
        Assert.Equal(3 * batchesKept, log.EndOffsetForEpoch(1, log.LogEndOffset).EndOffset);
        log.Append([.. batch], leaderEpoch: 2);
        await log.FlushedAsync(log.LogEndOffset);
        Assert.Equal(3 * batchesKept, log.EndOffsetForEpoch(1, log.LogEndOffset).EndOffset);
    }

    [Fact]
    public void Producer_ids_are_never_given_twice()
    {
        var given = new HashSet<long>();
        for (int life = 0; life < 5; life++)
        {
            DataDirectory directory = _node.Start();
            for (int i = 0; i < 700; i++)
            {
                Assert.True(given.Add(directory.NextProducerId()));
            }
            _node.LosePower(life);
        }
    }

    [Fact]
    public void A_tail_torn_at_any_byte_is_cut_and_the_log_goes_on()
    {
        PartitionLog log = _node.StartLog();
        int[] ends = new int[5];
        for (int i = 0; i < 5; i++)
        {
            log.Append(TestBatches.Make(2, 9, 1, i * 2));
            ends[i] = (int)log.SizeBytes;
        }
        _node.Kill();
        for (int cut = 0; cut <= ends[^1]; cut++)
        {
            TestNode torn = _node.Copy();
            using (IFile file = torn.Files.Open(torn.LogFile(), FileOpenMode.ReadWrite))
            {
                file.SetLength(cut);
            }
            log = torn.StartLog();
            int whole = ends.Count(end => end <= cut);
            Assert.Equal(whole * 2, log.LogEndOffset);
            Assert.Equal(whole * 2, log.Append(TestBatches.Make(2, 9, 1, whole * 2)).BaseOffset);
            Assert.Equal((whole * 2) + 2, TestBatches.Walk(log.ReadAll(), 0));
        }
    }

    [Fact]
    public void A_tail_that_reads_as_zeros_is_cut()
    {
        PartitionLog log = _node.StartLog();
        log.Append(TestBatches.Make(2));
        long end = log.SizeBytes;
        log.Append(TestBatches.Make(2, valueLength: 3000));
        long last = log.SizeBytes;
        _node.Kill();
        for (long zeros = end; zeros < last; zeros = zeros - (zeros % 512) + 512)
        {
            TestNode torn = _node.Copy();
            using (IFile file = torn.Files.Open(torn.LogFile(), FileOpenMode.ReadWrite))
            {
                file.Write(new byte[(int)Math.Min(512 - (zeros % 512), last - zeros)], zeros);
            }
            Assert.Equal(2, torn.StartLog().LogEndOffset);
        }
    }

    [Fact]
    public void A_flipped_bit_is_never_taken_for_a_torn_tail()
    {
        PartitionLog log = _node.StartLog();
        for (int i = 0; i < 5; i++)
        {
            log.Append(TestBatches.Make(2, 9, 1, i * 2));
        }
        long size = log.SizeBytes;
        _node.Kill();
        for (int at = 0; at < size; at++)
        {
            TestNode flipped = _node.Copy();
            flipped.Disk.Corrupt(flipped.LogFile(), at, (byte)(1 << (at % 8)));
            Assert.Empty(flipped.Start().Logs);
            OfflineLog offline = Assert.Single(flipped.Directory.OfflineLogs);
            Assert.Equal(("web_log", 0), (offline.Topic, offline.Partition));
            long batch = at / (size / 5);
            Assert.StartsWith(
                $"{flipped.LogFile()} is damaged at position {batch * (size / 5)}, offset {batch * 2}:", offline.Reason, StringComparison.Ordinal);
            flipped.Kill();
            flipped.Disk.Corrupt(flipped.LogFile(), at, (byte)(1 << (at % 8))); // nothing was removed
            Assert.Equal(10, flipped.StartLog().LogEndOffset);
        }
    }

    [Fact]
    public async Task A_log_shorter_than_what_was_flushed_is_refused()
    {
        PartitionLog log = _node.StartLog();
        log.Append(TestBatches.Make(5));
        await _node.Directory.CloseAsync();
        using (IFile file = _node.Files.Open(_node.LogFile(), FileOpenMode.ReadWrite))
        {
            file.SetLength(file.Length - 1);
        }
        Assert.Contains("is damaged at position", Assert.Single(_node.Start().OfflineLogs).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Recovery_reads_only_what_follows_the_newest_snapshot()
    {
        _node.Options = _node.Options with { SegmentBytes = 20_000, CheckpointBytes = 4_000 };
        PartitionLog log = _node.StartLog();
        for (int i = 0; i < 1000; i++)
        {
            log.Append(TestBatches.Make(1, valueLength: 100));
        }
        _node.Kill();
        long read = 0;
        log = _node.StartLog(files => files.Before = call => read += IsLogRead(call) ? call.Length : 0);
        Assert.Equal(1000, log.LogEndOffset);
        Assert.InRange(read, 1, 30_000);
        await _node.Directory.CloseAsync();
        read = 0;
        _node.StartLog(files => files.Before = call => read += IsLogRead(call) ? call.Length : 0);
        Assert.InRange(read, 0, 2_000);
    }

    [Theory]
    [InlineData(".index")]
    [InlineData(".timeindex")]
    [InlineData(".snapshot")]
    [InlineData("leader-epoch-checkpoint")]
    public async Task Derived_files_are_made_anew(string suffix)
    {
        _node.Options = _node.Options with { SegmentBytes = 3_000 };
        PartitionLog log = _node.StartLog();
        for (int i = 0; i < 60; i++)
        {
            log.Append(TestBatches.Make(2, 9, 1, i * 2, timestamp: 1000 + (i * 10)));
        }
        await _node.Directory.CloseAsync();
        _node.Start();
        await _node.Directory.CloseAsync();
        foreach (DirectoryEntry entry in _node.Files.List(TestNode.Root + "/web_log-0"))
        {
            if (entry.Name.EndsWith(suffix, StringComparison.Ordinal))
            {
                _node.Files.Delete(TestNode.Root + "/web_log-0/" + entry.Name);
            }
        }
        log = _node.StartLog();
        Assert.Equal(120, log.LogEndOffset);
        for (int i = 0; i < 120; i++)
        {
            Assert.Equal(ErrorCode.None, log.Read(i, 100, true, out LogSlice slice));
            Assert.Equal(i / 2 * 2, slice.FirstOffset);
            long timestamp = 1000 + (i / 2 * 10) + (i % 2);
            Assert.Equal(new TimedOffset(i, timestamp, 0), log.OffsetForTime(timestamp));
        }
        Assert.True(log.Append(TestBatches.Make(2, 9, 1, 112)).Duplicate);
    }

    [Fact]
    public void A_half_made_log_is_dropped_and_a_half_removed_one_stays_gone()
    {
        for (int stop = 0; stop < 60; stop++)
        {
            var node = new TestNode(stop);
            DataDirectory directory = node.Start();
            PartitionLog kept = directory.Create("kept", Guid.NewGuid(), 0, 1, node.Options)[0];
            PartitionLog removed = directory.Create("removed", Guid.NewGuid(), 0, 1, node.Options)[0];
            kept.Append(TestBatches.Make(1));
            removed.Append(TestBatches.Make(1));
            int left = stop;
            node.Files.Before = node.Files.After = _ =>
            {
                if (left-- == 0)
                {
                    node.Kill();
                }
            };
            bool wasRemoved = false;
            bool wasMade = false;
            try
            {
                directory.DeleteTopic("removed", removed.TopicId);
                wasRemoved = true;
                directory.Create("made", Guid.NewGuid(), 0, 1, node.Options);
                wasMade = true;
            }
            catch (ObjectDisposedException)
            {
                // Killed on the way.
            }
            node.LosePower(stop);
            string[] topics = [.. node.Start().Logs.Select(log => log.Topic)];
            Assert.Contains("kept", topics);
            Assert.False(wasRemoved && topics.Contains("removed"));
            Assert.False(wasMade && !topics.Contains("made"));
            Assert.All(node.Directory.Logs, log => Assert.InRange(log.LogEndOffset, log.Topic == "made" ? 0 : 1, 1));
        }
    }

    [Fact]
    public async Task A_full_disk_does_not_keep_the_broker_from_stopping()
    {
        PartitionLog log = _node.StartLog();
        log.Append(TestBatches.Make(2, 9, 1, 0));
        _node.Disk.Capacity = 0;
        await _node.Directory.CloseAsync();
        Assert.False(_node.Files.FileExists(TestNode.Root + "/.kafka_cleanshutdown"));
        _node.Disk.Capacity = long.MaxValue;
        log = _node.StartLog();
        Assert.Equal(2, log.LogEndOffset);
        Assert.True(log.Append(TestBatches.Make(2, 9, 1, 0)).Duplicate);
    }

    [Fact]
    public void A_second_broker_is_kept_out()
    {
        _node.Start();
        var other = new MemoryFileSystem(_node.Disk);
        Assert.Throws<DirectoryLockedException>(() => DataDirectory.Open(
            other, TestNode.Root, new DataDirectoryOptions(), _node.Time, new Random(1), Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance));
    }

    private static bool IsLogRead(FileCall call) =>
        call.Operation == FileOperation.Read && call.Path.EndsWith(".log", StringComparison.Ordinal);

    private static void RequireWindow(PartitionLog log)
    {
        for (int i = 3; i < 8; i++)
        {
            Assert.Equal(new AppendResult(ErrorCode.None, i * 2, (i * 2) + 1, 0, true), log.Append(TestBatches.Make(2, 9, 1, i * 2)));
        }
        Assert.Equal(ErrorCode.DuplicateSequenceNumber, log.Append(TestBatches.Make(2, 9, 1, 4)).Error);
        Assert.Equal(ErrorCode.OutOfOrderSequenceNumber, log.Append(TestBatches.Make(2, 9, 1, 17)).Error);
        Assert.Equal(ErrorCode.InvalidProducerEpoch, log.Append(TestBatches.Make(2, 9, 0, 0)).Error);
    }

    [Fact]
    public void A_log_keeps_its_topic_id_though_two_kills_and_a_power_cut_come_while_it_is_made()
    {
        var id = Guid.Parse("00112233-4455-6677-8899-aabbccddeeff");
        for (int seed = 0; seed < 100; seed++)
        {
            var node = new TestNode();
            node.StartLog(); // so that the directory itself is there
            node.Directory.DeleteTopic("web_log", node.Directory.Logs[0].TopicId);
            // The first kill leaves the id and a segment, neither of them on the disk yet; the second comes when the log is open.
            KillAfter(node.Files, call => call.Operation == FileOperation.SetLength && call.Path == node.LogFile());
            Assert.ThrowsAny<Exception>(() => node.Directory.Create("web_log", id, 0, 1, node.Options));
            PartitionLog found = Assert.Single(node.Start().Logs);
            found.Append(TestBatches.Make(1));
            node.LosePower(seed);
            Assert.All(node.Start().Logs, log => Assert.Equal(id, log.TopicId));
        }

        static void KillAfter(MemoryFileSystem files, Func<FileCall, bool> isLast) => files.After = call =>
        {
            if (isLast(call))
            {
                files.Kill();
            }
        };
    }
}
