using LogPipeline.Protocol;
using LogPipeline.Testing.Files;

namespace LogPipeline.Storage.Tests.Journals;

/// <summary>What small batches owe the commit journal while the broker runs.</summary>
public sealed class CommitJournalTests
{
    private readonly TestNode _node = new() { JournalAppendBytesMax = 300 };
    private readonly List<(FileCall Call, TaskCompletionSource Done)> _flushes = [];

    private static bool IsSegment(FileCall call) => call.Path.EndsWith(".log", StringComparison.Ordinal);

    private static bool IsHeader(FileCall call) =>
        call.Operation == FileOperation.Rename && call.Path.EndsWith("journal/header.tmp", StringComparison.Ordinal);

    private static bool IsJournal(FileCall call) => call.Path.EndsWith(".journal", StringComparison.Ordinal);

    private PartitionLog StartSlow()
    {
        PartitionLog log = _node.StartLog();
        _ = log.Append(TestBatches.Make(1)); // makes the journal's first file
        Assert.Equal(1, log.DurableOffset);
        _node.Files.FlushDelay = call =>
        {
            _flushes.Add((call, new TaskCompletionSource()));
            return _flushes[^1].Done.Task;
        };
        return log;
    }

    private void End(Predicate<FileCall> which, Exception? error = null)
    {
        int index = _flushes.FindIndex(flush => which(flush.Call));
        TaskCompletionSource done = _flushes[index].Done;
        _flushes.RemoveAt(index);
        if (error is null)
        {
            done.SetResult();
        }
        else
        {
            done.SetException(error);
        }
    }

    [Fact]
    public void A_small_batch_is_durable_by_one_sync_of_the_journal()
    {
        PartitionLog log = StartSlow();
        log.Append(TestBatches.Make(1));
        log.Append(TestBatches.Make(1));
        Assert.Equal(1, log.DurableOffset);
        Assert.True(IsJournal(Assert.Single(_flushes).Call));
        End(IsJournal);
        Assert.Equal(2, log.DurableOffset);
        End(IsJournal);
        Assert.Equal(3, log.DurableOffset);
        Assert.Empty(_flushes);
    }

    [Fact]
    public void One_commit_serves_every_partition()
    {
        _node.JournalBytes = 1 << 20;
        StartSlow();
        _node.Files.FlushDelay = null;
        IReadOnlyList<PartitionLog> logs = _node.Directory.Create("many", Guid.Parse("ffffffff-0000-0000-0000-000000000001"), 0, 50, _node.Options);
        var flushes = new List<FileCall>();
        var first = new TaskCompletionSource();
        _node.Files.FlushDelay = call =>
        {
            flushes.Add(call);
            return flushes.Count == 1 ? first.Task : Task.CompletedTask;
        };
        foreach (PartitionLog log in logs)
        {
            log.Append(TestBatches.Make(1));
        }
        first.SetResult();
        Assert.All(logs, static log => Assert.Equal(1, log.DurableOffset));
        Assert.Equal(2, flushes.Count); // the first batch's, and one for the other 49
        Assert.All(flushes, static call => Assert.True(IsJournal(call)));
    }

    [Fact]
    public void A_small_batch_behind_a_large_one_is_durable_only_with_it()
    {
        PartitionLog log = StartSlow();
        log.Append(TestBatches.Make(1, valueLength: 700));
        log.Append(TestBatches.Make(1));
        Assert.Equal(2, _flushes.Count);
        End(IsJournal);
        Assert.Equal(1, log.DurableOffset);
        End(IsSegment);
        Assert.Equal(3, log.DurableOffset);
    }

    [Fact]
    public void A_small_batch_appended_while_the_large_one_is_synced_needs_no_second_sync_of_the_segment()
    {
        PartitionLog log = StartSlow();
        log.Append(TestBatches.Make(1, valueLength: 700));
        log.Append(TestBatches.Make(1));
        End(IsSegment);
        Assert.Equal(2, log.DurableOffset);
        End(IsJournal);
        Assert.Equal(3, log.DurableOffset);
        Assert.Empty(_flushes);
    }

    [Fact]
    public void A_segment_of_journaled_batches_is_synced_before_it_is_full_so_that_closing_it_waits_for_little()
    {
        _node.JournalBytes = 4 << 20;
        _node.Options = _node.Options with { SegmentBytes = 8_000 };
        PartitionLog log = _node.StartLog();
        var syncedAt = new List<long>(); // log end offsets
        _node.Files.Before = call =>
        {
            if (call.Operation == FileOperation.Flush && IsSegment(call))
            {
                syncedAt.Add(log.LogEndOffset);
            }
        };
        while (log.LogEndOffset < 200 && syncedAt.Count < 2)
        {
            log.Append(TestBatches.Make(1));
        }
        long bytes = log.SizeBytes / log.LogEndOffset; // of a batch
        Assert.InRange(syncedAt[0] * bytes, 6_900, 7_200);
        Assert.InRange(syncedAt[1] * bytes, 7_700, 8_000);
    }

    [Fact]
    public async Task A_segment_is_written_back_without_haste_only_while_no_ack_waits_for_it()
    {
        PartitionLog log = _node.StartLog();
        log.Append(TestBatches.Make(1));
        await log.SyncAsync();
        var calls = new List<FileCall>();
        _node.Files.Before = call => calls.Add(call);
        long begin = log.SizeBytes;
        log.Append(TestBatches.Make(1));
        log.Append(TestBatches.Make(1));
        await log.SyncAsync();
        FileCall[] ofSegment = [.. calls.Where(static call => IsSegment(call) && call.Operation != FileOperation.Write)];
        Assert.Equal([FileOperation.WriteBack, FileOperation.Flush], ofSegment.Select(static call => call.Operation));
        Assert.Equal((begin, log.SizeBytes - begin), (ofSegment[0].Position, ofSegment[0].Length));

        calls.Clear();
        log.Append(TestBatches.Make(1, valueLength: 700)); // too large for the journal
        Assert.DoesNotContain(calls, static call => call.Operation == FileOperation.WriteBack);
        Assert.Contains(calls, static call => call.Operation == FileOperation.Flush && IsSegment(call));
    }

