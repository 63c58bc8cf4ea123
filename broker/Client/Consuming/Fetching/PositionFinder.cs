using LogPipeline.Client.Admin;
using LogPipeline.Client.Metadata;
using LogPipeline.Client.Telemetry;
using LogPipeline.Protocol;

namespace LogPipeline.Client.Consuming.Fetching;

/// <summary>
/// Gives partitions a position where they have none: the group's committed offset, else the reset policy; and where theirs no longer stands:
/// after the log was cut (OffsetForLeaderEpoch) or left its range. Run by the poll. Paused partitions are left alone, whatever became of
/// their positions: who paused one to find its place elsewhere is not told again and again, nor are the others kept waiting.
/// </summary>
internal sealed class PositionFinder(
    ConsumerOptions options,
    ClusterClient cluster,
    PartitionTable table,
    Fetcher fetcher,
    Func<IReadOnlyList<TopicPartition>, CancellationToken, ValueTask<IReadOnlyDictionary<TopicPartition, CommitPoint>>>? committed)
{
    public async ValueTask RunAsync(CancellationToken ct)
    {
        List<(PartitionState State, int Version)> lost = [];
        List<(PartitionState State, int Version, long Position, int Epoch)> doubtful = [];
        List<(PartitionState State, int Version)> outside = [];
        lock (table.Gate)
        {
            foreach (PartitionState state in table.States.Where(s => !s.IsPaused))
            {
                if (state.Position < 0)
                {
                    lost.Add((state, state.Version));
                }
                else if (state.IsOutOfRange && state.BufferedBytes == 0)
                {
                    outside.Add((state, state.Version));
                }
                else if (state.NeedsEpochCheck)
                {
                    doubtful.Add((state, state.Version, state.FetchOffset, state.FetchedEpoch));
                }
            }
        }
        if (lost.Count > 0)
        {
            await StartAsync(lost, ct);
        }
        foreach ((PartitionState state, int version, long position, int epoch) in doubtful)
        {
            await CheckEpochAsync(state, version, position, epoch, ct);
        }
        foreach ((PartitionState state, int version) in outside)
        {
            await ResetAsync(state, version, ct);
        }
    }

    private async ValueTask StartAsync(List<(PartitionState State, int Version)> lost, CancellationToken ct)
    {
        IReadOnlyDictionary<TopicPartition, CommitPoint> known = committed is null
            ? new Dictionary<TopicPartition, CommitPoint>()
            : await committed([.. lost.Select(l => l.State.Partition)], ct);
        List<Task> resets = [];
        foreach ((PartitionState state, int version) in lost)
        {
            if (known.TryGetValue(state.Partition, out CommitPoint point))
            {
                Move(state, version, point.Offset, point.LeaderEpoch);
            }
            else
            {
                resets.Add(ResetAsync(state, version, ct).AsTask());
            }
        }
        await Task.WhenAll(resets);
    }

    private async ValueTask ResetAsync(PartitionState state, int version, CancellationToken ct)
    {
        OffsetSpec spec = options.OffsetReset == OffsetReset.Latest ? OffsetSpec.Latest : OffsetSpec.Earliest;
        OffsetFound found = await cluster.OffsetAsync(state.Partition, spec, ct);
        if (options.OffsetReset == OffsetReset.None)
        {
            OffsetFound end = await cluster.OffsetAsync(state.Partition, OffsetSpec.Latest, ct);
            throw new PositionOutOfRangeException(state.Partition, state.Position, found.Offset, end.Offset);
        }
        ClientMetrics.OffsetResets.Add(1);
        Move(state, version, found.Offset, -1);
    }

    /// <summary>Whether the log still holds what was consumed: the epoch of the last record must not end below the position.</summary>
    private async ValueTask CheckEpochAsync(PartitionState state, int version, long position, int epoch, CancellationToken ct)
    {
        EpochEnd end;
        try
        {
            end = await cluster.EpochEndAsync(state.Partition, epoch, ct);
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
            fetcher.Wake();
            return;
        }
        if (options.OffsetReset == OffsetReset.None)
        {
            throw new LogTruncatedException(state.Partition, position, end.EndOffset);
        }
        ClientMetrics.OffsetResets.Add(1);
        Move(state, version, end.EndOffset, -1);
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
        fetcher.Wake();
    }
}
