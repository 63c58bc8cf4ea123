using LogPipeline.Broker.Cluster;
using LogPipeline.Protocol;
using LogPipeline.Storage;

namespace LogPipeline.Broker.Partitions;

// _gate guards the waiters, the replicas' ends and changes of the high watermark, which is read without it. The log raises Advanced
// outside its own lock, so the order is always log, then partition, and neither is held while waiters run.
/// <summary>
/// One partition as this broker serves it: its role and leader epoch, the in-sync set and the high watermark, and those who wait. What
/// is in the log, and how much of it is durable, the log knows (Partition.Reading.cs reads it).
/// </summary>
internal sealed partial class Partition
{
    private readonly Lock _gate = new();
    private readonly int _node;
    private readonly PartitionLog? _log;
    private readonly string? _offlineReason;
    private readonly OffsetWaiters _acks = new();
    private readonly Dictionary<int, long> _replicaEnds = []; // log end offset of each follower, as far as it has told
    private long _highWatermark;

    private Partition(int node, PartitionState state, PartitionLog? log, string? offlineReason)
    {
        _node = node;
        _log = log;
        _offlineReason = offlineReason;
        State = state;
    }

    /// <summary>A partition with a log.</summary>
    public Partition(PartitionLog log, int node, PartitionState state)
        : this(node, state, log, null)
    {
        (Topic, TopicId, Number) = (log.Topic, log.TopicId, log.Partition);
        _highWatermark = CommittedEnd(log);
        log.Advanced += _ => Advance();
    }

    /// <summary>A partition whose log could not be opened.</summary>
    public Partition(OfflineLog log, int node, PartitionState state)
        : this(node, state, null, log.Reason) =>
        (Topic, TopicId, Number) = (log.Topic, log.TopicId, log.Partition);

    public string Topic { get; } = "";

    public Guid TopicId { get; }

    public int Number { get; }

    public PartitionState State { get; }

    public PartitionRole Role =>
        _log is null ? PartitionRole.Offline
        : State.Leader == _node ? PartitionRole.Leader
        : PartitionRole.Follower;

    /// <summary>The epoch stamped on what is appended now.</summary>
    public int LeaderEpoch => State.LeaderEpoch;

    /// <summary>Consumers see what lies below: it is acknowledged and every in-sync replica has it.</summary>
    public long HighWatermark => Volatile.Read(ref _highWatermark);

    /// <summary>Consumers that read committed records only see what lies below. Without transactions it is the high watermark.</summary>
    public long LastStableOffset => HighWatermark;

    /// <summary>Fetches that wait for more of this partition.</summary>
    public WaitingReaders Readers { get; } = new();

    /// <summary>The log; null when it could not be opened.</summary>
    public PartitionLog? Log => _log;

    /// <summary>Appends a batch as leader, as <see cref="PartitionLog.AppendAsLeader"/> does.</summary>
    /// <returns>Its result; NotLeaderOrFollower or KafkaStorageError when this broker does not lead or has no log.</returns>
    public AppendResult Append(Memory<byte> batch, AppendOrigin origin)
    {
        ErrorCode error = CheckLeader(-1);
        if (error != ErrorCode.None)
        {
            return new AppendResult(error, -1, -1, -1, Duplicate: false);
        }
        PartitionLog log = _log!;
        AppendResult result = log.AppendAsLeader(batch, origin, LeaderEpoch);
        if (result.Error == ErrorCode.None && log.Options.Flush != FlushPolicy.Group)
        {
            Advance(); // what is written counts, and no flush will tell
        }
        return result;
    }

    /// <summary>
    /// Completes when all below <paramref name="endOffset"/> (exclusive) is below the high watermark, so that it may be acknowledged.
    /// The caller then runs on the flush thread and holds up the log's next flush.
    /// </summary>
    /// <exception cref="LogOfflineException">A flush failed, or the log was closed before.</exception>
    public ValueTask CommittedAsync(long endOffset, CancellationToken cancellation = default)
    {
        if (endOffset <= HighWatermark)
        {
            return ValueTask.CompletedTask;
        }
        lock (_gate)
        {
            return endOffset <= HighWatermark ? ValueTask.CompletedTask
                : OfflineReason is { } reason ? ValueTask.FromException(reason)
                : new ValueTask(_acks.Add(endOffset, cancellation));
        }
    }

    /// <summary>Notes how far a follower's copy reaches.</summary>
    public void ReplicaReached(int replica, long endOffset)
    {
        lock (_gate)
        {
            _replicaEnds[replica] = endOffset;
        }
        Advance();
    }

    /// <summary>Takes nothing more and ends every wait: the topic is gone.</summary>
    public void Retire()
    {
        _log?.Retire();
        Readers.Wake();
    }

    /// <summary>Why nothing can be written here before the next start, in one line; null while it can, and when its topic is gone.</summary>
    public string? WhyOffline => _log is null ? _offlineReason : _log.OfflineReason is { } reason and not ObjectDisposedException ? reason.Message : null;

    private LogOfflineException? OfflineReason =>
        _log is null ? new LogOfflineException($"{Topic}-{Number}", new IOException(_offlineReason))
        : _log.OfflineReason is { } reason ? new LogOfflineException($"{Topic}-{Number}", reason)
        : null;

    // The log's end moved, or it went offline.
    private void Advance()
    {
        List<TaskCompletionSource>? reached;
        List<TaskCompletionSource>? unreached = null;
        LogOfflineException? offline = OfflineReason;
        lock (_gate)
        {
            long committed = CommittedEnd(_log!);
            if (committed > _highWatermark)
            {
                Volatile.Write(ref _highWatermark, committed);
            }
            reached = _acks.TakeReached(_highWatermark);
            if (offline is not null)
            {
                unreached = _acks.TakeAll();
            }
        }
        OffsetWaiters.Release(reached);
        if (offline is not null)
        {
            OffsetWaiters.Fail(unreached, offline);
        }
        Readers.Wake();
    }

    // What every in-sync replica has; of our own log what its flush policy lets an acknowledgement mean.
    private long CommittedEnd(PartitionLog log)
    {
        long end = log.Options.Flush == FlushPolicy.Group ? log.DurableOffset : log.LogEndOffset;
        IReadOnlyList<int> inSync = State.InSync;
        for (int i = 0; i < inSync.Count; i++)
        {
            if (inSync[i] != _node)
            {
                end = Math.Min(end, _replicaEnds.GetValueOrDefault(inSync[i]));
            }
        }
        return end;
    }
}
