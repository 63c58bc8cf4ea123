using LogPipeline.Files.Waiting;
using LogPipeline.Protocol;

namespace LogPipeline.Storage.Tests.Journals;

/// <summary>
/// Random lives of several logs over one small journal: turns with appends and faults in them, syncs that end in any order or are refused,
/// appends out of what a sync released, a stop at any moment. Once every sync has ended nobody waits any more, and what was
/// acked outlives a power cut.
/// </summary>
public sealed class WaiterModelTests
{
    [Fact]
    public void Everyone_who_waits_is_released_and_what_was_acked_is_kept()
    {
        SynchronizationContext.SetSynchronizationContext(null); // what is released goes on here at once
        int acks = 0;
        int offline = 0;
        int stops = 0;
        for (int seed = 0; seed < 300; seed++)
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
            acks += story.Acks;
            offline += story.Refusals;
            stops += story.Stops;
        }
        Assert.True(acks > 10_000 && offline > 100 && stops > 300, $"{acks} acks, {offline} refused, {stops} stops: too few");
    }

    private sealed class Story
    {
        private const int LogCount = 4;

        private readonly Random _random;
        private readonly TestNode _node;
        private readonly bool _mayRefuse;
        private readonly List<TaskCompletionSource> _flushes = [];
        private readonly long[] _acked = new long[LogCount];
        private PartitionLog[] _logs = [];
        private int _waiting;
        private bool _isSlow;
        private bool _isEarly; // an ack came before what it is for was durable

        public Story(int seed)
        {
            _random = new Random(seed);
            _mayRefuse = seed % 2 == 0;
            _node = new TestNode(seed)
            {
                JournalAppendBytesMax = 400,
                JournalBytes = 32 << 10,
                Options = new PartitionLogOptions { SegmentBytes = seed % 3 == 0 ? 4_000 : 1 << 20, CheckpointBytes = 2_000, IndexIntervalBytes = 200 },
            };
            _node.Topics["web_log"] = new KnownTopic(TestNode.WebLog, LogCount, IsGone: true);
        }

        public int Acks { get; private set; }

        public int Refusals { get; private set; }

        public int Stops { get; private set; }

        public void Run()
        {
            _node.Start();
            _node.Directory.Create("web_log", TestNode.WebLog, 0, LogCount, _node.Options);
            _node.Topics["web_log"] = new KnownTopic(TestNode.WebLog, LogCount, IsGone: false);
            for (int life = 0; life < 4; life++)
            {
                _logs = [.. _node.Directory.Logs];
                Live();
                if (_random.Next(2) == 0)
                {
                    Stop();
                }
                else if (_random.Next(2) == 0)
                {
                    Settle();
                    Assert.Equal(0, _waiting);
                }
                Restart();
            }
        }

        private void Live()
        {
            _isSlow = true;
            _node.Files.FlushDelay = _ =>
            {
                if (!_isSlow || _random.Next(4) == 0)
                {
                    return Task.CompletedTask;
                }
                _flushes.Add(new TaskCompletionSource());
                return _flushes[^1].Task;
            };
            for (int step = 0; step < 60; step++)
            {
                if (_random.Next(3) == 0)
                {
                    EndFlush(_mayRefuse);
                }
                else
                {
                    TakeTurn(_random.Next(1, 8));
                }
            }
        }

        // As the event loop does, whatever a request throws.
        private void TakeTurn(int appends)
        {
            try
            {
                using Turn.Scope turn = Turn.Begin();
                for (int i = 0; i < appends; i++)
                {
                    Append(_random.Next(LogCount), again: _random.Next(3));
                    if (_random.Next(10) == 0)
                    {
                        EndFlush(mayRefuse: false);
                    }
                }
                if (_random.Next(8) == 0)
                {
                    throw new InvalidOperationException("a fault in a turn");
                }
            }
            catch (InvalidOperationException e) when (e.Message == "a fault in a turn")
            {
            }
        }

        private void Append(int number, int again)
        {
            AppendResult result = _logs[number].Append(TestBatches.Make(1, valueLength: _random.Next(12) == 0 ? 700 : 20), leaderEpoch: _node.Directory.LeaderEpoch);
            if (result.Error == ErrorCode.None)
            {
                _waiting++;
                Await(number, result.LastOffset + 1, again);
            }
        }

        private async void Await(int number, long end, int again)
        {
            try
            {
                await _logs[number].FlushedAsync(end);
                _isEarly |= _logs[number].DurableOffset < end;
                _acked[number] = Math.Max(_acked[number], end);
                Acks++;
            }
            catch (LogOfflineException)
            {
                Refusals++;
                again = 0;
            }
            _waiting--;
            if (again > 0)
            {
                Append(_random.Next(LogCount), again - 1);
            }
        }

        private void EndFlush(bool mayRefuse)
        {
            if (_flushes.Count == 0)
            {
                return;
            }
            int index = _random.Next(_flushes.Count);
            TaskCompletionSource flush = _flushes[index];
            _flushes.RemoveAt(index);
            if (mayRefuse && _random.Next(25) == 0)
            {
                flush.SetException(new IOException("the disk refused the sync", 5));
            }
            else
            {
                flush.SetResult();
            }
        }

        private void Settle()
        {
            _isSlow = false;
            while (_flushes.Count > 0)
            {
                EndFlush(mayRefuse: false);
            }
        }

        private void Stop()
        {
            Task stopping = _node.Directory.CloseAsync();
            _isSlow = _random.Next(2) == 0;
            while (_flushes.Count > 0)
            {
                EndFlush(mayRefuse: _random.Next(10) == 0);
            }
            Assert.True(stopping.IsCompletedSuccessfully, $"the stop waits for ever, {_waiting} wait: {stopping.Exception}");
            Assert.Equal(0, _waiting);
            Stops++;
        }

        private void Restart()
        {
            _flushes.Clear();
            if (_random.Next(3) == 0)
            {
                _node.Kill();
            }
            else
            {
                _node.LosePower(_random.Next());
            }
            _waiting = 0;
            Assert.Empty(_node.Fatal);
            Assert.False(_isEarly);
            _node.Start();
            long[] ends = Ends();
            if (_random.Next(2) == 0)
            {
                // What the start shows is durable: a power cut right after it takes nothing back.
                _node.LosePower(_random.Next());
                _node.Start();
                Assert.Equal(ends, Ends());
            }
            for (int i = 0; i < LogCount; i++)
            {
                Assert.True(ends[i] >= _acked[i], $"log {i} ends at {ends[i]}, acked up to {_acked[i]}");
                _acked[i] = ends[i];
            }
        }

        private long[] Ends()
        {
            Assert.Empty(_node.Directory.OfflineLogs);
            Assert.All(_node.Directory.Logs, static log => Assert.Equal(log.LogEndOffset, log.DurableOffset));
            Assert.All(_node.Directory.Logs, static log => log.ReadAll());
            return [.. _node.Directory.Logs.Select(static log => log.LogEndOffset)];
        }
    }
}
