using LogPipeline.Protocol;
using LogPipeline.Testing.Files;

namespace LogPipeline.Storage.Tests;

/// <summary>
/// A log that is cut while it is in use is afterwards as if it had never gone beyond the cut: in memory, after a clean stop, after a
/// kill and after a power cut at any call through the file seam.
/// </summary>
public sealed class TruncationTests
{
    [Fact]
    public async Task A_cut_log_is_the_one_that_never_went_beyond_the_cut()
    {
        for (int seed = 0; seed < 300; seed++)
        {
            var story = new Story(seed);
            await story.WriteAsync(story.Random.Next(5, 60));
            for (int round = 0; round < 3; round++)
            {
                long cut = story.Random.NextInt64(story.Log.LogEndOffset + 2);
                long end = story.Log.TruncateTo(cut);
                Assert.Equal(story.BorderAt(cut), end);
                story.Forget(end);
                story.Require($"seed {seed}, cut at {cut}");
                await story.ReopenAsync();
                story.Require($"seed {seed}, cut at {cut}, reopened");
                await story.WriteAsync(story.Random.Next(20));
                story.Require($"seed {seed}, written after a cut at {cut}");
            }
            await story.ReopenAsync();
            story.Require($"seed {seed}, at the end");
        }
    }

    [Fact]
    public async Task A_crash_at_any_call_of_a_cut_leaves_the_log_before_it_or_a_prefix_that_ends_no_earlier_than_it()
    {
        for (int seed = 0; seed < 25; seed++)
        {
            var prepared = new Story(seed);
            await prepared.WriteAsync(30);
            long cut = prepared.Random.NextInt64(prepared.Log.LogEndOffset);
            bool isOver = false;
            for (int call = 0; !isOver; call++)
            {
                foreach (bool power in (bool[])[false, true])
                {
                    Story story = prepared.Copy();
                    isOver = !story.CrashIn(call, () => story.Log.TruncateTo(cut), power);
                    story.Open();
                    long end = story.Log.LogEndOffset;
                    Assert.InRange(end, story.BorderAt(cut), story.End);
                    Assert.True(!isOver || end == story.BorderAt(cut), $"seed {seed}: a cut that is over holds");
                    story.Forget(end);
                    story.Require($"seed {seed}, call {call}, {(power ? "power cut" : "kill")}");
                    story.Forget(story.Log.TruncateTo(cut));
                    await story.WriteAsync(5);
                    await story.ReopenAsync();
                    story.Require($"seed {seed}, call {call}, gone on with");
                }
            }
        }
    }

    [Fact]
    public async Task Waiters_beyond_the_cut_are_told_and_a_flush_under_way_shows_nothing_of_what_was_cut()
    {
        var node = new TestNode();
        var flushes = new List<TaskCompletionSource>();
        PartitionLog log = node.StartLog();
        log.Append(TestBatches.Make(2));
        node.Files.FlushDelay = _ =>
        {
            flushes.Add(new TaskCompletionSource());
            return flushes[^1].Task;
        };
        int told = 0;
        log.Append(TestBatches.Make(2));
        log.Append(TestBatches.Make(2));
        Task kept = log.FlushedAsync(4).AsTask();
        Task cut = log.FlushedAsync(6).AsTask();
        log.Advanced += _ => told++;
        Assert.Equal(4, log.TruncateTo(5));
        await kept;
        await Assert.ThrowsAsync<LogTruncatedException>(() => cut);
        Assert.True(told > 0);
        log.Append(TestBatches.Make(3));
        flushes[0].SetResult(); // it began before the cut
        Assert.Equal(4, log.DurableOffset);
        flushes[1].SetResult();
        Assert.Equal(7, log.DurableOffset);
        Assert.Equal(7, TestBatches.Walk(log.ReadAll(), 0));
    }

    [Fact]
    public void A_reader_that_remembers_a_place_beyond_the_cut_finds_the_new_one()
    {
        var node = new TestNode();
        PartitionLog log = node.StartLog();
        log.Append(TestBatches.Make(2, valueLength: 30));
        log.Append(TestBatches.Make(2, valueLength: 60));
        log.Append(TestBatches.Make(2, valueLength: 90));
        log.ReadAll(); // remembers where offset 6 is
        Assert.Equal(ErrorCode.None, log.Read(2, 4, 1 << 20, true, out _)); // and where offset 4 is
        log.TruncateTo(2);
        log.Append(TestBatches.Make(2, valueLength: 10));
        log.Append(TestBatches.Make(2, valueLength: 20));
        log.Append(TestBatches.Make(2, valueLength: 5));
        foreach (long offset in (long[])[2, 4, 6])
        {
            Assert.Equal(ErrorCode.None, log.Read(offset, 1 << 20, true, out LogSlice slice));
            byte[] bytes = new byte[slice.Length];
            slice.CopyTo(bytes);
            Assert.Equal(8, TestBatches.Walk(bytes, offset));
        }
        Assert.Equal(ErrorCode.None, log.Read(2, 4, 1 << 20, true, out LogSlice limited));
        Assert.Equal(TestBatches.Make(2, valueLength: 10).Length, limited.Length);
    }

