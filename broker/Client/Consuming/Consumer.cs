using LogPipeline.Client.Consuming.Fetching;
using LogPipeline.Client.Consuming.Group;
using LogPipeline.Client.Metadata;
using LogPipeline.Files.Waiting;

namespace LogPipeline.Client.Consuming;

/// <summary>
/// Reads partitions, assigned by hand or shared in a group. One caller at a time polls; rebalances, listener calls and automatic commits
/// happen inside its polls, fetching and heartbeats beside them. Pause, seek and commit may come from anywhere.
/// </summary>
public sealed partial class Consumer : IAsyncDisposable
{
    /// <summary>A last commit may not keep a process from stopping; without it some records come again.</summary>
    private static readonly TimeSpan CloseCommitMax = TimeSpan.FromSeconds(2);

    private readonly ConsumerOptions _options;
    private readonly ClusterClient _cluster;
    private readonly TimeProvider _time;
    private readonly PartitionTable _table = new();
    private readonly AsyncSignal _wake = new();
    private readonly Fetcher _fetcher;
    private readonly PositionFinder _positions;
    private readonly RecordDecoder _decoder = new();
    private readonly GroupSession? _session;
    private readonly ITimer _tick;
    private Rebalancer? _rebalancer;
    private GroupJoin? _join;
    private long _committed;
    private int _polls;

    public Consumer(ConsumerOptions options, ClusterClient cluster, TimeProvider time, Random random)
    {
        options.Validate();
        (_options, _cluster, _time) = (options, cluster, time);
        _fetcher = new Fetcher(options, cluster, _table, _wake, random);
        _session = options.Group is null ? null : new GroupSession(options, cluster, _wake);
        _positions = new PositionFinder(options, cluster, _table, _fetcher, _wake, options.Group is null ? null : CommittedAsync);
        _committed = time.GetTimestamp();
        // A waiting poll looks up now and then, for automatic commits and for topics that appeared.
        _tick = time.CreateTimer(static wake => ((AsyncSignal)wake!).Set(), _wake, Tick, Tick);
    }

    /// <summary>The partitions owned now, ordered.</summary>
    public IReadOnlyList<TopicPartition> Assignment => _table.Partitions;

    /// <summary>The group's generation that this member is in; -1 while it is in none, or without a group.</summary>
    public int Generation => _session?.Membership.Generation ?? -1;

    /// <summary>Empty until the coordinator gave one, which may be before the join ends; and without a group.</summary>
    public string MemberId => _session?.Membership.MemberId ?? "";

    private TimeSpan Tick => _options.AutoCommitInterval is { } auto && auto < _options.HeartbeatInterval ? auto : _options.HeartbeatInterval;

    /// <summary>The topics that this member joined its group with, in ordinal order; those that a pattern took change with later joins.</summary>
    public IReadOnlyList<string> Subscribed => _join?.Topics ?? [];

    /// <summary>Joins the group at the next poll. Once in a consumer's life.</summary>
    public void Subscribe(IReadOnlyList<string> topics, IRebalanceListener? listener = null) => Subscribe(new TopicSelection(topics), listener);

    /// <summary>Joins the group at the next poll. Once in a consumer's life. A topic that appears later is found within ten seconds.</summary>
    public void Subscribe(TopicSelection topics, IRebalanceListener? listener = null)
    {
        GroupSession session = _session ?? throw new InvalidOperationException("subscribing needs a group");
        bool isEmpty = topics.Names.Count == 0 && topics.Pattern is null;
        if (_rebalancer is not null || isEmpty || _table.Partitions.Count > 0)
        {
            throw new InvalidOperationException(isEmpty ? "no topic to subscribe to" : "this consumer has its partitions already");
        }
        _join = new GroupJoin(_options, _cluster, session, topics);
        _rebalancer = new Rebalancer(
            _options, _cluster, session, _table, _join, listener, () => CommitTakenAsync(isDue: true, CancellationToken.None));
    }

    /// <summary>Takes exactly these partitions without a group's sharing; begins at the committed offset where there is a group, else by the reset policy.</summary>
    public void Assign(IReadOnlyList<TopicPartition> partitions)
    {
        if (_rebalancer is not null)
        {
            throw new InvalidOperationException("this consumer is subscribed: its group assigns");
        }
        _table.Remove(_table.Partitions.Except(partitions));
        _table.Add(partitions);
        _wake.Set();
    }

    /// <summary>
    /// Waits for whole record batches; drives joins and rebalances. Cancelling loses nothing. Throws
    /// <see cref="PositionOutOfRangeException"/> and <see cref="LogTruncatedException"/> under <see cref="OffsetReset.None"/>, until a seek
    /// mends it, <see cref="CorruptBatchException"/> after all that precedes the batch was given, <see cref="BrokerErrorException"/> for what only
    /// people can mend, and <see cref="IOException"/> when a position could not be looked up because no broker answered in time: poll again.
    /// </summary>
    public async ValueTask<FetchedBatches> PollBatchesAsync(CancellationToken ct) => new(await PollAsync(int.MaxValue, ct));

