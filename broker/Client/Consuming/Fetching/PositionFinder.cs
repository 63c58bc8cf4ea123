using LogPipeline.Client.Metadata;
using LogPipeline.Client.Telemetry;
using LogPipeline.Files.Waiting;
using LogPipeline.Protocol;

namespace LogPipeline.Client.Consuming.Fetching;

/// <summary>
/// Gives partitions a position where they have none: the group's committed offset, else the reset policy; and where theirs no longer stands:
/// after the log was cut (OffsetForLeaderEpoch) or left its range. The poll starts the lookups; they run beside it and past its end, so that
/// a partition whose leader is away does not delay the others. Paused partitions are skipped even if their positions became invalid: a caller
/// that paused one to find its place elsewhere must not get the same error with each poll. The polling thread owns <c>_running</c>.
/// </summary>
internal sealed class PositionFinder(
    ConsumerOptions options,
    ClusterClient cluster,
    PartitionTable table,
    Fetcher fetcher,
    AsyncSignal wakePoll,
    Func<IReadOnlyList<TopicPartition>, CancellationToken, ValueTask<IReadOnlyDictionary<TopicPartition, CommitPoint>>>? committed) : IAsyncDisposable
{
    private readonly CancellationTokenSource _closed = new();
    private readonly List<Task> _running = [];

    /// <summary>Begins the lookups that are needed and not under way.</summary>
    public void Begin()
    {
        List<(PartitionState State, int Version)> lost = [];
        List<(PartitionState State, int Version, long Position, int Epoch)> doubtful = [];
        List<(PartitionState State, int Version)> outside = [];
        lock (table.Gate)
        {
            foreach (PartitionState state in table.States.Where(s => s.NeedsLookup))
            {
                state.LookupVersion = state.Version;
                if (state.Position < 0)
                {
                    lost.Add((state, state.Version));
                }
                else if (state.IsOutOfRange && state.BufferedBytes == 0)
                {
                    outside.Add((state, state.Version));
                }
                else
                {
                    doubtful.Add((state, state.Version, state.FetchOffset, state.FetchedEpoch));
                }
            }
        }
        _running.RemoveAll(task => task.IsCompleted);
        if (lost.Count > 0)
        {
            Task<IReadOnlyDictionary<TopicPartition, CommitPoint>> known = CommittedAsync([.. lost.Select(l => l.State.Partition)]);
            _running.AddRange(lost.Select(l => LookUpAsync(l.State, l.Version, () => StartAsync(l.State, l.Version, known))));
        }
        _running.AddRange(doubtful.Select(d => LookUpAsync(d.State, d.Version, () => CheckEpochAsync(d.State, d.Version, d.Position, d.Epoch))));
        _running.AddRange(outside.Select(o => LookUpAsync(o.State, o.Version, () => ResetAsync(o.State, o.Version))));
    }

    public async ValueTask DisposeAsync()
    {
        _closed.Cancel();
        await Task.WhenAll(_running);
    }

    /// <summary>One partition's lookup; its failure is the poll's to tell.</summary>
    private async Task LookUpAsync(PartitionState state, int version, Func<ValueTask> lookup)
    {
        Exception? failure = null;
        try
        {
            await lookup();
        }
        catch (Exception e) when (_closed.IsCancellationRequested && (DeadlineRetry.IsTransient(e) || e is OperationCanceledException or ObjectDisposedException))
        {
            return;
        }
        catch (Exception e)
        {
            failure = e;
        }
        lock (table.Gate)
        {
            if (state.Version == version)
            {
                state.LookupVersion = -1;
                state.Failure = failure;
            }
        }
        fetcher.Wake();
        wakePoll.Set();
    }

    private async Task<IReadOnlyDictionary<TopicPartition, CommitPoint>> CommittedAsync(IReadOnlyList<TopicPartition> partitions) =>
        committed is null ? new Dictionary<TopicPartition, CommitPoint>() : await committed(partitions, _closed.Token);

    private async ValueTask StartAsync(PartitionState state, int version, Task<IReadOnlyDictionary<TopicPartition, CommitPoint>> known)
    {
        if ((await known).TryGetValue(state.Partition, out CommitPoint point))
        {
            Move(state, version, point.Offset, point.LeaderEpoch);
        }
        else
        {
            await ResetAsync(state, version);
        }
    }

    private async ValueTask ResetAsync(PartitionState state, int version)
    {
        OffsetSpec spec = options.OffsetReset == OffsetReset.Latest ? OffsetSpec.Latest : OffsetSpec.Earliest;
        OffsetFound found = await cluster.OffsetAsync(state.Partition, spec, _closed.Token, options.ReadCommitted);
        if (options.OffsetReset == OffsetReset.None)
        {
            OffsetFound end = await cluster.OffsetAsync(state.Partition, OffsetSpec.Latest, _closed.Token);
            throw new PositionOutOfRangeException(state.Partition, state.Position, found.Offset, end.Offset);
        }
        ClientMetrics.OffsetResets.Add(1);
        Move(state, version, found.Offset, -1);
    }

    /// <summary>Whether the log still holds what was consumed: the epoch of the last record must not end below the position.</summary>
    private async ValueTask CheckEpochAsync(PartitionState state, int version, long position, int epoch)
    {
        EpochEnd end;
        try
        {
            end = await cluster.EpochEndAsync(state.Partition, epoch, _closed.Token);
        }
        catch (Exception e) when (e is UnsupportedApiException || e is BrokerErrorException { Code: ErrorCode.TopicAuthorizationFailed })
        {
            end = new EpochEnd(-1, -1);
        }
        if (end.EndOffset < 0 || end.EndOffset >= position)
        {
            lock (table.Gate)
            {
                state.NeedsEpochCheck &= state.Version != version;
            }
            return;
        }
        if (options.OffsetReset == OffsetReset.None)
        {
            throw new LogTruncatedException(state.Partition, position, end.EndOffset);
        }
        ClientMetrics.OffsetResets.Add(1);
        // The cut may lie in what was fetched and not polled yet: the log still has what comes before it.
        Move(state, version, Math.Min(end.EndOffset, state.Position), -1);
    }

    private void Move(PartitionState state, int version, long offset, int epoch)
    {
        lock (table.Gate)
        {
            if (state.Version == version)
            {
                table.Seek(state.Partition, offset, epoch);
            }
        }
    }
}
