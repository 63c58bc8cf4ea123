using System.Runtime.ExceptionServices;
using LogPipeline.Client;
using LogPipeline.Client.Consuming;
using LogPipeline.Files.Waiting;
using LogPipeline.Sinks.Rows;
using LogPipeline.Sinks.Telemetry;

namespace LogPipeline.Sinks.Workers;

/// <summary>
/// The loop of a sink: polls, buffers by partition, starts flushes and claims, and takes their results from the inbox. It alone
/// touches the consumer and the partitions. Flushes and claims run beside it, so polling goes on while the database works or is
/// away: partitions are paused, the membership is kept. The rebalance calls come from inside its own poll, which waits for their end:
/// between two polls the consumer holds exactly the partitions that the loop knows, so each of them can be paused and sought.
/// </summary>
internal sealed partial class SinkLoop(
    SinkOptions options, Consumer consumer, LedgerClaims claims, Flusher flusher, Patience patience, SinkEnvironment environment, Action onJoined)
    : IRebalanceListener, IDisposable
{
    private static readonly TimeSpan PollMax = TimeSpan.FromSeconds(1);

    /// <summary>Longer than a heartbeat, so that a sink which is no longer a member learns it before it claims again.</summary>
    private static readonly TimeSpan RivalDelay = TimeSpan.FromSeconds(5);

    /// <summary>Between two tries to read a batch that could not be read.</summary>
    private static readonly TimeSpan StuckRetry = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan DrainMax = TimeSpan.FromSeconds(4);

    private readonly SortedDictionary<TopicPartition, PartitionSink> _partitions = [];
    private readonly LoopInbox _inbox = new();
    private readonly RowBuffers _buffers = new(consumer, options.Flush.BytesMax);
    private readonly CancellationTokenSource _abandoned = new(Timeout.InfiniteTimeSpan, environment.Time);
    private readonly OffsetReports _reports = new(options.Name, consumer, claims.CommitMetadata, environment);
    private string? _problem;
    private Exception? _fatal;
    private CancellationToken _stop;

    /// <summary>Why a partition waits, in one line; null when none does. Any thread may ask.</summary>
    public string? Problem => Volatile.Read(ref _problem);

    /// <summary>Runs until stopped, then flushes what is buffered. Throws what no waiting mends.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        _stop = stop;
        await using CancellationTokenRegistration draining = stop.UnsafeRegister(_ => _abandoned.CancelAfter(DrainMax), null);
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
                {
                    onJoined();
                }
            }
            await DrainAsync();
        }
        finally
        {
            _abandoned.Cancel();
            foreach (PartitionSink sink in _partitions.Values)
            {
                sink.Release();
            }
            await Task.WhenAll(_partitions.Values.Select(p => p.Work).Append(watch.Looking));
        }
    }

    public void Dispose()
    {
        _buffers.Dispose();
        _abandoned.Dispose();
        foreach (PartitionSink sink in _partitions.Values)
        {
            sink.Dispose();
        }
        _partitions.Clear(); // leaving the group still calls the listener
    }

    public async ValueTask AssignedAsync(IReadOnlyList<TopicPartition> partitions, CancellationToken ct)
    {
        onJoined();
        foreach (TopicPartition partition in partitions)
        {
            StartClaim(_partitions[partition] = new PartitionSink(partition, _stop), TimeSpan.Zero);
        }
        // Most claims take milliseconds; a database that is away must not hold up the group: it is waited for afterwards.
        await WaitAtMost.AllAsync([.. partitions.Select(p => _partitions[p].Work)], RivalDelay, environment.Time, _stop);
        RunInbox();
    }

    public async ValueTask RevokedAsync(IReadOnlyList<TopicPartition> partitions, CancellationToken ct)
    {
        var gone = new List<PartitionSink>();
        foreach (TopicPartition partition in partitions)
        {
            if (!_partitions.Remove(partition, out PartitionSink? sink))
            {
                continue;
            }
            sink.Release();
            _reports.Forget(partition);
            gone.Add(sink);
        }
        foreach (PartitionSink sink in gone)
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
            using FetchedBatches fetched = await consumer.PollBatchesAsync(waiting.Token);
            foreach (PartitionBatches batches in fetched.Partitions)
            {
                Buffer(batches);
            }
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
        TimeSpan wait = PollMax;
        foreach (PartitionSink sink in _partitions.Values)
        {
            if (!sink.HasNews)
            {
                continue;
            }
            TimeSpan left = options.Flush.Interval - environment.Time.GetElapsedTime(sink.FlushedAt);
            wait = left < wait ? left : wait;
        }
        return wait > TimeSpan.Zero ? wait : TimeSpan.Zero;
    }

    private void Buffer(PartitionBatches batches)
    {
        if (!_partitions.TryGetValue(batches.Partition, out PartitionSink? sink) || sink.Claim is not { } claim)
        {
            return;
        }
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
        Collected collected = _buffers.Collect(sink, batches.Batches.Span);
        sink.NextOffset = collected.NextOffset;
        if (collected.LeaderEpoch >= 0)
        {
            sink.LeaderEpoch = collected.LeaderEpoch;
        }
        if (collected.Skipped > 0)
        {
            SinkMeter.Skipped.Add(collected.Skipped, new KeyValuePair<string, object?>("sink", options.Name));
        }
        if (collected.Failure is { } failure)
        {
            HoldUp(sink.Partition, failure.Message);
        }
    }

    /// <summary>A batch cannot be read: its partition waits, since the broker may be mended or the batch go with retention. The others go on.</summary>
    private void HoldUp(TopicPartition partition, string reason)
    {
        if (!_partitions.TryGetValue(partition, out PartitionSink? sink) || sink.Claim is null)
        {
            return;
        }
        consumer.Seek(partition, sink.NextOffset, sink.LeaderEpoch);
        if (sink.HoldUp(reason, environment.Time.GetTimestamp()))
        {
            SinkLog.Stuck(environment.Logger, options.Name, reason, StuckRetry);
        }
    }

    private void HoldBack()
    {
        string? problem = null;
        foreach (PartitionSink sink in _partitions.Values)
        {
            problem ??= sink.StuckReason;
            if (sink.StuckSince is { } since && environment.Time.GetElapsedTime(since) >= StuckRetry)
            {
                sink.StuckSince = null;
            }
        }
        Volatile.Write(ref _problem, problem);
        _buffers.HoldBack(_partitions.Values);
    }

    private bool IsCurrent(PartitionSink sink) => _partitions.TryGetValue(sink.Partition, out PartitionSink? current) && ReferenceEquals(current, sink);

    private void RunInbox()
    {
        _inbox.Run();
        if (_fatal is { } error)
        {
            ExceptionDispatchInfo.Throw(error);
        }
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
