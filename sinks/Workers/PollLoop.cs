using System.Collections.Immutable;
using LogPipeline.Client;
using LogPipeline.Client.Consuming;
using LogPipeline.Sinks.Rows;
using LogPipeline.Sinks.Telemetry;

namespace LogPipeline.Sinks.Workers;

/// <summary>
/// Polls the topics and hands what comes to the partitions' feeds; each partition's own loop stores it. Polling goes on while the database
/// works or is away: partitions are paused, the membership is kept. This loop alone touches the consumer's positions. The rebalance calls
/// come from inside its own poll, which waits for their end: between two polls the consumer holds exactly the partitions that the loop
/// knows, so each of them can be paused and sought.
/// </summary>
internal sealed class PollLoop(Consumer consumer, PartitionTools tools, LedgerWatch watch, LogEnds ends, OffsetReports reports, Upkeep upkeep, Action onReady) : IRebalanceListener, IDisposable
{
    private static readonly TimeSpan PollMax = TimeSpan.FromSeconds(1);

    /// <summary>A member that is in no group for longer than this has a problem: a join takes less.</summary>
    private static readonly TimeSpan JoinMax = TimeSpan.FromSeconds(20);

    private static readonly TimeSpan DrainMax = TimeSpan.FromSeconds(4);

    private readonly CancellationTokenSource _abandoned = new(Timeout.InfiniteTimeSpan, tools.Environment.Time);
    private readonly RowCollector _collector = new();
    private ImmutableSortedDictionary<TopicPartition, PartitionLoop> _partitions = ImmutableSortedDictionary<TopicPartition, PartitionLoop>.Empty;
    private CancellationTokenSource _wake = new();
    private CancellationToken _stop;
    private IReadOnlyList<string>? _told; // the topics that a log line named last
    private long _memberAt = tools.Environment.Time.GetTimestamp(); // when it was last a member of its group

    /// <summary>Why a partition waits, or what else is not in order, in one line; null when all is. Any thread may ask.</summary>
    public string? Problem => Partitions.Select(p => p.Feed.Problem).FirstOrDefault(problem => problem is not null) ?? tools.Waits.Problem
        ?? (tools.Environment.Time.GetElapsedTime(Volatile.Read(ref _memberAt)) < JoinMax ? null
            : $"it is not in its group {tools.Options.Name}: is the broker at {tools.Options.Bootstrap} there?") ?? upkeep.Problem;

    /// <summary>How far each partition is behind. Any thread may ask.</summary>
    public IEnumerable<PartitionLag> Lags => Partitions.Select(LagOf);

    private IEnumerable<PartitionLoop> Partitions => Volatile.Read(ref _partitions).Values;

    /// <summary>Whether what comes is stored at once: each partition was claimed, or is waited for and says why.</summary>
    private bool HasBegun => Partitions.All(p => p.StoredUpTo is not null || tools.Waits.IsWaiting(p.Partition));

