using LogPipeline.Files;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Records;
using LogPipeline.Testing.Files;

namespace LogPipeline.Storage.Tests;

/// <summary>
/// A log that was compacted, as Apache Kafka leaves it: below the offset in cleaner-offset-checkpoint batches are missing. Beyond it, and
/// without it, a missing batch is a loss.
/// </summary>
public sealed class MissingOffsetsTests
{
    private const int PerSegment = 5; // batches of two records

    [Theory]
    [InlineData("0 1")] // the first ones
    [InlineData("2")] // one in the middle
    [InlineData("3 4")] // the last ones
    [InlineData("0 1 2 3 4")] // all
    [InlineData("1 4 5 9")] // of two segments
    public void It_is_opened_read_and_appended_to(string missing)
    {
        foreach (bool hasSnapshots in new[] { true, false })
        {
            TestNode node = Compacted(missing, 20, hasSnapshots, out List<long> kept);
            PartitionLog log = node.StartLog();
            Assert.Equal((0, 30), (log.LogStartOffset, log.LogEndOffset));
            Assert.Equal(kept, Offsets(log));
            Assert.Equal(30, log.Append(TestBatches.Make(2)).BaseOffset);
            node.LosePower(1);
            log = node.StartLog();
            Assert.Equal([.. kept, 30], Offsets(log));
            Assert.Equal(kept.FindAll(static offset => offset + 1 >= 9), Offsets(log, 9).FindAll(static offset => offset < 30));
        }
    }

    [Theory]
    [InlineData("2", 0)]
    [InlineData("3 4", 0)]
    [InlineData("7", 13)] // batch 7 begins at offset 14
    public void Without_the_checkpoint_or_beyond_it_a_missing_batch_is_a_loss(string missing, long cleanOffset)
    {
        TestNode node = Compacted(missing, cleanOffset, hasSnapshots: false, out _);
        node.Start();
        Assert.Single(node.Directory.OfflineLogs);
    }

    [Theory]
    [InlineData("2 3", 4)] // at the begin of the hole
    [InlineData("2 3", 6)] // inside
    [InlineData("3 4", 8)] // inside, at the end of a segment
    [InlineData("0 1 2 3 4", 3)] // in a segment that is empty
    public void It_can_be_cut_where_offsets_are_missing(string missing, long offset)
    {
        TestNode node = Compacted(missing, 20, hasSnapshots: true, out List<long> kept);
        PartitionLog log = node.StartLog();
        Assert.Equal(offset, log.TruncateTo(offset));
        List<long> left = kept.FindAll(one => one < offset);
        Assert.Equal((offset, left.Count), (log.LogEndOffset, Offsets(log).Count));
        Assert.Equal(offset, log.Append(TestBatches.Make(1)).BaseOffset);
        node.LosePower(1);
        Assert.Equal([.. left, offset], Offsets(node.StartLog()));
    }

    [Fact]
    public void A_follower_takes_batches_with_missing_offsets_up_to_the_clean_offset_only()
    {
        TestNode node = Compacted("", 100, hasSnapshots: true, out _);
        PartitionLog log = node.StartLog();
        Assert.Equal(ErrorCode.None, log.AppendAsFollower(At(40), 5).Error);
        Assert.Equal(42, log.LogEndOffset);
        Assert.Equal(ErrorCode.OffsetOutOfRange, log.AppendAsFollower(At(41), 5).Error);
        Assert.Equal(ErrorCode.OffsetOutOfRange, log.AppendAsFollower(At(101), 5).Error);
        node.LosePower(1);
        Assert.Equal(42, node.StartLog().LogEndOffset);

        static byte[] At(long offset)
        {
            byte[] batch = TestBatches.Make(2);
            RecordBatch.Stamp(batch, offset, 1);
            return batch;
        }
    }

    // Three segments of five batches; those whose numbers are given are taken out of the closed ones, and the indexes with them.
    private static TestNode Compacted(string missing, long cleanOffset, bool hasSnapshots, out List<long> kept)
    {
        var node = new TestNode();
        PartitionLog log = node.StartLog();
        for (int i = 0; i < 3 * PerSegment; i++)
        {
            if (i > 0 && i % PerSegment == 0)
            {
                log.RollBelow(log.LogEndOffset);
            }
            log.Append(TestBatches.Make(2));
        }
        node.Kill();
        var files = new MemoryFileSystem(node.Disk);
        HashSet<int> gone = [.. missing.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(static number => int.Parse(number, System.Globalization.CultureInfo.InvariantCulture))];
        kept = [.. Enumerable.Range(0, 3 * PerSegment).Where(batch => !gone.Contains(batch)).Select(static batch => batch * 2L)];
        foreach (DirectoryEntry entry in files.List($"{TestNode.Root}/web_log-0"))
        {
            string path = $"{TestNode.Root}/web_log-0/{entry.Name}";
            if (entry.Name.EndsWith("index", StringComparison.Ordinal) || (!hasSnapshots && entry.Name.EndsWith(".snapshot", StringComparison.Ordinal)))
            {
                files.Delete(path);
            }
            else if (entry.Name.EndsWith(".log", StringComparison.Ordinal))
            {
                TakeOut(files, path, gone);
            }
        }
        if (cleanOffset > 0)
        {
            AtomicFile.Replace(files, TestNode.Root + "/cleaner-offset-checkpoint", System.Text.Encoding.UTF8.GetBytes($"0\n1\nweb_log 0 {cleanOffset}\n"));
        }
        files.FlushAll(TestNode.Root);
        return node;
    }

    private static void TakeOut(MemoryFileSystem files, string path, HashSet<int> gone)
    {
        byte[] all = AtomicFile.ReadAll(files, path)!;
        var left = new List<byte>();
        for (int at = 0; BatchHeader.TryParse(all.AsSpan(at), out BatchHeader header); at += header.SizeInBytes)
        {
            if (!gone.Contains((int)(header.BaseOffset / 2)))
            {
                left.AddRange(all.AsSpan(at, header.SizeInBytes));
            }
        }
        using IFile file = files.Open(path, FileOpenMode.ReadWrite);
        file.SetLength(0);
        file.Write(left.ToArray(), 0);
        file.Flush();
    }

    // The base offsets that a reader meets who goes on behind each slice.
    private static List<long> Offsets(PartitionLog log, long from = 0)
    {
        var offsets = new List<long>();
        for (long next = from; next < log.DurableOffset;)
        {
            Assert.Equal(ErrorCode.None, log.Read(next, 150, true, out LogSlice slice));
            byte[] bytes = new byte[slice.Length];
            using (slice)
            {
                slice.CopyTo(bytes);
            }
            if (bytes.Length == 0)
            {
                break; // nothing is left up to the end
            }
            for (int at = 0; at < bytes.Length;)
            {
                Assert.True(BatchHeader.TryParse(bytes.AsSpan(at), out BatchHeader header));
                offsets.Add(header.BaseOffset);
                next = header.NextOffset;
                at += header.SizeInBytes;
            }
        }
        return offsets;
    }
}
