using LogPipeline.Client;
using LogPipeline.Client.Consuming;
using LogPipeline.Files.Waiting;
using LogPipeline.Sinks.Commands;
using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Rows;

namespace LogPipeline.Sinks.Workers;

/// <summary>Rows up to an offset, which one flush is to store.</summary>
internal sealed record FlushWork(RowBatch Rows, IReadOnlyList<UnreadableBatch> Unreadable, long NextOffset, int LeaderEpoch);

/// <summary>
/// What lies between the poll loop and a partition's loop: the rows that were polled and not yet taken, bounded by bytes. The poll loop adds
/// and steers the consumer: it pauses a partition whose feed is full, closed, held up by a batch that cannot be read, or paused by a person. The partition's loop
/// opens the feed with a claim and takes. <c>_gate</c> guards all fields; it is held for moments.
/// </summary>
internal sealed class PartitionFeed(TopicPartition partition, FlushOptions flush, FlushPace pace, RowPool pool, TimeProvider time, Action wakePoll, SinkPauses pauses)
{
    /// <summary>Between two tries to read a batch that could not be read.</summary>
    public static readonly TimeSpan UnreadableRetry = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new();
    private readonly AsyncSignal _news = new();
    private Stage _stage;
    private bool _isPolled = true; // as the consumer begins
    private bool _isEnded;
    private Exception? _moved;
    private Obstacle? _obstacle;
    private Guid _topicId;
    private RowBatch? _filling;
    private List<UnreadableBatch> _unreadable = [];
    private long _nextOffset; // after what was added
    private int _leaderEpoch;
    private long _takenOffset; // after what was taken
    private int _takenEpoch; // the leader epoch there
    private long? _takenAt; // null before the first

    private enum Stage
    {
        /// <summary>No claim is held: what is polled is not wanted.</summary>
        Closed,

        /// <summary>A claim is held, and the consumer still is to be sent to the next offset.</summary>
        Unsought,

        /// <summary>What is polled follows what was added before.</summary>
        Sought,
    }

    /// <summary>Why the batch at the next offset cannot be read; null while the partition goes on.</summary>
    public string? Problem
    {
        get
        {
            lock (_gate)
            {
                return _obstacle?.Offset == _nextOffset ? _obstacle.Reason : null;
            }
        }
    }

    /// <summary>The timestamp of the first record that was polled and not taken, milliseconds since 1970; null when there is none.</summary>
    public long? Oldest
    {
        get
        {
            lock (_gate)
            {
                return _filling is { Count: > 0 } rows ? rows.Rows[0].Timestamp : null;
            }
        }
    }

    /// <summary>Whether the consumer is to give records of the partition; false while it is paused.</summary>
    public bool IsPolled
    {
        get
        {
            lock (_gate)
            {
                return _isPolled;
            }
        }
    }

    private bool IsFull => _filling?.HeldBytes >= flush.BytesMax;

    private bool IsHeldUp => _obstacle?.Offset == _nextOffset && time.GetElapsedTime(_obstacle.Since) < UnreadableRetry;

    /// <summary>The poll loop, between two polls: sends the consumer where the feed wants it, and pauses or resumes the partition.</summary>
    public void Steer(Consumer consumer)
    {
        lock (_gate)
        {
            bool isPaused = pauses.Holds(partition);
            if (isPaused && _stage == Stage.Sought)
            {
                Drop(); // memory is not kept for as long as a person may want; it is fetched again
                _stage = Stage.Unsought;
            }
            bool isWanted = _stage != Stage.Closed && !isPaused && !IsHeldUp && !IsFull && !pool.IsFull;
            if (isWanted && _stage == Stage.Unsought)
            {
                consumer.Seek(partition, _nextOffset, _leaderEpoch);
                _stage = Stage.Sought;
            }
            if (isWanted == _isPolled)
            {
                return;
            }
            _isPolled = isWanted;
            if (isWanted)
            {
                consumer.Resume(partition);
            }
            else
            {
                consumer.Pause(partition);
            }
        }
    }

    /// <summary>The poll loop: adds what was polled, each line copied once.</summary>
    /// <returns>Why it ends before the last batch; null when all was added or nothing was wanted.</returns>
    /// <exception cref="LogPipeline.Protocol.CorruptRecordException">The bytes are not batches at all.</exception>
    public Collected? Add(PartitionBatches polled, RowCollector collector)
    {
        lock (_gate)
        {
            if (_stage != Stage.Sought)
            {
                return null;
            }
            if (polled.TopicId != Guid.Empty && _topicId != Guid.Empty && polled.TopicId != _topicId)
            {
                FailUnderGate(new LogMovedException("the topic was deleted and made again"));
                return null;
            }
            if (polled.FetchOffset != _nextOffset)
            {
                _stage = Stage.Unsought;
                return null;
            }
            bool hadNews = _nextOffset > _takenOffset;
            RowBatch rows = _filling ??= pool.Rent();
            long before = rows.HeldBytes;
            Collected collected = collector.Collect(partition, polled.Batches.Span, _nextOffset, rows, _unreadable);
            pool.Count(rows.HeldBytes - before);
            _nextOffset = collected.NextOffset;
            _leaderEpoch = collected.LeaderEpoch >= 0 ? collected.LeaderEpoch : _leaderEpoch;
            if (!hadNews || IsFull)
            {
                _news.Set();
            }
            return collected;
        }
    }

