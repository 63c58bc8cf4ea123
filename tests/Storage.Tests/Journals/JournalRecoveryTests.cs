using LogPipeline.Files;
using LogPipeline.Testing.Files;

namespace LogPipeline.Storage.Tests.Journals;

/// <summary>What a start makes of the commit journal that the last life left.</summary>
public sealed class JournalRecoveryTests
{
    private const string JournalFile = TestNode.Root + "/journal/00.journal";

    private readonly TestNode _node = new() { JournalAppendBytesMax = 1 << 20, JournalBytes = 1 << 20 };

    private static void Append(PartitionLog log, int count)
    {
        for (int i = 0; i < count; i++)
        {
            log.Append(TestBatches.Make(1));
        }
        Assert.Equal(log.LogEndOffset, log.DurableOffset);
    }

    // Nothing of the segment has reached the disk.
    private TestNode WithoutSegment(int seed = 0)
    {
        TestNode copy = _node.Copy();
        using (IFile file = copy.Files.Open(copy.LogFile(), FileOpenMode.ReadWrite))
        {
            file.SetLength(seed == 0 ? 0 : new Random(seed).Next((int)file.Length));
        }
        return copy;
    }

    [Fact]
    public void What_the_segment_lost_is_written_back_wherever_the_start_is_cut_short()
    {
        Append(_node.StartLog(), 20);
        byte[] stored = _node.Directory.Logs[0].ReadAll();
        _node.Kill();
        for (int calls = 0; ; calls++)
        {
            TestNode node = WithoutSegment(calls);
            int left = calls;
            bool isDone = true;
            try
            {
                node.StartLog(files => files.Before = _ =>
                {
                    if (left-- == 0)
                    {
                        files.Kill();
                    }
                });
            }
            catch (ObjectDisposedException)
            {
                isDone = false;
            }
            node.LosePower(calls);
            PartitionLog log = node.StartLog();
            Assert.Equal(20, log.DurableOffset);
            Assert.Equal(stored, log.ReadAll());
            if (isDone)
            {
                break;
            }
        }
    }

    [Fact]
    public async Task A_clean_stop_leaves_nothing_to_write_back()
    {
        Append(_node.StartLog(), 20);
        await _node.Directory.CloseAsync();
        Assert.Equal(0, WithoutSegmentAndSnapshots().StartLog().LogEndOffset);
    }

    // A directory as the version before the journal would leave it, had it lost everything: nothing may come from the journal.
    private TestNode WithoutSegmentAndSnapshots()
    {
        TestNode copy = WithoutSegment();
        foreach (DirectoryEntry entry in copy.Files.List(TestNode.Root + "/web_log-0"))
        {
            if (!entry.Name.EndsWith(".log", StringComparison.Ordinal) && entry.Name != "partition.metadata")
            {
                copy.Files.Delete($"{TestNode.Root}/web_log-0/{entry.Name}");
            }
        }
        return copy;
    }

    [Fact]
    public void A_log_made_again_under_the_same_topic_id_gets_nothing_of_the_one_before()
    {
        Append(_node.StartLog(), 5);
        _node.Directory.DeleteTopic("web_log", TestNode.WebLog);
        PartitionLog again = _node.Directory.Create("web_log", TestNode.WebLog, 0, 1, _node.Options)[0];
        Append(again, 2);
        _node.Kill();
        Assert.Equal(2, WithoutSegment().StartLog().LogEndOffset);
    }

    [Fact]
    public void What_was_cut_while_the_log_was_in_use_does_not_come_back()
    {
        PartitionLog log = _node.StartLog();
        Append(log, 5);
        Assert.Equal(2, log.TruncateTo(2));
        _node.Kill();
        Assert.Equal(2, _node.Copy().StartLog().LogEndOffset);
        log = _node.StartLog();
        Append(log, 3);
        byte[] stored = log.ReadAll();
        _node.LosePower(1);
        Assert.Equal(stored, _node.StartLog().ReadAll());
    }

    [Fact]
    public void Bad_bytes_in_the_last_commit_are_cut()
    {
        Append(_node.StartLog(), 3);
        _node.Kill();
        TestNode node = WithoutSegment();
        node.Disk.Corrupt(JournalFile, (2 * 4096) + 40, 1);
        Assert.Equal(2, node.StartLog().LogEndOffset);
    }

    [Fact]
    public void Bad_bytes_in_the_middle_are_no_matter_where_the_segment_holds_the_batch()
    {
        Append(_node.StartLog(), 3);
        _node.Kill();
        foreach (int position in (int[])[0, 10, 20, 32 + 60, 32 + 100])
        {
            TestNode node = _node.Copy();
            node.Disk.Corrupt(JournalFile, 4096 + position, 1);
            Assert.Equal(3, node.StartLog().LogEndOffset);
        }
    }

    [Fact]
    public void Bad_bytes_in_the_middle_refuse_the_start_where_a_batch_would_be_lost()
    {
        Append(_node.StartLog(), 3);
        _node.Kill();
        TestNode node = WithoutSegment();
        node.Disk.Corrupt(JournalFile, 4096 + 100, 1);
        CorruptJournalException e = Assert.Throws<CorruptJournalException>(() => node.StartLog());
        Assert.Equal((JournalFile, 4096), (e.DamagedFile, e.Position));
        Assert.Contains("offset 1 of web_log-0", e.Message, StringComparison.Ordinal);

        // The same where it cannot be told which batch it was.
        node = _node.Copy();
        node.Disk.Corrupt(JournalFile, 4096 + 32 + 10, 1);
        e = Assert.Throws<CorruptJournalException>(() => node.StartLog());
        Assert.Contains("cannot be named", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_a_log_that_cannot_be_opened_has_in_the_journal_is_kept_until_it_can()
    {
        Append(_node.StartLog(), 5);
        _node.Kill();
        TestNode node = WithoutSegment();
        string name = node.LogFile();
        node.Topics["web_log"] = new KnownTopic(TestNode.WebLog, 1, IsGone: false);
        node.Start(files => files.Before = call =>
        {
            if (call.Operation == FileOperation.Open && call.Path == name)
            {
                throw new IOException("input/output error", 5);
            }
        });
        Assert.Single(node.Directory.OfflineLogs);
        node.Kill();
        Assert.Equal(5, node.StartLog().LogEndOffset);
    }
}
