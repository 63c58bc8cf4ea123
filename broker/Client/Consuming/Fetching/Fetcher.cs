using LogPipeline.Client.Connections;
using LogPipeline.Client.Metadata;
using LogPipeline.Client.Telemetry;
using LogPipeline.Files.Waiting;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Messages;

namespace LogPipeline.Client.Consuming.Fetching;

/// <summary>
/// Keeps the table filled: one pump loop makes plans, one fetch at a time is under way at each leader, none begins while the table
/// holds enough. Owns a lane of connections. <c>_gate</c> guards the busy sets.
/// </summary>
internal sealed class Fetcher(ConsumerOptions options, ClusterClient cluster, PartitionTable table, AsyncSignal wakePoll, Random random) : IAsyncDisposable
{
    private readonly int _lane = cluster.NewLane();
    private readonly AsyncSignal _wake = new();
    private readonly CancellationTokenSource _closed = new();
    private readonly Lock _gate = new();
    private readonly List<BrokerEndpoint> _busy = [];
    private readonly SortedSet<string> _refreshing = new(StringComparer.Ordinal);
    private readonly List<Task> _running = [];
    private Exception? _fatal;
    private Task? _pump;
    private int _turn = random.Next(1 << 16);

    /// <summary>What stopped the pump, to be thrown by the poll.</summary>
    public Exception? Fatal => _fatal;

    public void Start() => _pump ??= PumpAsync();

    /// <summary>Something changed: plan anew.</summary>
    public void Wake() => _wake.Set();

    public async ValueTask DisposeAsync()
    {
        _closed.Cancel();
        await cluster.CloseLaneAsync(_lane);
        if (_pump is not null)
        {
            await _pump;
        }
        List<Task> running;
        lock (_gate)
        {
            running = [.. _running];
        }
        await Task.WhenAll(running);
    }

    private async Task PumpAsync()
    {
        try
        {
            while (!_closed.IsCancellationRequested)
            {
                if (table.HasRoom(options.PrefetchBytes))
                {
                    Launch();
                }
                await _wake.WaitAsync(_closed.Token);
            }
        }
        catch (OperationCanceledException) when (_closed.IsCancellationRequested)
        {
            // The consumer is being closed.
        }
        catch (Exception e)
        {
            _fatal = e;
            wakePoll.Set();
        }
    }

    private void Launch()
    {
        SortedSet<string> leaderless = new(StringComparer.Ordinal);
        List<FetchPlan> plans;
        IReadOnlyList<PartitionState> states = table.States;
        lock (table.Gate)
        {
            plans = FetchPlan.Make(states, cluster, IsBusy, _turn++ & int.MaxValue, leaderless);
            foreach (FetchPlan.Entry entry in plans.SelectMany(p => p.Entries))
            {
                entry.State.IsFetching = true;
            }
        }
        if (states.Any(s => s.NeedsEpochCheck && !s.IsPaused))
        {
            wakePoll.Set();
        }
        foreach (FetchPlan plan in plans)
        {
            lock (_gate)
            {
                _busy.Add(plan.Leader);
            }
            Run(FetchAsync(plan));
        }
        foreach (string topic in leaderless)
        {
            lock (_gate)
            {
                if (!_refreshing.Add(topic))
                {
                    continue;
                }
            }
            Run(RefreshAsync(topic));
        }
    }

    private void Run(Task task)
    {
        lock (_gate)
        {
            _running.RemoveAll(t => t.IsCompleted);
            _running.Add(task);
        }
    }

    private bool IsBusy(BrokerEndpoint leader)
    {
        lock (_gate)
        {
            return _busy.Contains(leader);
        }
    }

    private async Task FetchAsync(FetchPlan plan)
    {
        bool isTroubled;
        try
        {
            isTroubled = await FetchOnceAsync(plan);
        }
        catch (Exception e) when (_closed.IsCancellationRequested && (DeadlineRetry.IsTransient(e) || e is OperationCanceledException or ObjectDisposedException))
        {
            return;
        }
        catch (Exception e) when (DeadlineRetry.IsTransient(e))
        {
            isTroubled = true;
            foreach (FetchPlan.Entry entry in plan.Entries)
            {
                cluster.Invalidate(entry.State.Partition.Topic);
            }
        }
        catch (Exception e)
        {
            isTroubled = true;
            plan.Entries.ForEach(entry => Fail(entry.State, entry.Version, e));
        }
        await ReleaseAsync(plan, isTroubled);
    }

    private async ValueTask ReleaseAsync(FetchPlan plan, bool isTroubled)
    {
        if (isTroubled && !await PauseAsync())
        {
            return;
        }
        lock (table.Gate)
        {
            foreach (FetchPlan.Entry entry in plan.Entries)
            {
                entry.State.IsFetching = false;
            }
        }
        lock (_gate)
        {
            _busy.Remove(plan.Leader);
        }
        _wake.Set();
    }