    /// <summary>The poll loop: the batch at the next offset cannot be read. Polling waits a while, since the broker may be mended or the batch go with retention.</summary>
    /// <returns>Whether that is news.</returns>
    public bool HoldUp(string reason)
    {
        lock (_gate)
        {
            if (_stage == Stage.Closed)
            {
                return false;
            }
            bool isNews = _obstacle?.Offset != _nextOffset;
            _obstacle = new Obstacle(_nextOffset, reason, time.GetTimestamp());
            _stage = Stage.Unsought;
            return isNews;
        }
    }

    /// <summary>Ledger or log are not as the claim left them: the next <see cref="TakeAsync"/> throws this, and what was not taken is dropped.</summary>
    public void Fail(Exception moved)
    {
        lock (_gate)
        {
            FailUnderGate(moved);
        }
    }

    /// <summary>Lets <see cref="TakeAsync"/> look again whether it is to give what there is.</summary>
    public void Nudge() => _news.Set();

    /// <summary>No more is added. What is there is still to be taken, or dropped.</summary>
    public void End(bool drops)
    {
        lock (_gate)
        {
            if (drops || _stage == Stage.Closed || pauses.Holds(partition))
            {
                Drop();
            }
            (_stage, _isEnded) = (Stage.Closed, true);
            _news.Set();
        }
    }

    /// <summary>The partition's loop: begins where the ledger row says.</summary>
    public void Open(LedgerEntry entry)
    {
        lock (_gate)
        {
            Drop();
            _topicId = entry.Log.TopicId;
            (_nextOffset, _takenOffset, _leaderEpoch, _takenEpoch) = (entry.NextOffset, entry.NextOffset, entry.LeaderEpoch, entry.LeaderEpoch);
            (_moved, _stage) = (null, _isEnded ? Stage.Closed : Stage.Unsought);
        }
        wakePoll();
    }

    /// <summary>The partition's loop: the claim is given up, and what was not taken is dropped; it will be fetched again.</summary>
    public void Close()
    {
        lock (_gate)
        {
            Drop();
            _stage = Stage.Closed;
        }
    }

    /// <summary>
    /// The partition's loop: waits for rows until they are enough for a flush, or the sink's pace lets the partition flush what there is.
    /// What is taken counts as held until <see cref="Return"/>.
    /// </summary>
    /// <returns>Null when the feed has ended and all is taken.</returns>
    /// <exception cref="OwnershipLostException">See <see cref="Fail"/>.</exception>
    /// <exception cref="LogMovedException">See <see cref="Fail"/>.</exception>
    public async Task<FlushWork?> TakeAsync()
    {
        while (true)
        {
            TimeSpan wait = Timeout.InfiniteTimeSpan;
            lock (_gate)
            {
                if (_moved is { } moved)
                {
                    throw moved;
                }
                if (_nextOffset > _takenOffset && !pauses.Holds(partition))
                {
                    wait = _takenAt is { } takenAt ? pace.Wait(takenAt) : TimeSpan.Zero;
                    if (_isEnded || IsFull || pool.IsFull || wait <= TimeSpan.Zero)
                    {
                        return Take();
                    }
                }
                else if (_isEnded)
                {
                    return null;
                }
            }
            await _news.WaitAsync(wait, time, CancellationToken.None);
        }
    }

    /// <summary>The partition's loop: the flush has ended.</summary>
    public void Return(FlushWork work)
    {
        pool.Return(work.Rows);
        pace.Ended(_takenAt!.Value);
        WakePaused();
    }

    private FlushWork Take()
    {
        var work = new FlushWork(_filling ?? pool.Rent(), _unreadable, _nextOffset, _leaderEpoch);
        (_filling, _unreadable) = (null, []);
        (_takenOffset, _takenEpoch, _takenAt) = (_nextOffset, _leaderEpoch, time.GetTimestamp());
        if (!_isPolled)
        {
            wakePoll();
        }
        return work;
    }

    private void WakePaused()
    {
        lock (_gate)
        {
            if (!_isPolled)
            {
                wakePoll();
            }
        }
    }

    private void FailUnderGate(Exception moved)
    {
        if (_stage == Stage.Closed)
        {
            return; // a claim is being made anyway
        }
        Drop();
        (_moved, _stage) = (moved, Stage.Closed);
        _news.Set();
    }

    private void Drop()
    {
        if (_filling is { } rows)
        {
            pool.Return(rows);
        }
        (_filling, _unreadable) = (null, []);
        (_nextOffset, _leaderEpoch) = (_takenOffset, _takenEpoch);
    }

    /// <summary>A batch that cannot be read, and when that was last met: a timestamp of the time provider's.</summary>
    private sealed record Obstacle(long Offset, string Reason, long Since);
}
