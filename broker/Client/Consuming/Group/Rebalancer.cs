using LogPipeline.Client.Consuming.Fetching;
using LogPipeline.Client.Metadata;
using LogPipeline.Files.Waiting;
using LogPipeline.Protocol;

namespace LogPipeline.Client.Consuming.Group;

/// <summary>
/// The poll's part of membership: joins when the session wants to, tells the listener, moves partitions in and out of the table. A poll that
/// is cancelled while joining leaves the join to the next poll; a poll that is cancelled while the listener runs ends only after the listener,
/// so that between two polls the listener and the table hold the same partitions. Owned by the polling thread.
/// </summary>
internal sealed class Rebalancer(
    ConsumerOptions options, ClusterClient cluster, GroupSession session, PartitionTable table, GroupJoin join, IRebalanceListener? listener, Func<ValueTask> commit)
{
    /// <summary>
    /// How often the leader asks how many partitions there are, and a member that subscribes by pattern which topics: their lines are not read until then.
    /// </summary>
    private static readonly TimeSpan TopicsInterval = TimeSpan.FromSeconds(10);

    private IReadOnlyList<TopicPartition> _had = [];
    private Task<IReadOnlyList<TopicPartition>>? _joining;
    private Task<SortedDictionary<string, int>>? _counting;
    private long _counted = cluster.Time.GetTimestamp();
    private Task<IReadOnlyList<string>>? _listing;
    private long _listed = cluster.Time.GetTimestamp();

    /// <summary>Returns when the member is stable; true if its partitions may have changed.</summary>
    public async ValueTask<bool> AdvanceAsync(CancellationToken ct)
    {
        bool moved = false;
        while (true)
        {
            if (session.Fatal is { } fatal)
            {
                throw fatal;
            }
            if (_joining is null && session.TakeLost())
            {
                await LoseAsync();
                moved = true;
            }
            else if (_joining is null && session.WantsJoin)
            {
                await PrepareAsync();
                _joining = join.RunAsync(join.IsCooperative ? table.Partitions : [], _had, session.Closed);
            }
            else if (_joining is not null)
            {
                IReadOnlyList<TopicPartition> assigned = await JoinedAsync(_joining, ct);
                moved = true;
                await (session.TakeLost() ? LoseAsync() : MoveAsync(assigned));
            }
            else
            {
                LookForNewPartitions();
                LookForNewTopics();
                return moved;
            }
        }
    }

    /// <summary>Takes a join's outcome, which is taken once: a cancelled wait leaves it to the next poll even if it is there by now.</summary>
    private async Task<IReadOnlyList<TopicPartition>> JoinedAsync(Task<IReadOnlyList<TopicPartition>> joining, CancellationToken ct)
    {
        try
        {
            IReadOnlyList<TopicPartition> assigned = await joining.OrCancelled(ct);
            _joining = null;
            return assigned;
        }
        catch (Exception e) when (e is not OperationCanceledException || !ct.IsCancellationRequested)
        {
            // Told once; the next poll begins another join.
            _joining = null;
            session.RequestJoin();
            throw;
        }
    }

    /// <summary>What the listener hears last: our partitions go.</summary>
    public async ValueTask CloseAsync()
    {
        IReadOnlyList<TopicPartition> owned = table.Partitions;
        if (owned.Count > 0 && listener is not null)
        {
            await listener.RevokedAsync(owned, CancellationToken.None);
        }
        table.Remove(owned);
    }

    /// <summary>Before joining, a member of an eager group gives up all it has.</summary>
    private async Task PrepareAsync()
    {
        IReadOnlyList<TopicPartition> owned = table.Partitions;
        if (!join.IsCooperative && owned.Count > 0)
        {
            await RevokeAsync(owned);
        }
    }

    private async Task RevokeAsync(IReadOnlyList<TopicPartition> partitions)
    {
        await commit();
        if (listener is not null)
        {
            await listener.RevokedAsync(partitions, session.Closed);
        }
        table.Remove(partitions);
    }

    private async Task LoseAsync()
    {
        IReadOnlyList<TopicPartition> owned = table.Partitions;
        table.Remove(owned);
        _had = [];
        session.RequestJoin();
        if (owned.Count > 0 && listener is not null)
        {
            await listener.LostAsync(owned, session.Closed);
        }
    }

    private async Task MoveAsync(IReadOnlyList<TopicPartition> assigned)
    {
        IReadOnlyList<TopicPartition> owned = table.Partitions;
        List<TopicPartition> revoked = [.. owned.Where(p => !assigned.Contains(p))];
        List<TopicPartition> added = [.. assigned.Where(p => !owned.Contains(p))];
        _had = assigned;
        if (revoked.Count > 0)
        {
            // Also when revoking fails: then the next generation revokes what is still held.
            session.RequestJoin();
            await RevokeAsync(revoked);
        }
        if (added.Count == 0)
        {
            return;
        }
        table.Add(added);
        if (listener is null)
        {
            return;
        }
        try
        {
            await listener.AssignedAsync(added, session.Closed);
        }
        catch
        {
            // The listener did not take them: a later poll joins again and offers them anew.
            table.Remove(added);
            session.RequestJoin();
            throw;
        }
    }

    /// <summary>The leader looks now and then whether topics appeared or grew; then the group must share out anew.</summary>
    private void LookForNewPartitions()
    {
        if (_counting is { IsCompleted: true } counting)
        {
            _counting = null;
            _counted = cluster.Time.GetTimestamp();
            if (counting.IsCompletedSuccessfully && join.SharedCounts is { } shared && !shared.SequenceEqual(counting.Result))
            {
                session.RequestJoin();
            }
            else if (counting.Exception?.InnerException is { } e && !DeadlineRetry.IsTransient(e) && e is not BrokerErrorException)
            {
                throw e;
            }
        }
        if (_counting is null && join.SharedCounts is { } counts)
        {
            TimeSpan oldest = cluster.Options.MetadataMaxAge < TopicsInterval ? cluster.Options.MetadataMaxAge : TopicsInterval;
            TimeSpan age = counts.ContainsValue(0) ? options.HeartbeatInterval : oldest;
            if (cluster.Time.GetElapsedTime(_counted) >= age)
            {
                _counting = join.CountsAsync([.. counts.Keys], session.Closed).AsTask();
            }
        }
    }

    /// <summary>A member that subscribes by pattern joins anew when the pattern takes other topics than it joined with.</summary>
    private void LookForNewTopics()
    {
        if (_listing is { IsCompleted: true } listing)
        {
            _listing = null;
            _listed = cluster.Time.GetTimestamp();
            if (listing.IsCompletedSuccessfully && !listing.Result.SequenceEqual(join.Topics, StringComparer.Ordinal))
            {
                session.RequestJoin();
            }
            _ = listing.Exception; // asked again at the next turn; what only people can mend ends the join
        }
        if (_listing is null && join.IsByPattern && cluster.Time.GetElapsedTime(_listed) >= TopicsInterval)
        {
            _listing = join.TopicsAsync(session.Closed).AsTask();
        }
    }

    /// <summary>Whether a commit failed because the group has moved on, which the next poll mends.</summary>
    public static bool IsMoved(ErrorCode code) => code is ErrorCode.RebalanceInProgress or ErrorCode.IllegalGeneration or ErrorCode.UnknownMemberId;
}