    /// <summary>Waits before a retry; false when the consumer was closed meanwhile.</summary>
    private async ValueTask<bool> PauseAsync()
    {
        try
        {
            await Task.Delay(cluster.Options.RetryDelay * (1 + cluster.Random.NextDouble()), cluster.Time, _closed.Token);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    /// <summary>One fetch; true when some partition could not be served.</summary>
    private async ValueTask<bool> FetchOnceAsync(FetchPlan plan)
    {
        BrokerConnection leader = await cluster.ConnectAsync(plan.Leader, _lane, _closed.Token);
        short version = leader.VersionOf(FetchRequest.Api, plan.HasTopicIds ? short.MaxValue : FetchPlan.LastVersionByName);
        Leased<FetchResponse> answer = await leader.SendLeasedAsync<FetchRequest, FetchResponse>(
            plan.Request(options), version, options.FetchWaitMax + cluster.Options.RequestTimeout, _closed.Token);
        bool isTroubled = false;
        try
        {
            if (answer.Response.ErrorCode != ErrorCode.None)
            {
                throw new BrokerErrorException(answer.Response.ErrorCode, $"fetching from {plan.Leader}: {answer.Response.ErrorCode}");
            }
            foreach (FetchResponse.Response topic in answer.Response.Responses)
            {
                foreach (FetchResponse.Response.Partition partition in topic.Partitions)
                {
                    FetchPlan.Entry entry = plan.Find(topic, partition.PartitionIndex, version > FetchPlan.LastVersionByName)
                        ?? throw new InvalidDataException($"{plan.Leader} answered for a partition that was not asked for");
                    isTroubled |= !Take(entry, partition, answer.Lease);
                }
            }
        }
        finally
        {
            answer.Lease.Release();
        }
        return isTroubled;
    }

    /// <summary>Queues a partition's batches or notes its error; false for an error to wait after.</summary>
    private bool Take(FetchPlan.Entry entry, FetchResponse.Response.Partition answer, FrameLease lease)
    {
        if (answer.ErrorCode != ErrorCode.None)
        {
            return Refused(entry, answer);
        }
        WholeBatches whole;
        try
        {
            whole = WholeBatches.Of(answer.Records.Memory, entry.Offset, options.CheckCrc, entry.State.Partition);
        }
        catch (CorruptBatchException e)
        {
            Fail(entry.State, entry.Version, e, entry.Offset);
            return true;
        }
        lock (table.Gate)
        {
            entry.State.HighWatermark = answer.HighWatermark;
            entry.State.LogStartOffset = answer.LogStartOffset;
        }
        if (whole.Memory.Length > 0)
        {
            var batches = new PartitionBatches(
                entry.State.Partition, entry.TopicId, entry.Offset, whole.NextOffset, answer.HighWatermark, answer.LogStartOffset, whole.Memory)
            {
                Aborted = answer.AbortedTransactions ?? [],
            };
            if (table.Offer(new FetchedPartition(entry.State, entry.Version, batches, whole.LastEpoch, lease)))
            {
                ClientMetrics.FetchedBytes.Add(whole.Memory.Length);
                wakePoll.Set();
            }
        }
        return true;
    }

    private bool Refused(FetchPlan.Entry entry, FetchResponse.Response.Partition answer)
    {
        PartitionState state = entry.State;
        if (answer.ErrorCode == ErrorCode.OffsetOutOfRange)
        {
            lock (table.Gate)
            {
                state.IsOutOfRange = state.Version == entry.Version && state.FetchOffset == entry.Offset;
            }
            wakePoll.Set();
            return true;
        }
        if (answer.ErrorCode == ErrorCode.CorruptMessage)
        {
            // The broker found it itself; asking again in silence would hide that nothing comes any more.
            Fail(state, entry.Version, new CorruptBatchException(state.Partition, entry.Offset, "the broker finds it damaged on its disk"), entry.Offset);
            return true;
        }
        if (answer.ErrorCode.IsRetriable())
        {
            cluster.Invalidate(state.Partition.Topic);
            return false;
        }
        var refusal = new BrokerErrorException(answer.ErrorCode, $"fetching {state.Partition} at {entry.Offset}: {answer.ErrorCode}");
        Fail(state, entry.Version, refusal, entry.Offset);
        return true;
    }

    /// <summary>The poll will throw it; nothing more is fetched until it did, or until a seek.</summary>
    private void Fail(PartitionState state, int version, Exception e, long? at = null)
    {
        lock (table.Gate)
        {
            if (state.Version == version && (at ?? state.FetchOffset) == state.FetchOffset)
            {
                state.Failure = e;
            }
        }
        wakePoll.Set();
    }

    private async Task RefreshAsync(string topic)
    {
        try
        {
            await cluster.TopicAsync(topic, refresh: true, _closed.Token);
        }
        catch (OperationCanceledException) when (_closed.IsCancellationRequested)
        {
            return;
        }
        catch (Exception e) when (DeadlineRetry.IsTransient(e))
        {
            // Asked again below, as long as a partition of it is owned.
        }
        catch (Exception e)
        {
            foreach (PartitionState state in table.States.Where(state => state.Partition.Topic == topic))
            {
                Fail(state, state.Version, e);
            }
        }
        if (await PauseAsync())
        {
            lock (_gate)
            {
                _refreshing.Remove(topic);
            }
            _wake.Set();
        }
    }
}