    [Fact]
    public void A_cut_below_the_start_is_refused_and_changes_nothing()
    {
        var node = new TestNode();
        PartitionLog log = node.StartLog();
        log.Append(TestBatches.Make(3));
        log.Append(TestBatches.Make(3));
        node.Directory.DeleteRecords([(log, 4)]);
        Assert.Throws<ArgumentOutOfRangeException>(() => log.TruncateTo(2));
        Assert.Throws<ArgumentOutOfRangeException>(() => log.TruncateTo(5)); // its batch begins at 3
        Assert.Equal((4, 6), (log.LogStartOffset, log.LogEndOffset));
        Assert.Equal(6, log.TruncateTo(6));
        Assert.Equal(6, log.TruncateTo(60));
    }

    [Fact]
    public void A_durable_append_that_the_disk_refuses_at_any_call_leaves_nothing_and_can_be_tried_again()
    {
        bool isOver = false;
        for (int call = 0; !isOver; call++)
        {
            var node = new TestNode();
            node.Options = node.Options with { Flush = FlushPolicy.Os };
            PartitionLog log = node.StartLog();
            Assert.Equal(ErrorCode.None, log.AppendDurably(TestBatches.Make(2), 0).Error);
            int left = call;
            node.Files.Before = _ =>
            {
                if (left-- == 0)
                {
                    throw new IOException("the disk refuses");
                }
            };
            AppendResult result = log.AppendDurably(TestBatches.Make(3), 0);
            isOver = left >= 0;
            node.Files.Before = null;
            Assert.True(isOver || result.Error == ErrorCode.KafkaStorageError || call == 0); // call 0 reserves space, a hint
            Assert.Equal(result.Error == ErrorCode.None ? 5 : 2, log.LogEndOffset);
            Assert.Equal(log.LogEndOffset, log.DurableOffset);
            Assert.Equal(ErrorCode.None, log.AppendDurably(TestBatches.Make(1), 0).Error);
            long end = log.LogEndOffset;
            node.LosePower(call);
            Assert.Equal(end, node.StartLog().LogEndOffset);
        }
    }

    [Fact]
    public async Task A_disk_that_refuses_half_way_takes_the_log_offline()
    {
        var node = new TestNode();
        PartitionLog log = node.StartLog();
        log.Append(TestBatches.Make(3));
        log.Append(TestBatches.Make(3));
        node.Files.Before = call =>
        {
            if (call.Operation == FileOperation.SetLength)
            {
                throw new IOException("the disk is broken");
            }
        };
        Assert.Throws<IOException>(() => log.TruncateTo(3));
        node.Files.Before = null;
        Assert.Equal(ErrorCode.KafkaStorageError, log.Append(TestBatches.Make(1)).Error);
        await Assert.ThrowsAsync<LogOfflineException>(async () => await log.FlushedAsync(7));
        node.Kill();
        Assert.InRange(node.StartLog().LogEndOffset, 3, 6);
    }

    /// <summary>A log with small segments and frequent snapshots beside a list of what it must hold.</summary>
    private sealed class Story
    {
        private readonly TestNode _node;
        private readonly List<Written> _written = [];

        private sealed record Written(long BaseOffset, long Producer, int Sequence, int Count, int Epoch, long Timestamp, byte[] Bytes);

        public Story(int seed)
            : this(new Random(seed), new TestNode(seed))
        {
            _node.Options = _node.Options with { SegmentBytes = 1_500, CheckpointBytes = 700, IndexIntervalBytes = 150 };
            Open();
        }

        private Story(Random random, TestNode node) => (Random, _node) = (random, node);

        public Random Random { get; }

        public PartitionLog Log { get; private set; } = null!;

        public long End => _written.Count == 0 ? 0 : _written[^1].BaseOffset + _written[^1].Count;

        public void Open() => Log = _node.StartLog();

