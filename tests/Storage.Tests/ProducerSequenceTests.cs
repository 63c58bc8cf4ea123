using LogPipeline.Protocol;
using LogPipeline.Protocol.Records;

namespace LogPipeline.Storage.Tests;

/// <summary>
/// Random histories of one idempotent producer with up to five batches in flight, some of them refused on the way, against a model
/// that knows what the log took. Clients take DuplicateSequenceNumber for "stored", so no batch that the log does not have may get it.
/// </summary>
public sealed class ProducerSequenceTests
{
    private const int BatchBytesMax = 600;

    [Fact]
    public async Task A_batch_is_called_a_duplicate_only_if_the_log_took_it()
    {
        int old = 0;
        for (int seed = 0; seed < 400; seed++)
        {
            try
            {
                old += await new History(seed).RunAsync();
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"seed {seed}: {e.Message}", e);
            }
        }
        Assert.True(old > 1000, $"only {old} old repeats were told");
    }

    [Fact]
    public void A_refused_first_batch_that_comes_again_behind_a_taken_one_is_out_of_order()
    {
        var node = new TestNode();
        PartitionLog log = node.StartLog();
        node.Options = log.Options = log.Options with { BatchBytesMax = BatchBytesMax };
        Assert.Equal(ErrorCode.MessageTooLarge, log.Append(TestBatches.Make(2, 9, 0, 0, valueLength: BatchBytesMax)).Error);
        for (int sequence = 2; sequence < 20; sequence += 2)
        {
            Assert.Equal(ErrorCode.None, log.Append(TestBatches.Make(2, 9, 0, sequence)).Error);
        }
        Assert.Equal(ErrorCode.OutOfOrderSequenceNumber, log.Append(TestBatches.Make(1, 9, 0, 0)).Error);
        Assert.Equal(ErrorCode.OutOfOrderSequenceNumber, log.Append(TestBatches.Make(2, 9, 0, 1)).Error);
        Assert.Equal(ErrorCode.DuplicateSequenceNumber, log.Append(TestBatches.Make(2, 9, 0, 2)).Error);
    }

    /// <summary>A producer, its batches on the way, and the log that they go to.</summary>
    private sealed class History
    {
        private readonly Random _random;
        private readonly TestNode _node;
        private readonly List<(int Sequence, int Count, short Epoch)> _sent = []; // all of it, refused ones too
        private readonly HashSet<(int Sequence, short Epoch)> _taken = [];
        private readonly Queue<(int Sequence, int Count)> _inFlight = new();
        private PartitionLog _log;
        private short _epoch;
        private int _next;
        private int _oldRepeats;

        public History(int seed)
        {
            _random = new Random(seed);
            _node = new TestNode(seed);
            _node.Options = _node.Options with { SegmentBytes = 4_000, CheckpointBytes = 1_000, BatchBytesMax = BatchBytesMax };
            _log = _node.StartLog();
            _next = _random.Next(2) == 0 ? 0 : RecordBatch.Sequence(int.MaxValue, -_random.Next(30));
        }

        public async Task<int> RunAsync()
        {
            for (int step = 0; step < 120; step++)
            {
                switch (_random.Next(12))
                {
                    case 0:
                        await ReopenAsync();
                        break;
                    case 1 when _random.Next(4) == 0:
                        BumpEpoch();
                        break;
                    case 2:
                    case 3:
                    case 4:
                        if (_sent.Count > 0)
                        {
                            (int sequence, int count, short epoch) = _sent[_random.Next(_sent.Count)];
                            Append(sequence, _random.Next(3) == 0 ? _random.Next(1, count + 1) : count, epoch, isTooLarge: false); // split, or as it was
                        }
                        break;
                    default:
                        Send();
                        break;
                }
            }
            return _oldRepeats;
        }

        // Up to five batches are on the way before the first is answered. What is refused comes again, at once or behind them.
        private void Send()
        {
            while (_inFlight.Count < 5)
            {
                int count = _random.Next(1, 4);
                _inFlight.Enqueue((_next, count));
                _sent.Add((_next, count, _epoch));
                _next = RecordBatch.Sequence(_next, count);
            }
            (int sequence, int size) = _inFlight.Dequeue();
            switch (Append(sequence, size, _epoch, isTooLarge: _random.Next(6) == 0))
            {
                case ErrorCode.None:
                    break;
                case ErrorCode.OutOfOrderSequenceNumber when _random.Next(4) == 0:
                    BumpEpoch();
                    break;
                default:
                    if (_random.Next(3) > 0)
                    {
                        _next = sequence;
                        _inFlight.Clear();
                    }
                    break;
            }
        }

        private void BumpEpoch()
        {
            _epoch++;
            _next = 0;
            _inFlight.Clear();
        }

        private ErrorCode Append(int sequence, int count, short epoch, bool isTooLarge)
        {
            bool isFull = !isTooLarge && _random.Next(10) == 0;
            _node.Disk.Capacity = isFull ? _node.Disk.UsedBytes : long.MaxValue;
            AppendResult result = _log.Append(TestBatches.Make(count, 9, epoch, sequence, valueLength: isTooLarge ? BatchBytesMax : 20));
            _node.Disk.Capacity = long.MaxValue;
            bool isTaken = Enumerable.Range(0, count).All(i => _taken.Contains((RecordBatch.Sequence(sequence, i), epoch)));
            switch (result)
            {
                case { Error: ErrorCode.DuplicateSequenceNumber } or { Error: ErrorCode.None, Duplicate: true }:
                    Assert.True(isTaken, $"sequence {sequence} to {RecordBatch.Sequence(sequence, count - 1)} of epoch {epoch} was never stored");
                    _oldRepeats += result.Error == ErrorCode.None ? 0 : 1;
                    break;
                case { Error: ErrorCode.None }:
                    Assert.False(isTaken, $"sequence {sequence} of epoch {epoch} is stored twice");
                    for (int i = 0; i < count; i++)
                    {
                        _taken.Add((RecordBatch.Sequence(sequence, i), epoch));
                    }
                    break;
                case { Error: ErrorCode.OutOfOrderSequenceNumber }:
                    Assert.False(isTaken, $"sequence {sequence} of epoch {epoch} is stored and was not told");
                    break;
                case { Error: ErrorCode.KafkaStorageError }:
                    Assert.True(isFull);
                    break;
                case { Error: ErrorCode.MessageTooLarge }:
                    Assert.True(isTooLarge);
                    break;
                default:
                    Assert.Equal(ErrorCode.InvalidProducerEpoch, result.Error);
                    break;
            }
            return result.Error;
        }

        private async Task ReopenAsync()
        {
            await _log.FlushedAsync(_log.LogEndOffset);
            if (_random.Next(3) == 0)
            {
                await _node.Directory.CloseAsync();
            }
            else
            {
                _node.Kill();
            }
            _log = _node.StartLog();
        }
    }
}
