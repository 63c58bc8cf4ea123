using LogPipeline.Files.Journals;
using LogPipeline.Testing.Files;

namespace LogPipeline.Files.Tests.Journals;

/// <summary>
/// Random lives of a journal against a model: appends, commits, trims, slow flushes, a disk that refuses, kills and power cuts at any
/// call through the file seam. Whatever happens, a reader finds every entry that was reported durable and not trimmed, in order,
/// nothing that was not appended, and no damage.
/// </summary>
public sealed class JournalCrashTests
{
    [Fact]
    public void What_was_durable_is_read_back_wherever_the_process_or_the_power_fails()
    {
        int laps = 0;
        int torn = 0;
        for (int seed = 0; seed < 1500; seed++)
        {
            var story = new Story(seed);
            try
            {
                story.Run();
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"seed {seed}: {e.Message}", e);
            }
            laps += story.Laps;
            torn += story.TornTails;
        }
        Assert.True(laps > 500 && torn > 50, $"{laps} laps and {torn} torn tails: the stories do not reach what they are about");
    }

    private sealed class Story
    {
        private readonly Random _random;
        private readonly TestJournal _node;
        private readonly List<TaskCompletionSource> _flushes = [];
        private readonly List<(int Number, long Commit)> _appended = []; // those that may be read back
        private int _next = 1;
        private long _durable; // commits up to it were reported
        private long _trimmed; // commits up to it may be gone
        private int _callsLeft;
        private int _files;

        public Story(int seed) => (_random, _node) = (new Random(seed), new TestJournal(new Random(~seed)));

        public int Laps { get; private set; }

        public int TornTails { get; private set; }

        public void Run()
        {
            for (int life = 0; life < 6; life++)
            {
                try
                {
                    _callsLeft = _random.Next(3) == 0 ? _random.Next(40) : _random.Next(400);
                    Start(Prepare);
                    Live();
                    Settle();
                    if (_random.Next(4) == 0)
                    {
                        Close();
                    }
                }
                catch (ProcessDiedException)
                {
                    // The process died in a call of ours; dying in a commit reaches Failed.
                }
                Assert.All(_node.Failures, e => Assert.True(e is ProcessDiedException or IOException, e.ToString()));
                Observe();
                _flushes.Clear();
                _node.Disk.Capacity = long.MaxValue;
                if (_random.Next(3) == 0)
                {
                    _node.Files.Kill();
                }
                else
                {
                    _node.LosePower(_random.Next());
                }
            }
            _callsLeft = int.MaxValue;
            Start(null);
        }

        private void Start(Action<MemoryFileSystem>? prepare)
        {
            JournalReader found = _node.Read(prepare);
            Check(found);
            // Either everything is safe elsewhere by now, or some of it is still needed in this life.
            long safe = _random.Next(2) == 0 ? found.LastCommit : Math.Max(_trimmed, found.LastCommit - _random.Next(4));
            _durable = found.LastCommit;
            // The crash may come after the header was replaced.
            _trimmed = Math.Max(_trimmed, safe);
            _node.Open(found, safe);
        }

        // What is read is what was appended, from the first entry not trimmed at the latest to the last durable one at least.
        private void Check(JournalReader found)
        {
            TornTails += found.HasTornTail ? 1 : 0;
            Assert.Empty(found.Damages);
            Assert.True(found.LastCommit >= _durable, $"commit {_durable} was durable, {found.LastCommit} is the last");
            List<int> numbers = TestJournal.Numbers(found);
            _appended.RemoveAll(entry => entry.Commit > found.LastCommit);
            Assert.Equal(_appended.TakeLast(numbers.Count).Select(static entry => entry.Number), numbers);
            Assert.True(numbers.Count >= _appended.Count(entry => entry.Commit > _trimmed));
        }

        private void Live()
        {
            _node.OnSpaceNeeded = last => Assert.True(last == _node.Journal.DurableCommit);
            for (int step = 0; step < 60; step++)
            {
                switch (_random.Next(12))
                {
                    case 0 or 1 or 2 when _flushes.Count > 0:
                        EndFlush();
                        break;
                    case 3 or 4:
                        _node.Journal.Commit();
                        break;
                    case 5:
                        Trim();
                        break;
                    case 6:
                        _node.Disk.Capacity = _random.Next(3) == 0 ? _node.Disk.UsedBytes + _random.Next(6000) : long.MaxValue;
                        break;
                    default:
                        Append();
                        break;
                }
                Observe();
            }
        }

        private void Append()
        {
            int length = _random.Next(6) == 0 ? _random.Next(4, 9000) : _random.Next(4, 300);
            if (_node.TryAppend(_next, length, out long commit))
            {
                _appended.Add((_next++, commit));
            }
        }

        private void Trim()
        {
            long upTo = _durable - _random.Next(3);
            try
            {
                _trimmed = Math.Max(_trimmed, upTo); // before: the crash may come after the header was replaced
                _node.Journal.Trim(upTo);
            }
            catch (IOException)
            {
                // A full disk: nothing is used again, and a later trim goes on.
            }
        }

        private void Close()
        {
            if (_durable == _appended.LastOrDefault().Commit && _node.Failures.Count == 0)
            {
                _trimmed = _durable;
                _node.Journal.Trim(_durable);
                _node.Journal.Close();
                _callsLeft = int.MaxValue;
                JournalReader found = _node.Read();
                Assert.Empty(found.Entries);
                Assert.Equal(_durable, found.LastCommit);
            }
        }

        private void Settle()
        {
            _node.Disk.Capacity = long.MaxValue;
            while (_flushes.Count > 0)
            {
                EndFlush();
            }
            _node.Journal.Commit();
            Observe();
        }

        private void EndFlush()
        {
            TaskCompletionSource flush = _flushes[0];
            _flushes.RemoveAt(0);
            if (_random.Next(20) == 0)
            {
                flush.SetException(new IOException("the disk refused the sync"));
            }
            else
            {
                flush.SetResult();
            }
        }

        private void Observe()
        {
            foreach (JournalCommit commit in _node.Commits)
            {
                Assert.Equal(_durable + 1, commit.Number);
                _durable = commit.Number;
                Laps += commit.File < _files ? 1 : 0;
                _files = commit.File;
            }
            _node.Commits.Clear();
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
            files.FlushDelay = _ =>
            {
                if (_random.Next(2) == 0)
                {
                    return Task.CompletedTask;
                }
                _flushes.Add(new TaskCompletionSource());
                return _flushes[^1].Task;
            };
        }
    }
}