        /// <summary>The same on a disk of its own, opened again.</summary>
        public Story Copy()
        {
            var copy = new Story(new Random(1), _node.Copy());
            copy._written.AddRange(_written);
            copy.Open();
            return copy;
        }

        public async Task ReopenAsync()
        {
            switch (Random.Next(3))
            {
                case 0:
                    await _node.Directory.CloseAsync();
                    break;
                case 1:
                    _node.Kill();
                    break;
                default:
                    _node.LosePower(Random.Next());
                    break;
            }
            Open();
        }

        /// <summary>Acts and crashes before the call of that number; false when it was over before.</summary>
        public bool CrashIn(int call, Action act, bool power)
        {
            int left = call;
            bool crashed = false;
            _node.Files.Before = _ =>
            {
                if (left-- == 0)
                {
                    _node.Files.Kill(static () => new ProcessDiedException());
                }
            };
            try
            {
                act();
            }
            catch (ProcessDiedException)
            {
                crashed = true;
            }
            if (power)
            {
                _node.LosePower(call);
            }
            _node.Kill();
            return crashed;
        }

        /// <summary>Appends as leader, durably; some batches have a producer, times go up and down, epochs rise.</summary>
        public async Task WriteAsync(int batches)
        {
            for (int i = 0; i < batches; i++)
            {
                long producer = Random.Next(4) == 0 ? -1 : Random.Next(3);
                int sequence = producer < 0 ? -1 : _written.Where(batch => batch.Producer == producer).Sum(static batch => batch.Count);
                int count = Random.Next(1, 4);
                int epoch = Math.Max(_node.Directory.LeaderEpoch, _written.Count == 0 ? 0 : _written[^1].Epoch);
                long timestamp = Random.Next(1_000);
                byte[] batch = TestBatches.Make(
                    count, producer, (short)(producer < 0 ? -1 : 0), sequence, timestamp, valueLength: Random.Next(5) == 0 ? 300 : 20);
                AppendResult result = Log.Append(batch, leaderEpoch: epoch);
                Assert.Equal((ErrorCode.None, End, false), (result.Error, result.BaseOffset, result.Duplicate));
                _written.Add(new Written(result.BaseOffset, producer, sequence, count, epoch, timestamp + count - 1, batch));
            }
            await Log.FlushedAsync(Log.LogEndOffset);
        }

        public long BorderAt(long offset) => _written.Find(batch => batch.BaseOffset + batch.Count > offset)?.BaseOffset ?? End;

        public void Forget(long end) => _written.RemoveAll(batch => batch.BaseOffset >= end);

        /// <summary>The log is what the list says: bytes, ends, producers, epochs, times.</summary>
        public void Require(string when)
        {
            Assert.True((End, End) == (Log.LogEndOffset, Log.DurableOffset), $"{when}: ends at {Log.LogEndOffset} instead of {End}");
            Assert.True(Log.ReadAll().AsSpan().SequenceEqual(_written.SelectMany(static batch => batch.Bytes).ToArray()), $"{when}: bytes");
            var producers = Log.Producers(out _).Select(static state => (state.ProducerId, state.LastSequence, state.LastOffset)).Order().ToList();
            var expected = _written.Where(static batch => batch.Producer >= 0).GroupBy(static batch => batch.Producer)
                .Select(static mine => (mine.Key, mine.Last().Sequence + mine.Last().Count - 1, mine.Last().BaseOffset + mine.Last().Count - 1)).Order().ToList();
            Assert.True(expected.SequenceEqual(producers), $"{when}: producers {string.Join(", ", producers)} instead of {string.Join(", ", expected)}");
            foreach (int epoch in _written.Select(static batch => batch.Epoch).Distinct())
            {
                long end = _written.Find(batch => batch.Epoch > epoch)?.BaseOffset ?? End;
                Assert.True((epoch, end) == Log.EndOffsetForEpoch(epoch, End), $"{when}: epoch {epoch}");
            }
            long largest = _written.Count == 0 ? -1 : _written.Max(static batch => batch.Timestamp);
            Assert.True(largest == (Log.MaxTimestamp()?.Timestamp ?? -1), $"{when}: largest timestamp");
            for (long time = 0; time < 1_010; time += 97)
            {
                Written? holder = _written.Find(batch => batch.Timestamp >= time);
                long? found = Log.OffsetForTime(time)?.Offset;
                Assert.True(
                    holder is null ? found is null : found >= holder.BaseOffset && found < holder.BaseOffset + holder.Count,
                    $"{when}: time {time} found at {found}");
            }
        }
    }
}