    /// <summary>
    /// Waits for records; control records are left out. Throws as <see cref="PollBatchesAsync"/> does, and <see cref="CorruptBatchException"/> also
    /// for a batch that cannot be decoded, in a codec that is not built in for one, after all that precedes it was given.
    /// </summary>
    public async ValueTask<IReadOnlyList<ConsumedRecord>> PollAsync(CancellationToken ct)
    {
        List<ConsumedRecord> records = [];
        while (records.Count == 0)
        {
            using var fetched = new FetchedBatches(await PollAsync(1, ct));
            foreach (PartitionBatches batches in fetched.Partitions)
            {
                if (_decoder.Decode(batches, records) is not { } unreadable)
                {
                    continue;
                }
                Seek(unreadable.Partition, unreadable.Offset);
                if (records.Count == 0)
                {
                    throw unreadable;
                }
            }
        }
        return records;
    }

    /// <summary>Records one by one until cancelled. Leaving the loop leaves the position after the last record taken.</summary>
    public async IAsyncEnumerable<ConsumedRecord> ConsumeAsync([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct)
    {
        while (true)
        {
            IReadOnlyList<ConsumedRecord> records = await PollAsync(ct);
            int taken = 0;
            try
            {
                while (taken < records.Count)
                {
                    yield return records[taken++];
                }
            }
            finally
            {
                if (taken < records.Count && Assignment.Contains(records[taken].Partition))
                {
                    // One poll's records are of one partition.
                    Seek(records[taken].Partition, records[taken].Offset);
                }
            }
        }
    }

    /// <summary>Gives nothing of the partition until it is resumed. What was fetched of it waits, and makes room when the others need it.</summary>
    public void Pause(TopicPartition partition)
    {
        _table.With(partition, state => state.IsPaused = true);
        _fetcher.Wake();
    }

    public void Resume(TopicPartition partition)
    {
        _table.With(partition, state => state.IsPaused = false);
        _fetcher.Wake();
        _wake.Set();
    }

    /// <summary>The next poll of the partition begins at the offset; with an epoch it is checked first that the log was not cut below it.</summary>
    public void Seek(TopicPartition partition, long offset, int leaderEpoch = -1)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        _table.Seek(partition, offset, leaderEpoch);
        _fetcher.Wake();
        _wake.Set();
    }

    /// <summary>Begins at the first record not older than the time; at the end if there is none.</summary>
    public async ValueTask SeekToTimeAsync(TopicPartition partition, DateTimeOffset time, CancellationToken ct)
    {
        OffsetFound found = await _cluster.OffsetAsync(partition, OffsetSpec.At(time), ct);
        long offset = found.Offset >= 0 ? found.Offset : (await _cluster.OffsetAsync(partition, OffsetSpec.Latest, ct)).Offset;
        Seek(partition, offset);
    }

    /// <summary>The next offset that a poll returns; -1 while unknown.</summary>
    public long Position(TopicPartition partition) => _table.With(partition, state => state.Position);

    /// <summary>The high watermark as of the last fetch; -1 while it is unknown, and where the partition is not assigned.</summary>
    public long End(TopicPartition partition) => _table.HighWatermark(partition);

    /// <summary>High watermark less position; -1 while unknown.</summary>
    public long Lag(TopicPartition partition) => _table.With(
        partition, state => state.HighWatermark < 0 || state.Position < 0 ? -1 : Math.Max(0, state.HighWatermark - state.Position));

    /// <summary>Where the leader says the epoch ends (KIP-320).</summary>
    public ValueTask<EpochEnd> OffsetForLeaderEpochAsync(TopicPartition partition, int leaderEpoch, CancellationToken ct) =>
        _cluster.EpochEndAsync(partition, leaderEpoch, ct);

    /// <summary>Commits (if automatic), tells the listener, leaves the group.</summary>
    public async ValueTask DisposeAsync()
    {
        await _tick.DisposeAsync();
        try
        {
            using var late = new CancellationTokenSource(CloseCommitMax, _time);
            await CommitTakenAsync(isDue: true, late.Token);
            if (_rebalancer is not null)
            {
                await _rebalancer.CloseAsync();
            }
        }
        finally
        {
            await _positions.DisposeAsync();
            await _fetcher.DisposeAsync();
            if (_session is not null)
            {
                await _session.DisposeAsync();
            }
            _table.Remove(_table.Partitions);
            _decoder.Dispose();
        }
    }

    private async ValueTask<List<FetchedPartition>> PollAsync(int most, CancellationToken ct)
    {
        if (Interlocked.Increment(ref _polls) > 1)
        {
            Interlocked.Decrement(ref _polls);
            throw new InvalidOperationException("another poll is under way");
        }
        _session?.PollBegins();
        try
        {
            while (true)
            {
                ct.ThrowIfCancellationRequested();
                if (_rebalancer is not null && await _rebalancer.AdvanceAsync(ct))
                {
                    _fetcher.Wake();
                }
                await CommitTakenAsync(isDue: false, ct);
                _positions.Begin();
                _fetcher.Start();
                if (_fetcher.Fatal is { } fatal)
                {
                    throw fatal;
                }
                List<FetchedPartition> taken = _table.Take(most);
                if (taken.Count > 0)
                {
                    _fetcher.Wake();
                    return taken;
                }
                // Failures come last: one partition that is refused or has no leader must not keep the others from being read.
                if (_table.TakeFailure() is { } failure)
                {
                    _fetcher.Wake();
                    throw failure;
                }
                await _wake.WaitAsync(ct);
            }
        }
        finally
        {
            _session?.PollEnds();
            Interlocked.Decrement(ref _polls);
        }
    }
}
