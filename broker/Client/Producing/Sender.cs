using LogPipeline.Client.Metadata;
using LogPipeline.Files.Waiting;
using LogPipeline.Protocol.Messages;
using LogPipeline.Protocol.Wire;

namespace LogPipeline.Client.Producing;

/// <summary>
/// The one loop that sends: closes batches that are due, puts one batch a partition into a request to each leader, up to the in-flight limit,
/// and looks after partitions that recover. Answers come in beside it and wake it. <c>_gate</c> guards the lists and counts below it.
/// </summary>
internal sealed partial class Sender : IAsyncDisposable
{
    private readonly ProducerOptions _options;
    private readonly ClusterClient _cluster;
    private readonly ByteBudget _budget;
    private readonly BatchResolver _resolver;
    private readonly int _lane;
    private readonly AsyncSignal _wake = new();
    private readonly ITimer _timer;
    private readonly CancellationTokenSource _closed = new();
    private readonly Task _loop;
    private readonly Lock _gate = new();
    private readonly List<PartitionQueue> _queues = [];
    private readonly Dictionary<BrokerEndpoint, int> _inFlight = [];
    private readonly List<Task> _running = [];
    private bool _isAskingIdentity;
    private ProducerIdentity? _identity;
    private int _flushes;
    private Exception? _stopped;

