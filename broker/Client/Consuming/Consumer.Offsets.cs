using LogPipeline.Client.Connections;
using LogPipeline.Client.Consuming.Group;
using LogPipeline.Client.Metadata;

namespace LogPipeline.Client.Consuming;

/// <summary>The group's committed offsets.</summary>
public sealed partial class Consumer
{
    /// <summary>Commits the positions of all owned partitions.</summary>
    public ValueTask CommitAsync(CancellationToken ct) => CommitPointsAsync(_table.CommitPoints(), ct);

    /// <summary>Commits these points; throws <see cref="BrokerErrorException"/> with the first error.</summary>
    public ValueTask CommitAsync(IReadOnlyDictionary<TopicPartition, CommitPoint> points, CancellationToken ct) => CommitPointsAsync(points, ct);

    /// <summary>The group's committed points; partitions without one are left out.</summary>
    public async ValueTask<IReadOnlyDictionary<TopicPartition, CommitPoint>> CommittedAsync(IReadOnlyList<TopicPartition> partitions, CancellationToken ct)
    {
        IReadOnlyList<KeyValuePair<TopicPartition, CommitPoint>> found = await AtCoordinatorAsync(
            (coordinator, inner) => OffsetStore.FetchAsync(coordinator, _options.Group!, partitions, inner), ct);
        SortedDictionary<TopicPartition, CommitPoint> points = [];
        foreach ((TopicPartition partition, CommitPoint point) in found)
        {
            points[partition] = point;
        }
        return points;
    }

    private async ValueTask CommitPointsAsync(IEnumerable<KeyValuePair<TopicPartition, CommitPoint>> points, CancellationToken ct)
    {
        List<KeyValuePair<TopicPartition, CommitPoint>> wanted = [.. points];
        if (wanted.Count == 0)
        {
            return;
        }
        await AtCoordinatorAsync(
            async (coordinator, inner) =>
            {
                // Partitions assigned by hand are committed from outside the group.
                Membership member = _rebalancer is null ? new Membership(_options.Group!, "", -1, null) : _session!.Membership;
                await OffsetStore.CommitAsync(coordinator, member, wanted, inner);
                return true;
            },
            ct);
    }

    private ValueTask<T> AtCoordinatorAsync<T>(Func<BrokerConnection, CancellationToken, ValueTask<T>> ask, CancellationToken ct)
    {
        GroupSession session = _session ?? throw new InvalidOperationException("committed offsets need a group");
        return _cluster.Retry.RunAsync(
            async (attempt, inner) =>
            {
                if (attempt > 0)
                {
                    _cluster.InvalidateCoordinator(_options.Group!);
                }
                return await ask(await session.CoordinatorAsync(inner), inner);
            },
            _cluster.Options.LookupTimeout,
            ct);
    }

    /// <summary>Automatic commit of what earlier polls gave. A failure is not the caller's: the next one commits more, or a rebalance repeats some.</summary>
    private async ValueTask CommitTakenAsync(bool isDue, CancellationToken ct)
    {
        if (_options.AutoCommitInterval is not { } interval || !isDue && _time.GetElapsedTime(_committed) < interval)
        {
            return;
        }
        _committed = _time.GetTimestamp();
        try
        {
            await CommitAsync(ct);
        }
        catch (Exception e) when (DeadlineRetry.IsTransient(e) || e is OperationCanceledException || e is BrokerErrorException { Code: var code } && Rebalancer.IsMoved(code))
        {
            Telemetry.ClientMetrics.CommitsFailed.Add(1);
        }
    }
}
