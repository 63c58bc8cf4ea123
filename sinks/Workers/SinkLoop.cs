using System.Runtime.ExceptionServices;
using LogPipeline.Client;
using LogPipeline.Client.Consuming;
using LogPipeline.Sinks.Telemetry;

namespace LogPipeline.Sinks.Workers;

/// <summary>
/// The loop of a sink: polls, buffers by partition, starts flushes and claims, and takes their results from the inbox. It alone
/// touches the consumer and the partitions. Flushes and claims run beside it, so polling goes on while the database works or is
/// away: partitions are paused, the membership is kept. The rebalance calls come from inside its own poll, which waits for their end:
/// between two polls the consumer holds exactly the partitions that the loop knows, so each of them can be paused and sought.
/// </summary>
internal sealed class SinkLoop(
    SinkOptions options, Consumer consumer, LedgerClaims claims, Flusher flusher, Patience patience, SinkEnvironment environment, Action onJoined)
    : IRebalanceListener, IDisposable
{
    private static readonly TimeSpan PollMax = TimeSpan.FromSeconds(1);

    /// <summary>Longer than a heartbeat: whoever is no longer a member learns it before it would claim again.</summary>
    private static readonly TimeSpan RivalDelay = TimeSpan.FromSeconds(5);

    /// <summary>Between two tries to read a batch that could not be read.</summary>
    private static readonly TimeSpan StuckRetry = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan DrainMax = TimeSpan.FromSeconds(4);

    private readonly SortedDictionary<TopicPartition, PartitionSink> _partitions = [];
    private readonly LoopInbox _inbox = new();
    private readonly RowBuffers _buffers = new(consumer, options.Flush.BytesMax);
    private readonly CancellationTokenSource _abandoned = new(Timeout.InfiniteTimeSpan, environment.Time);
    private readonly OffsetReports _reports = new(options.Name, consumer, claims.CommitMetadata, environment);
    private Exception? _fatal;
    private CancellationToken _stop;

    /// <summary>Runs until stopped, then flushes what is buffered. Throws what no waiting mends.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        _stop = stop;
        await using var draining = stop.UnsafeRegister(_ => _abandoned.CancelAfter(DrainMax), null);
        var watch = new LedgerWatch(claims, _inbox, environment.Time);
        consumer.Subscribe(options.Topics, this);
        try
        {
            while (!stop.IsCancellationRequested)
            {
                RunInbox();
                StartFlushes(all: false);
                HoldBack();
                watch.Look(_partitions.Values, OnLedgerChanged, error => _fatal ??= error, _abandoned.Token);
                _reports.Send(_abandoned.Token);
                await PollAsync(stop);
                if (consumer.Generation >= 0)
                    onJoined();
            }
            await DrainAsync();
        }
        finally
        {
            _abandoned.Cancel();
            foreach (var sink in _partitions.Values)
                sink.Release();
            await Task.WhenAll(_partitions.Values.Select(p => p.Work).Append(watch.Looking));
        }
    }

    public void Dispose()
    {
        _buffers.Dispose();
        _abandoned.Dispose();
        foreach (var sink in _partitions.Values)
            sink.Dispose();
        _partitions.Clear(); // leaving the group still calls the listener
    }

    public async ValueTask AssignedAsync(IReadOnlyList<TopicPartition> partitions, CancellationToken ct)
    {
        onJoined();
        foreach (var partition in partitions)
            StartClaim(_partitions[partition] = new PartitionSink(partition, _stop), TimeSpan.Zero);
        // Most claims take milliseconds; a database that is away must not hold up the group: it is waited for afterwards.
        await WaitAtMost.AllAsync([.. partitions.Select(p => _partitions[p].Work)], RivalDelay, environment.Time, _stop);
        RunInbox();
    }

    public async ValueTask RevokedAsync(IReadOnlyList<TopicPartition> partitions, CancellationToken ct)
    {
        var gone = new List<PartitionSink>();
        foreach (var partition in partitions)
        {
            if (!_partitions.Remove(partition, out var sink))
                continue;
            sink.Release();
            _reports.Forget(partition);
            gone.Add(sink);
        }
        foreach (var sink in gone)
        {
            await sink.Work;
            _buffers.Discard(sink);
            sink.Dispose();
        }
    }

    public ValueTask LostAsync(IReadOnlyList<TopicPartition> partitions, CancellationToken ct) => RevokedAsync(partitions, ct);

    private async Task PollAsync(CancellationToken stop)
    {
        using var deadline = new CancellationTokenSource(TimeToNextFlush(), environment.Time);
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(stop, _inbox.Wake, deadline.Token);
        try
        {
            using var fetched = await consumer.PollBatchesAsync(waiting.Token);
            foreach (var batches in fetched.Partitions)
                Buffer(batches);
        }
        catch (OperationCanceledException) when (waiting.IsCancellationRequested)
        {
            // Time to look at the inbox or to flush.
        }
        catch (LogTruncatedException error)
        {
            ClaimAgain(error.Partition, error.Message);
        }
        catch (PositionOutOfRangeException error)
        {
            ClaimAgain(error.Partition, error.Message);
        }
        catch (CorruptBatchException error)
        {
            HoldUp(error.Partition, error.Message);
        }
        catch (Exception error) when (Patience.IsWorthWaiting(error) && !stop.IsCancellationRequested)
        {
            SinkLog.Waiting(environment.Logger, options.Name, error.Message, PollMax);
            await PauseAsync(waiting.Token);
        }
    }

    private async Task PauseAsync(CancellationToken waiting)
    {
        try
        {
            await Task.Delay(PollMax, environment.Time, waiting);
        }
        catch (OperationCanceledException)
        {
            // Something to do before the pause is over.
        }
    }

    private TimeSpan TimeToNextFlush()
    {
        var wait = PollMax;
        foreach (var sink in _partitions.Values)
        {
            if (!sink.HasNews)
                continue;
            var left = options.Flush.Interval - environment.Time.GetElapsedTime(sink.FlushedAt);
            wait = left < wait ? left : wait;
        }
        return wait > TimeSpan.Zero ? wait : TimeSpan.Zero;
    }

    private void Buffer(PartitionBatches batches)
    {
        if (!_partitions.TryGetValue(batches.Partition, out var sink) || sink.Claim is not { } claim)
            return;
        if (batches.TopicId != Guid.Empty && claim.Entry.Log.TopicId != Guid.Empty && batches.TopicId != claim.Entry.Log.TopicId)
        {
            ClaimAgain(batches.Partition, "the topic was deleted and made again");
            return;
        }
        if (batches.FetchOffset != sink.NextOffset)
        {
            consumer.Seek(sink.Partition, sink.NextOffset, sink.LeaderEpoch);
            return;
        }
        var collected = _buffers.Collect(sink, batches.Batches.Span);
        sink.NextOffset = collected.NextOffset;
        if (collected.LeaderEpoch >= 0)
            sink.LeaderEpoch = collected.LeaderEpoch;
        if (collected.Skipped > 0)
            SinkMeter.Skipped.Add(collected.Skipped, new KeyValuePair<string, object?>("sink", options.Name));
        if (collected.Failure is { } failure)
            HoldUp(sink.Partition, failure.Message);
    }

    /// <summary>A batch cannot be read: its partition waits, since the broker may be mended or the batch go with retention. The others go on.</summary>
    private void HoldUp(TopicPartition partition, string reason)
    {
        if (!_partitions.TryGetValue(partition, out var sink) || sink.Claim is null)
            return;
        consumer.Seek(partition, sink.NextOffset, sink.LeaderEpoch);
        sink.StuckSince = environment.Time.GetTimestamp();
        if (sink.StuckTold == sink.NextOffset)
            return;
        sink.StuckTold = sink.NextOffset;
        SinkLog.Stuck(environment.Logger, options.Name, reason, StuckRetry);
    }

    private void HoldBack()
    {
        foreach (var sink in _partitions.Values)
        {
            if (sink.StuckSince is { } since && environment.Time.GetElapsedTime(since) >= StuckRetry)
                sink.StuckSince = null;
        }
        _buffers.HoldBack(_partitions.Values);
    }

    private void StartFlushes(bool all)
    {
        foreach (var sink in _partitions.Values)
        {
            if (!sink.HasNews)
                continue;
            if (all || _buffers.IsDue(sink) || environment.Time.GetElapsedTime(sink.FlushedAt) >= options.Flush.Interval)
                StartFlush(sink);
        }
    }

    private void StartFlush(PartitionSink sink)
    {
        var work = _buffers.Take(sink);
        sink.IsFlushing = true;
        sink.FlushedAt = environment.Time.GetTimestamp();
        sink.Work = FlushAsync(sink, work);
    }

    private async Task FlushAsync(PartitionSink sink, FlushWork work)
    {
        try
        {
            await flusher.FlushAsync(work, _abandoned.Token);
            _inbox.Post(() => OnFlushed(sink, work));
        }
        catch (OwnershipLostException)
        {
            SinkMeter.LostClaims.Add(1, new KeyValuePair<string, object?>("sink", options.Name));
            _inbox.Post(() => OnNotFlushed(sink, work, RivalDelay + patience.Delay(0)));
        }
        catch (StoreUnavailableException error)
        {
            _inbox.Post(() => OnUnavailable(sink, work, error));
        }
        catch (OperationCanceledException) when (_abandoned.IsCancellationRequested)
        {
            // The process ends; the transaction was not committed or its outcome is read at the next start.
        }
        catch (Exception error)
        {
            _inbox.Post(() => _fatal ??= error);
        }
    }

    private void OnFlushed(PartitionSink sink, FlushWork work)
    {
        patience.OnWorking();
        sink.IsFlushing = false;
        sink.Failures = 0;
        SinkLog.Flushed(environment.Logger, options.Name, sink.Partition, work.Rows.Count, work.NextOffset);
        _buffers.PutBack(work.Rows);
        if (!IsCurrent(sink) || !ReferenceEquals(sink.Claim, work.Claim))
            return;
        sink.Claim = work.Claim with { Entry = work.Claim.Entry with { NextOffset = work.NextOffset, LeaderEpoch = work.LeaderEpoch } };
        _reports.Add(sink.Partition, work.NextOffset, work.LeaderEpoch);
    }

    /// <summary>The flush failed and the outcome may be unknown: the ledger says, once it is claimed again.</summary>
    private void OnUnavailable(PartitionSink sink, FlushWork work, StoreUnavailableException error)
    {
        var delay = sink.Failures == 0 ? TimeSpan.Zero : patience.Delay(sink.Failures);
        sink.Failures++;
        patience.OnWaiting(error, delay);
        OnNotFlushed(sink, work, delay);
    }

    private void OnNotFlushed(PartitionSink sink, FlushWork work, TimeSpan delay)
    {
        _buffers.PutBack(work.Rows);
        sink.IsFlushing = false;
        if (!IsCurrent(sink) || !ReferenceEquals(sink.Claim, work.Claim))
            return;
        if (delay >= RivalDelay)
            SinkLog.OwnershipLost(environment.Logger, options.Name, sink.Partition, delay);
        StartClaim(sink, delay);
    }

    /// <summary>The ledger was restored from a backup, or another owner took the log: as after a flush that found that.</summary>
    private void OnLedgerChanged(PartitionSink sink, Claim claim)
    {
        if (!IsCurrent(sink) || !ReferenceEquals(sink.Claim, claim) || sink.IsFlushing)
            return;
        SinkLog.ClaimingAgain(environment.Logger, options.Name, sink.Partition, "its ledger row or its topic is not as it was left");
        StartClaim(sink, RivalDelay + patience.Delay(0));
    }

    /// <summary>The log is not as the claim left it; a flush under way ends first.</summary>
    private void ClaimAgain(TopicPartition partition, string reason)
    {
        if (!_partitions.TryGetValue(partition, out var sink) || sink.Claim is null)
            return;
        SinkLog.ClaimingAgain(environment.Logger, options.Name, partition, reason);
        StartClaim(sink, patience.Delay(3));
    }

    private void StartClaim(PartitionSink sink, TimeSpan delay)
    {
        _buffers.Discard(sink);
        _reports.Forget(sink.Partition);
        sink.Claim = null;
        consumer.Pause(sink.Partition);
        sink.Work = ClaimAsync(sink, sink.Work, delay);
    }

    private async Task ClaimAsync(PartitionSink sink, Task before, TimeSpan delay)
    {
        try
        {
            await before;
            if (delay > TimeSpan.Zero)
                await Task.Delay(delay, environment.Time, sink.Released);
            var claim = await patience.WaitForAsync(cancellation => claims.TakeAsync(sink.Partition, cancellation), sink.Released);
            _inbox.Post(() => OnClaimed(sink, claim));
        }
        catch (OperationCanceledException) when (sink.Released.IsCancellationRequested)
        {
            // Revoked, or the process ends.
        }
        catch (OwnershipLostException)
        {
            _inbox.Post(() => StartClaimIfCurrent(sink, RivalDelay));
        }
        catch (Exception error)
        {
            _inbox.Post(() => _fatal ??= error);
        }
    }

    private void StartClaimIfCurrent(PartitionSink sink, TimeSpan delay)
    {
        if (IsCurrent(sink))
            StartClaim(sink, delay);
    }

    private void OnClaimed(PartitionSink sink, Claim claim)
    {
        if (!IsCurrent(sink))
            return;
        if (sink.Failures == 0)
            patience.OnWorking();
        _buffers.Discard(sink);
        sink.Claim = claim;
        sink.NextOffset = claim.Entry.NextOffset;
        sink.LeaderEpoch = claim.Entry.LeaderEpoch;
        // The last report may have been lost, and a quiet partition has no flush that would send another. A ledger that stored nothing
        // yet stays unnamed: until then the sink may still be pointed at another store.
        if (sink.LeaderEpoch >= 0)
            _reports.Add(sink.Partition, sink.NextOffset, sink.LeaderEpoch);
        SinkLog.Claimed(environment.Logger, options.Name, sink.Partition, sink.NextOffset);
        consumer.Seek(sink.Partition, sink.NextOffset, sink.LeaderEpoch);
        consumer.Resume(sink.Partition);
    }

    private bool IsCurrent(PartitionSink sink) => _partitions.TryGetValue(sink.Partition, out var current) && ReferenceEquals(current, sink);

    private void RunInbox()
    {
        _inbox.Run();
        if (_fatal is { } error)
            ExceptionDispatchInfo.Throw(error);
    }

    /// <summary>Flushes what is buffered, as far as the time from the stop to the abandonment goes.</summary>
    private async Task DrainAsync()
    {
        await Task.WhenAll(_partitions.Values.Select(p => p.Work));
        RunInbox();
        StartFlushes(all: true);
        await Task.WhenAll(_partitions.Values.Select(p => p.Work));
        RunInbox();
        await _reports.FinishAsync(_abandoned.Token);
    }
}