    /// <summary>Runs until stopped, then flushes what was polled. Throws what no waiting mends.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        _stop = stop;
        using CancellationTokenRegistration draining = stop.UnsafeRegister(_ => _abandoned.CancelAfter(DrainMax), null);
        TopicSelection topics = TopicPatterns.Of(tools.Options.Topics);
        consumer.Subscribe(topics, this);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stop);
        Task watching = watch.RunAsync(() => Partitions, ending.Token);
        Task tending = upkeep.RunAsync(ending.Token);
        Task reporting = reports.RunAsync(() => Partitions, ending.Token);
        Task asking = ends.RunAsync(() => Partitions, ending.Token);
        tools.Environment.Pauses.Changed += Follow;
        try
        {
            while (!stop.IsCancellationRequested)
            {
                await PollAsync(stop);
                if (consumer.Generation >= 0)
                {
                    Volatile.Write(ref _memberAt, tools.Environment.Time.GetTimestamp());
                    TellTopics(topics);
                    if (HasBegun)
                    {
                        onReady();
                    }
                }
                foreach (Task ended in Partitions.Select(p => p.Ended).Concat([watching, reporting, tending, asking]).Where(task => task.IsCompleted))
                {
                    await ended; // before the stop only a failure ends one
                }
            }
            await DrainAsync(reporting);
        }
        finally
        {
            tools.Environment.Pauses.Changed -= Follow;
            ending.Cancel();
            await EndAsync(watching, reporting, tending, asking);
        }
    }

    public void Dispose()
    {
        _collector.Dispose();
        _abandoned.Dispose();
    }

    public ValueTask AssignedAsync(IReadOnlyList<TopicPartition> partitions, CancellationToken ct)
    {
        foreach (TopicPartition partition in partitions)
        {
            var loop = new PartitionLoop(partition, tools, Wake, _stop, _abandoned.Token);
            Volatile.Write(ref _partitions, _partitions.SetItem(partition, loop));
            loop.Feed.Steer(consumer);
            loop.Start();
        }
        return ValueTask.CompletedTask;
    }

    public async ValueTask RevokedAsync(IReadOnlyList<TopicPartition> partitions, CancellationToken ct)
    {
        PartitionLoop[] gone = [.. Partitions.Where(p => partitions.Contains(p.Partition))];
        Volatile.Write(ref _partitions, _partitions.RemoveRange(partitions));
        await ReleaseAsync(gone);
    }

    public ValueTask LostAsync(IReadOnlyList<TopicPartition> partitions, CancellationToken ct) => RevokedAsync(partitions, ct);

    private PartitionLag LagOf(PartitionLoop partition)
    {
        LogEnd? asked = ends.Of(partition.Partition);
        long end = Math.Max(consumer.End(partition.Partition), asked?.Offset ?? -1);
        return new PartitionLag(
            partition.Partition, partition.StoredUpTo is { } stored && end >= 0 ? Math.Max(0, end - stored) : null, partition.OldestUnstored ?? asked?.BehindSince);
    }

    /// <summary>Tells which topics the patterns take, each time that they are others.</summary>
    private void TellTopics(TopicSelection topics)
    {
        if (topics.Pattern is null || ReferenceEquals(_told, consumer.Subscribed))
        {
            return;
        }
        _told = consumer.Subscribed;
        string found = _told.Count > 0 ? string.Join(", ", _told) : "none yet";
        SinkLog.Topics(tools.Environment.Logger, tools.Options.Name, string.Join(", ", tools.Options.Topics), found);
    }

    private static async Task ReleaseAsync(PartitionLoop[] gone)
    {
        foreach (PartitionLoop partition in gone)
        {
            partition.Release();
        }
        await Task.WhenAll(gone.Select(p => p.Ended));
        foreach (PartitionLoop partition in gone)
        {
            partition.Dispose();
        }
    }

    private async Task PollAsync(CancellationToken stop)
    {
        using var deadline = new CancellationTokenSource(PollMax, tools.Environment.Time);
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(stop, WakeOfNextPoll(), deadline.Token);
        foreach (PartitionLoop partition in Partitions)
        {
            partition.Feed.Steer(consumer);
        }
        try
        {
            using FetchedBatches fetched = await consumer.PollBatchesAsync(waiting.Token);
            foreach (PartitionBatches batches in fetched.Partitions)
            {
                Add(batches);
            }
            if (tools.Pool.IsFull)
            {
                NudgeAll();
            }
        }
        catch (OperationCanceledException) when (waiting.IsCancellationRequested)
        {
            // Time to look at the partitions.
        }
        catch (LogTruncatedException error)
        {
            Feed(error.Partition)?.Fail(new LogMovedException(error.Message));
        }
        catch (PositionOutOfRangeException error)
        {
            Feed(error.Partition)?.Fail(new LogMovedException(error.Message));
        }
        catch (CorruptBatchException error)
        {
            HoldUp(error.Partition, error.Message);
        }
        catch (Exception error) when (Waits.IsPassing(error) && !stop.IsCancellationRequested)
        {
            SinkLog.Waiting(tools.Environment.Logger, tools.Options.Name, error.Message, PollMax);
            await PauseAsync(waiting.Token);
        }
    }

    private void NudgeAll()
    {
        foreach (PartitionLoop partition in Partitions)
        {
            partition.Feed.Nudge();
        }
    }

    /// <summary>A person paused or resumed. Any thread may call.</summary>
    private void Follow()
    {
        NudgeAll();
        Wake();
    }

    private async Task PauseAsync(CancellationToken waiting)
    {
        try
        {
            await Task.Delay(PollMax, tools.Environment.Time, waiting);
        }
        catch (OperationCanceledException)
        {
            // Something to do before the pause is over.
        }
    }

    private void Add(PartitionBatches batches)
    {
        if (Feed(batches.Partition)?.Add(batches, _collector) is not { } collected)
        {
            return;
        }
        if (collected.Skipped > 0)
        {
            SinkMeter.Skipped.Add(collected.Skipped, new KeyValuePair<string, object?>("sink", tools.Options.Name));
        }
        if (collected.Failure is { } failure)
        {
            HoldUp(batches.Partition, failure.Message);
        }
    }

    /// <summary>A batch cannot be read: its partition waits, the others go on.</summary>
    private void HoldUp(TopicPartition partition, string reason)
    {
        if (Feed(partition)?.HoldUp(reason) == true)
        {
            SinkLog.Stuck(tools.Environment.Logger, tools.Options.Name, reason, PartitionFeed.UnreadableRetry);
        }
    }

    private PartitionFeed? Feed(TopicPartition partition) => _partitions.GetValueOrDefault(partition)?.Feed;

    /// <summary>Flushes what was polled, as far as the time from the stop to the abandonment goes.</summary>
    private async Task DrainAsync(Task reporting)
    {
        foreach (PartitionLoop partition in Partitions)
        {
            partition.Feed.End(drops: false);
        }
        await Task.WhenAll(Partitions.Select(p => p.Ended).Append(reporting));
        await reports.SendAsync(Partitions, _abandoned.Token);
    }

    private async Task EndAsync(params Task[] besides)
    {
        PartitionLoop[] last = [.. Partitions];
        Volatile.Write(ref _partitions, _partitions.Clear()); // leaving the group still calls the listener
        _abandoned.Cancel();
        await Task.WhenAll([ReleaseAsync(last), .. besides]);
    }

    /// <summary>Ends a poll under way, or the next one at once: a feed was opened, or has room again. Any thread may call.</summary>
    private void Wake() => Volatile.Read(ref _wake).Cancel();

    private CancellationToken WakeOfNextPoll()
    {
        if (_wake.IsCancellationRequested)
        {
            Volatile.Write(ref _wake, new CancellationTokenSource());
        }
        return _wake.Token;
    }
}