    public Sender(ProducerOptions options, ClusterClient cluster, ByteBudget budget)
    {
        (_options, _cluster, _budget) = (options, cluster, budget);
        Builders = new BuilderPool(options);
        _resolver = new BatchResolver(options, cluster, Builders, budget);
        _lane = cluster.NewLane();
        _timer = cluster.Time.CreateTimer(static wake => ((AsyncSignal)wake!).Set(), _wake, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _loop = RunAsync();
    }

    public BuilderPool Builders { get; }

    public void Wake()
    {
        _wake.Set();
        if (_stopped is { } stopped)
        {
            Fail(stopped);
        }
    }

    public void Add(PartitionQueue queue)
    {
        lock (_gate)
        {
            _queues.Add(queue);
        }
    }

    /// <summary>Throws what ended the loop, if anything did.</summary>
    public void ThrowIfStopped()
    {
        if (_stopped is { } stopped)
        {
            throw new InvalidOperationException($"the producer has stopped: {stopped.Message}", stopped);
        }
    }

    public async Task FlushAsync(CancellationToken ct)
    {
        List<Task> pending = [];
        Interlocked.Increment(ref _flushes);
        try
        {
            foreach (PartitionQueue queue in Queues())
            {
                lock (queue.Gate)
                {
                    queue.CloseOpen();
                    pending.AddRange(queue.Writer.Unresolved.Concat(queue.Waiting).Select(b => (b.Whole ?? b).Done));
                }
            }
            _wake.Set();
            foreach (Task done in pending)
            {
                await done.OrCancelled(ct);
            }
        }
        finally
        {
            Interlocked.Decrement(ref _flushes);
        }
    }

    public async ValueTask DisposeAsync()
    {
        _closed.Cancel();
        await _loop;
        await _cluster.CloseLaneAsync(_lane);
        List<Task> running;
        lock (_gate)
        {
            running = [.. _running];
        }
        await Task.WhenAll(running);
        await _timer.DisposeAsync();
        Fail(new ObjectDisposedException(nameof(Producer)));
        Builders.Dispose();
    }

    private async Task RunAsync()
    {
        try
        {
            while (true)
            {
                await _wake.WaitAsync(_closed.Token);
                Step();
            }
        }
        catch (OperationCanceledException) when (_closed.IsCancellationRequested)
        {
            // The producer is being closed.
        }
        catch (Exception e)
        {
            Stop(e);
        }
    }

    private List<PartitionQueue> Queues()
    {
        lock (_gate)
        {
            return [.. _queues];
        }
    }

    private void Step()
    {
        long now = _cluster.Time.GetTimestamp();
        long next = long.MaxValue;
        List<PartitionQueue> queues = Queues();
        foreach (PartitionQueue queue in queues)
        {
            lock (queue.Gate)
            {
                next = Math.Min(next, Tend(queue, now));
            }
        }
        while (SendSome(queues, now))
        {
        }
        _resolver.Tell();
        if (next != long.MaxValue)
        {
            TimeSpan wait = _cluster.Time.GetElapsedTime(now, next);
            _timer.Change(wait > TimeSpan.Zero ? wait + TimeSpan.FromMilliseconds(1) : TimeSpan.FromMilliseconds(1), Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>Brings a queue up to date and returns when it must be looked at again. Under the queue's lock.</summary>
    private long Tend(PartitionQueue queue, long now)
    {
        long next = long.MaxValue;
        if (queue.Open is { } open)
        {
            long due = open.CreatedAt + (long)(_options.Linger.TotalSeconds * _cluster.Time.TimestampFrequency);
            if (due <= now || _flushes > 0 || _budget.IsShort)
            {
                queue.CloseOpen();
            }
            else
            {
                next = due;
            }
        }
        _resolver.Expire(queue, now);
        if (queue.MustInquire && queue.Writer.Identity is { } identity)
        {
            queue.IsInquiring = true;
            Run(InquireAsync(queue, identity));
        }
        else if (queue.NeedsNewEpoch && queue.IsAtRest)
        {
            queue.BeginEpoch();
        }
        if (_options.Idempotent && queue.Writer.Identity is null && !queue.IsEmpty)
        {
            AdoptIdentity(queue);
        }
        if (queue.RetryAt > now && !queue.IsEmpty)
        {
            next = Math.Min(next, queue.RetryAt);
        }
        foreach (ProducerBatch batch in queue.Writer.Unresolved.Concat(queue.Waiting))
        {
            next = batch.IsInFlight ? next : Math.Min(next, _resolver.DeadlineOf(batch));
        }
        return next;
    }

    /// <summary>One request to each leader that has room; false when nothing was sent.</summary>
    private bool SendSome(List<PartitionQueue> queues, long now)
    {
        List<ProduceRound> rounds = [];
        foreach (PartitionQueue queue in queues)
        {
            lock (queue.Gate)
            {
                if (queue.Waiting.Count == 0 && queue.Writer.Unresolved.Count == 0 || queue.RetryAt > now)
                {
                    continue;
                }
                TopicMetadata? topic = _cluster.Cached(queue.Partition.Topic);
                BrokerEndpoint? leader = topic?.Find(queue.Partition.Partition) is { } partition ? _cluster.EndpointOf(partition.LeaderId) : null;
                if (leader is null || _cluster.Connected(leader.Value, _lane) is not { } connection)
                {
                    Reach(queue.Partition.Topic, leader);
                    continue;
                }
                ProduceRound? round = rounds.Find(r => r.Leader == leader.Value);
                if (round is null && HasRoom(leader.Value))
                {
                    rounds.Add(round = new ProduceRound(leader.Value, connection));
                }
                if (round is not null && round.Bytes < _options.RequestBytesMax && queue.Next(leader.Value, _options.Idempotent, _options.InFlightMax) is { } batch)
                {
                    round.Add(queue, batch, topic!.TopicId);
                }
                else if (queue.MustInquire)
                {
                    _wake.Set();
                }
            }
        }
        rounds.RemoveAll(r => r.Entries.Count == 0);
        foreach (ProduceRound round in rounds)
        {
            lock (_gate)
            {
                _inFlight[round.Leader] = _inFlight.GetValueOrDefault(round.Leader) + 1;
            }
            Run(SendAsync(round));
        }
        return rounds.Count > 0;
    }

    private bool HasRoom(BrokerEndpoint leader)
    {
        lock (_gate)
        {
            return _inFlight.GetValueOrDefault(leader) < _options.InFlightMax;
        }
    }

    /// <summary>Queues the request on the connection before the first await, so rounds go out in the order they were made.</summary>
    private async Task SendAsync(ProduceRound round)
    {
        try
        {
            ProduceRequest request = round.Request(_options.Acks, _cluster.Options.RequestTimeout);
            ProduceResponse answer = await round.Connection.SendAsync<ProduceRequest, ProduceResponse>(
                request, round.HasTopicIds ? short.MaxValue : PartitionLeader.LastProduceByName, _cluster.Options.RequestTimeout, CancellationToken.None);
            round.Resolve(answer, _options.Acks, _resolver);
        }
        catch (Exception e) when (DeadlineRetry.IsTransient(e)
            || e is MalformedMessageException || e is OperationCanceledException && _closed.IsCancellationRequested)
        {
            round.Break(e, _resolver);
        }
        catch (Exception e)
        {
            round.Break(e, _resolver);
            Stop(e);
        }
        lock (_gate)
        {
            _inFlight[round.Leader]--;
        }
        if (_stopped is { } stopped)
        {
            Fail(stopped);
        }
        _resolver.Tell();
        _wake.Set();
    }

    private void Run(Task task)
    {
        lock (_gate)
        {
            _running.RemoveAll(t => t.IsCompleted);
            _running.Add(task);
        }
    }

    private void Stop(Exception e)
    {
        _stopped ??= e;
        Fail(e);
    }

    private void Fail(Exception reason)
    {
        foreach (PartitionQueue queue in Queues())
        {
            lock (queue.Gate)
            {
                _resolver.FailAll(queue, reason);
            }
        }
        _resolver.Tell();
    }
}
