using LogPipeline.Protocol;
using LogPipeline.Testing.Files;

namespace LogPipeline.Storage.Tests;

/// <summary>
/// Random lives of a log against a model: appends, repeats, slow flushes, rolls, full disks, kills and power cuts at any call
/// through the file seam. After each restart the log is a prefix of what was appended with all that was acknowledged in it, and
/// its producers are those of that prefix.
/// </summary>
public sealed class CrashModelTests
{
    [Fact]
    public async Task Whatever_crashes_the_acknowledged_prefix_survives()
    {
        for (int seed = 0; seed < 1500; seed++)
        {
            try
            {
                await new Story(seed).RunAsync();
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"seed {seed}: {e.Message}", e);
            }
        }
    }

    private sealed class Story(int seed)
    {
        private readonly Random _random = new(seed);
        private readonly TestNode _node = new(seed);
        private readonly List<(long Producer, int Sequence, int Count, byte[] Batch)> _appended = [];
        private readonly Dictionary<long, int> _nextSequence = [];
        private readonly List<TaskCompletionSource> _flushes = [];
        private PartitionLog _log = null!;
        private long _acknowledged;
        private int _callsLeft;
        private int _lastEpoch = -1;

        public async Task RunAsync()
        {
            _node.Options = _node.Options with { SegmentBytes = 2_500, CheckpointBytes = 800, IndexIntervalBytes = 150 };
            _node.JournalAppendBytesMax = (seed % 4) switch
            {
                0 => 0, // every batch is synced in its segment
                1 => int.MaxValue,
                _ => 400, // small ones go into the journal, large ones do not
            };
            _node.JournalBytes = seed % 3 == 0 ? 32 << 10 : 128 << 10;
            for (int life = 0; life < 6; life++)
            {
                bool isUp = false;
                try
                {
                    _callsLeft = _random.Next(3) == 0 ? _random.Next(60) : _random.Next(500);
                    _log = _node.StartLog(Prepare);
                    isUp = true;
                    Check();
                    Live();
                    await SettleAsync();
                    if (_random.Next(3) == 0)
                    {
                        await _node.Directory.CloseAsync();
                    }
                }
                catch (ProcessDiedException)
                {
                    // The process died in a call of ours; dying in a flush reaches OnFatal.
                }
                Assert.All(_node.Fatal, e => Assert.IsType<ProcessDiedException>(e));
                _node.Disk.Capacity = long.MaxValue;
                _flushes.Clear();
                if (_random.Next(3) == 0)
                {
                    _node.Kill();
                }
                else
                {
                    _node.LosePower(_random.Next());
                }
                _ = isUp;
            }
            _callsLeft = int.MaxValue;
            _log = _node.StartLog();
            Check();
        }

        private void Prepare(MemoryFileSystem files)
        {
            void Count(FileCall call)
            {
                if (_callsLeft-- <= 0)
                {
                    files.Die();
                }
            }
            files.Before = Count;
            files.After = Count;
            files.FlushDelay = call =>
            {
                if (_random.Next(2) == 0)
                {
                    return Task.CompletedTask;
                }
                _flushes.Add(new TaskCompletionSource());
                return _flushes[^1].Task;
            };
        }

        private void Live()
        {
            for (int step = 0; step < 40; step++)
            {
                switch (_random.Next(10))
                {
                    case 0 when _flushes.Count > 0:
                    case 1 when _flushes.Count > 0:
                        TaskCompletionSource flush = _flushes[0];
                        _flushes.RemoveAt(0);
                        flush.SetResult();
                        break;
                    case 2:
                        Repeat();
                        break;
                    case 3:
                        _node.Disk.Capacity = _random.Next(3) == 0 ? _node.Disk.UsedBytes + _random.Next(200) : long.MaxValue;
                        break;
                    default:
                        Append();
                        break;
                }
                Acknowledge();
            }
        }

        private void Append()
        {
            long producer = _random.Next(4);
            int sequence = _nextSequence.GetValueOrDefault(producer);
            int count = _random.Next(1, 4);
            byte[] batch = TestBatches.Make(count, producer, 0, sequence, valueLength: _random.Next(5) == 0 ? 700 : 20);
            _appended.Add((producer, sequence, count, batch)); // the crash may come after the write
            AppendResult result = _log.Append(batch, leaderEpoch: _lastEpoch);
            if (result.Error != ErrorCode.None)
            {
                Assert.Equal(ErrorCode.KafkaStorageError, result.Error);
                _appended.RemoveAt(_appended.Count - 1);
                return;
            }
            Assert.Equal(_appended.Take(_appended.Count - 1).Sum(entry => (long)entry.Count), result.BaseOffset);
            _nextSequence[producer] = sequence + count;
        }

        // Any of a producer's last five batches gets its old offsets, an older one 46.
        private void Repeat()
        {
            long producer = _random.Next(4);
            long offset = 0;
            var mine = new List<(long Offset, int Sequence, int Count)>();
            foreach ((long id, int sequence, int count, _) in _appended)
            {
                if (id == producer)
                {
                    mine.Add((offset, sequence, count));
                }
                offset += count;
            }
            if (mine.Count == 0)
            {
                return;
            }
            int index = _random.Next(mine.Count);
            AppendResult result = _log.Append(TestBatches.Make(mine[index].Count, producer, 0, mine[index].Sequence));
            if (_log.OfflineReason is not null)
            {
                return;
            }
            Assert.Equal(
                index >= mine.Count - 5
                    ? new AppendResult(ErrorCode.None, mine[index].Offset, mine[index].Offset + mine[index].Count - 1, 0, true)
                    : new AppendResult(ErrorCode.DuplicateSequenceNumber, -1, -1, 0, false),
                result);
        }

        private void Acknowledge() => _acknowledged = Math.Max(_acknowledged, _log.DurableOffset);

        private async Task SettleAsync()
        {
            _node.Disk.Capacity = long.MaxValue;
            while (_flushes.Count > 0)
            {
                TaskCompletionSource flush = _flushes[0];
                _flushes.RemoveAt(0);
                flush.SetResult();
                await Task.Yield();
            }
            Acknowledge();
        }

        // The log after a restart is a prefix; what it lacks was never acknowledged and is forgotten here too.
        private void Check()
        {
            Assert.True(_node.Directory.LeaderEpoch > _lastEpoch);
            _lastEpoch = _node.Directory.LeaderEpoch;
            Assert.True(_log.LogEndOffset >= _acknowledged, $"{_acknowledged} acknowledged, {_log.LogEndOffset} there");
            Assert.Equal(_log.LogEndOffset, _log.DurableOffset);
            long end = 0;
            int kept = 0;
            while (end < _log.LogEndOffset)
            {
                end += _appended[kept++].Count;
            }
            Assert.Equal(_log.LogEndOffset, end);
            _appended.RemoveRange(kept, _appended.Count - kept);
            RequireBytes(_log.ReadAll());
            _nextSequence.Clear();
            foreach ((long producer, int sequence, int count, _) in _appended)
            {
                _nextSequence[producer] = sequence + count;
            }
            _acknowledged = end;
        }

        private void RequireBytes(ReadOnlySpan<byte> stored)
        {
            foreach ((_, _, _, byte[] batch) in _appended)
            {
                // All but base offset and leader epoch, which the log stamps.
                Assert.True(stored[16..batch.Length].SequenceEqual(batch.AsSpan(16)));
                stored = stored[batch.Length..];
            }
            Assert.True(stored.IsEmpty);
        }
    }
}
