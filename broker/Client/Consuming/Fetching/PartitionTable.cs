namespace LogPipeline.Client.Consuming.Fetching;

/// <summary>
/// The owned partitions and what was fetched for them. <c>Gate</c> guards the states, the queue and the counts; it is held for
/// moments only. The fetcher fills, the poll takes, the caller seeks and pauses.
/// </summary>
internal sealed class PartitionTable
{
    private readonly SortedDictionary<TopicPartition, PartitionState> _states = [];
    private readonly List<FetchedPartition> _fetched = [];
    private long _bufferedBytes;

    public Lock Gate { get; } = new();

    public IReadOnlyList<TopicPartition> Partitions
    {
        get
        {
            lock (Gate)
            {
                return [.. _states.Keys];
            }
        }
    }

    /// <summary>The states, in order; read and change them under <see cref="Gate"/>.</summary>
    public IReadOnlyList<PartitionState> States
    {
        get
        {
            lock (Gate)
            {
                return [.. _states.Values];
            }
        }
    }

    /// <summary>As of the last fetch; -1 while it is unknown, and where the partition is not here.</summary>
    public long HighWatermark(TopicPartition partition)
    {
        lock (Gate)
        {
            return _states.TryGetValue(partition, out PartitionState? state) ? state.HighWatermark : -1;
        }
    }

    /// <summary>Runs under the lock on an owned partition; throws when it is not owned.</summary>
    public T With<T>(TopicPartition partition, Func<PartitionState, T> use)
    {
        lock (Gate)
        {
            return _states.TryGetValue(partition, out PartitionState? state)
                ? use(state)
                : throw new InvalidOperationException($"{partition} is not assigned to this consumer");
        }
    }

    /// <summary>Takes partitions in; their positions are still to be found, unless somebody seeks.</summary>
    public void Add(IEnumerable<TopicPartition> partitions)
    {
        lock (Gate)
        {
            foreach (TopicPartition partition in partitions)
            {
                _states.TryAdd(partition, new PartitionState(partition));
            }
        }
    }

    public void Remove(IEnumerable<TopicPartition> partitions)
    {
        lock (Gate)
        {
            foreach (TopicPartition partition in partitions)
            {
                if (_states.Remove(partition, out PartitionState? state))
                {
                    state.Version++;
                }
            }
            DropStale();
        }
    }

    public void Seek(TopicPartition partition, long offset, int epoch) => With(partition, state =>
    {
        state.MoveTo(offset, epoch);
        DropStale();
        return true;
    });

    /// <summary>Positions to commit: of all partitions that have one.</summary>
    public SortedDictionary<TopicPartition, CommitPoint> CommitPoints()
    {
        SortedDictionary<TopicPartition, CommitPoint> points = [];
        lock (Gate)
        {
            foreach (PartitionState state in _states.Values.Where(s => s.Position >= 0))
            {
                points[state.Partition] = new CommitPoint(state.Position, state.PositionEpoch);
            }
        }
        return points;
    }

    /// <summary>
    /// Whether more may be fetched. What is held (it may be for ever) does not count; where it would be too much it is dropped but for the first
    /// fetch of each partition, to be fetched again in its turn.
    /// </summary>
    public bool HasRoom(long most)
    {
        lock (Gate)
        {
            if (_bufferedBytes >= most)
            {
                DropHeld();
            }
            return _states.Values.Where(state => !state.IsHeld).Sum(state => (long)state.BufferedBytes) < most;
        }
    }

    /// <summary>Queues what came, unless the partition has moved meanwhile or its earlier fetches were dropped; false then.</summary>
    public bool Offer(FetchedPartition fetched)
    {
        lock (Gate)
        {
            PartitionState state = fetched.State;
            if (state.Version != fetched.Version || state.FetchOffset != fetched.Batches.FetchOffset)
            {
                return false;
            }
            fetched.Lease.Retain();
            _fetched.Add(fetched);
            state.FetchOffset = fetched.Batches.NextOffset;
            state.FetchedEpoch = fetched.LastEpoch;
            state.BufferedBytes += fetched.Batches.Batches.Length;
            _bufferedBytes += fetched.Batches.Batches.Length;
            return true;
        }
    }

    /// <summary>Takes up to <paramref name="most"/> entries of partitions that are not held and moves their positions.</summary>
    public List<FetchedPartition> Take(int most)
    {
        List<FetchedPartition> taken = [];
        lock (Gate)
        {
            for (int i = 0; i < _fetched.Count && taken.Count < most;)
            {
                FetchedPartition fetched = _fetched[i];
                if (fetched.State.IsHeld)
                {
                    i++;
                    continue;
                }
                _fetched.RemoveAt(i);
                Uncount(fetched);
                fetched.State.Position = fetched.Batches.NextOffset;
                fetched.State.PositionEpoch = fetched.LastEpoch;
                taken.Add(fetched);
            }
        }
        return taken;
    }

    /// <summary>Returns what the poll must throw, once for all partitions that failed with it. They are tried again afterwards: a topic's rights, a disk or a leader may be mended.</summary>
    public Exception? TakeFailure()
    {
        lock (Gate)
        {
            Exception? failure = _states.Values.FirstOrDefault(state => state is { IsPaused: false, Failure: not null })?.Failure;
            foreach (PartitionState state in _states.Values.Where(state => ReferenceEquals(state.Failure, failure)))
            {
                state.Failure = null;
            }
            return failure;
        }
    }

    private void DropStale()
    {
        for (int i = _fetched.Count - 1; i >= 0; i--)
        {
            if (_fetched[i].State.Version != _fetched[i].Version)
            {
                Drop(i);
            }
        }
    }

    private void DropHeld()
    {
        for (int i = _fetched.Count - 1; i > 0; i--)
        {
            PartitionState state = _fetched[i].State;
            int before = state.IsHeld ? _fetched.FindLastIndex(i - 1, other => other.State == state) : -1;
            if (before >= 0)
            {
                Drop(i);
                (state.FetchOffset, state.FetchedEpoch) = (_fetched[before].Batches.NextOffset, _fetched[before].LastEpoch);
                state.IsOutOfRange = false; // it was behind what is dropped
            }
        }
    }

    private void Drop(int at)
    {
        FetchedPartition fetched = _fetched[at];
        _fetched.RemoveAt(at);
        Uncount(fetched);
        fetched.Lease.Release();
    }

    private void Uncount(FetchedPartition fetched)
    {
        fetched.State.BufferedBytes -= fetched.Batches.Batches.Length;
        _bufferedBytes -= fetched.Batches.Batches.Length;
    }
}