    [Fact]
    public void A_journal_that_cannot_be_written_hands_over_to_the_segments()
    {
        PartitionLog log = StartSlow();
        log.Append(TestBatches.Make(1));
        log.Append(TestBatches.Make(1));
        End(IsJournal, new IOException("the disk refused the sync"));
        Assert.Equal(1, log.DurableOffset);
        End(IsSegment);
        Assert.Equal(3, log.DurableOffset);
        log.Append(TestBatches.Make(1));
        Assert.True(IsSegment(Assert.Single(_flushes).Call));
        End(IsSegment);
        Assert.Equal(4, log.DurableOffset);
        Assert.Null(log.OfflineReason);
    }

    [Fact]
    public async Task Segments_are_synced_before_the_journals_space_is_used_again()
    {
        _node.JournalBytes = 32 << 10;
        PartitionLog log = _node.StartLog();
        var order = new List<string>();
        _node.Files.Before = call =>
        {
            if (call.Operation is FileOperation.Flush or FileOperation.Write && (IsSegment(call) || IsJournal(call)))
            {
                order.Add($"{call.Operation} {Path.GetFileName(call.Path)} {call.Position}");
            }
        };
        for (int i = 0; i < 40; i++)
        {
            await log.FlushedAsync(log.Append(TestBatches.Make(1)).LastOffset + 1);
        }
        // Twice when it is made: with zeros, then with the first commit.
        int[] written = [.. Enumerable.Range(0, order.Count).Where(i => order[i] == "Write 00.journal 0").Skip(1)];
        Assert.True(written.Length > 3);
        for (int lap = 1; lap < written.Length; lap++)
        {
            Assert.Contains("Flush 00000000000000000000.log 0", order[written[lap - 1]..written[lap]]);
        }
    }

    // While one pass writes the journal's header, files of the journal go on to become full: on a disk, on other threads.
    [Fact]
    public void The_journals_header_is_written_by_one_pass_at_a_time()
    {
        SynchronizationContext.SetSynchronizationContext(null); // what is released goes on here at once
        _node.JournalBytes = 32 << 10;
        PartitionLog log = _node.StartLog();
        log.Append(TestBatches.Make(1)); // makes the journal
        PartitionLog other = _node.Directory.Create("other", Guid.Parse("ffffffff-0000-0000-0000-000000000001"), 0, 1, _node.Options)[0];
        var synced = new TaskCompletionSource();
        bool isFull = false; // the first of the journal's files
        _node.Files.FlushDelay = call =>
        {
            isFull |= call.Path.EndsWith("01.journal", StringComparison.Ordinal);
            return IsSegment(call) ? synced.Task : Task.CompletedTask;
        };
        while (!isFull)
        {
            log.Append(TestBatches.Make(1));
        }
        int writing = 0;
        int mostWriting = 0;
        bool isFirst = true;
        _node.Files.Before = call =>
        {
            if (IsHeader(call))
            {
                mostWriting = Math.Max(mostWriting, ++writing);
                for (int i = 0; isFirst && i < 60; i++)
                {
                    other.Append(TestBatches.Make(1));
                }
                isFirst = false;
            }
        };
        _node.Files.After = call => writing -= IsHeader(call) ? 1 : 0;
        _node.Files.FlushDelay = null;
        synced.SetResult();
        Assert.Equal(1, mostWriting);
        Assert.Equal(60, other.DurableOffset);
        Assert.Empty(_node.Logger.Lines);
        _node.LosePower(1);
        Assert.Equal(60, _node.Start().Logs[0].DurableOffset);
    }

    [Fact]
    public async Task A_segment_that_cannot_be_synced_keeps_its_bytes_in_the_journal_for_the_next_start()
    {
        _node.JournalBytes = 32 << 10;
        PartitionLog log = _node.StartLog();
        _node.Files.Before = static call =>
        {
            if (call.Operation == FileOperation.Flush && IsSegment(call))
            {
                throw new IOException("input/output error", 5);
            }
        };
        long acknowledged = 0;
        for (int i = 0; i < 100 && log.OfflineReason is null; i++)
        {
            AppendResult result = log.Append(TestBatches.Make(1));
            if (result.Error == ErrorCode.None && log.DurableOffset > result.LastOffset)
            {
                acknowledged = result.LastOffset + 1;
            }
        }
        Assert.NotNull(log.OfflineReason);
        Assert.True(acknowledged > 0);
        await _node.Directory.CloseAsync();
        for (int seed = 0; seed < 10; seed++)
        {
            TestNode copy = _node.Copy();
            copy.LosePower(seed);
            Assert.True(copy.StartLog().DurableOffset >= acknowledged);
        }
    }

    [Fact]
    public void A_disk_without_room_to_reserve_takes_small_batches_by_their_segment()
    {
        PartitionLog log = StartSlow();
        _node.Disk.Capacity = _node.Disk.UsedBytes + 1000;
        for (int i = 0; i < 3; i++)
        {
            log.Append(TestBatches.Make(1, valueLength: 100));
        }
        _node.Disk.Capacity = _node.Disk.UsedBytes + 20;
        Assert.Equal(ErrorCode.KafkaStorageError, log.Append(TestBatches.Make(1, valueLength: 100)).Error);
        while (_flushes.Count > 0)
        {
            End(static _ => true);
        }
        Assert.Equal(4, log.DurableOffset);
    }
}
