using LogPipeline.Agent.State;
using LogPipeline.Client;
using LogPipeline.Client.Metadata;
using LogPipeline.Files.Waiting;
using LogPipeline.Protocol;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Agent.Shipping;

/// <summary>
/// One log's loop: connect, settle what is under way, take a producer id, ship; from the start again when anything breaks.
/// Batches are taken only while it ships, so that what goes out new always goes out behind what is settled.
/// </summary>
internal sealed class LogShipper : ILineTarget
{
    /// <summary>How often it looks whether the log lost what is kept; a broker without power ends no connection.</summary>
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(30);

    private readonly LogWindow _window;
    private readonly Settlement _settlement;
    private readonly Fencing _fencing;
    private readonly LogDirectory _directory;
    private readonly AgentState _state;
    private readonly UnackedBudget _budget;
    private readonly AgentOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly AsyncSignal _signal = new();
    private readonly Troubles _troubles;
    private readonly string _subject;
    private bool _isToldOf;
    private LogLink? _link;
    private long _ackedAt;
    private long _answeredAt; // or since when an answer is due
    private long _lookedAt;

    public LogShipper(TopicPartitionKey key, ShippingParts parts, IEnumerable<InflightEntry> found)
    {
        (_directory, _state, _budget, _options, _troubles, _time, _logger) =
            (parts.Directory, parts.State, parts.Budget, parts.Options, parts.Troubles, parts.Time, parts.Logger);
        _subject = $"{key.Topic}-{key.Partition}";
        LogRecord record = parts.State.LogOf(key);
        _window = new LogWindow(key, record, parts.State, parts.Generations, parts.Budget, parts.Metrics, parts.Time);
        _window.Adopt(found);
        var replacement = new Replacement(_window, parts.State, parts.Generations, parts.Codec, parts.Time, parts.Metrics, parts.Logger);
        _fencing = new Fencing(_window, parts.State, parts.Generations, parts.Cluster, replacement, parts.Time, parts.Metrics, parts.Logger);
        _settlement = new Settlement(_window, _fencing, parts.State, parts.State.IsDamaged && record.ProducerId >= 0, parts.Logger);
        Open = new OpenBatch(parts.Builders);
    }

    public TopicPartitionKey Key => _window.Key;

    public OpenBatch Open { get; }

    /// <summary>Called when it may take more, or has nothing under way any more.</summary>
    public Action? Eased { get; set; }

    public bool CanAccept =>
        _link is not null && !_state.Pause.IsPaused && _window.Slots.Count < _options.InflightPerPartition + 3 && _budget.HasRoom;

    /// <summary>Whether it is connected to the log's leader, with all that was under way settled.</summary>
    public bool IsServed => _link is not null;

    /// <summary>How long the leader has not answered, though batches are sent; zero when it owes no answer.</summary>
    public TimeSpan Silence => IsServed && _window.Slots.Any(static slot => slot.IsInFlight && !slot.IsAnswered) ? _time.GetElapsedTime(_answeredAt) : TimeSpan.Zero;

    /// <summary>Why it is not served; null when it is, or when that is not known yet.</summary>
    public string? Trouble => _troubles.ReasonOf(_subject);

    public bool IsIdle => _window.Slots.Count == 0;

    /// <summary>Entries that are not acked, for moving them to a newer segment.</summary>
    public IEnumerable<InflightEntry> Unacked => _window.Slots.Where(s => s.IsReady).Select(s => s.Entry);

    /// <summary>Returns what was read recently, byte for byte: the acked entries that are kept, then those under way.</summary>
    public IEnumerable<InflightEntry> Kept()
    {
        CloseBatch();
        return _window.Retained.Where(r => _state.Inflight.Holds(r.Place)).Select(r => _state.Inflight.ReadBack(r.Place))
            .Concat(_window.Slots.Select(s => s.Entry));
    }

    public async Task RunAsync(CancellationToken stopped)
    {
        while (!stopped.IsCancellationRequested)
        {
            LogLink link = await _directory.ConnectAsync(Key, OpenAsync, Failed, stopped);
            Served();
            _link = link;
            Eased?.Invoke();
            _ = WakeWhenBrokenAsync(link);
            try
            {
                await ShipAsync(link, stopped);
            }
            catch (Exception fault) when (LogDirectory.IsPassing(fault, stopped))
            {
                Failed(fault);
            }
            finally
            {
                _link = null;
            }
            await AnswersAsync();
        }
    }

    public string Describe() =>
        $"{_subject} {(_link is null ? $"not connected ({_troubles.ReasonOf(_subject)})" : "serving")}, {_window.Slots.Count} batches under way, budget {_budget.Bytes}";

    public void CloseBatch()
    {
        if (Open.IsEmpty)
        {
            return;
        }
        LogRecord record = _window.Record;
        int sequence = _window.Writer.NextSequence;
        PooledBatch? batch = Open.Seal(record.ProducerId, record.ProducerEpoch, sequence, out int count, out List<EntryRange> ranges);
        _window.Writer.TakeSequences(count);
        WindowSlot slot = _window.Append(new InflightEntry
        {
            Number = _state.Inflight.NextNumber++,
            Time = SaneClock.Now(_time, out _),
            Identity = record.Identity,
            Topic = Key.Topic,
            Partition = Key.Partition,
            ProducerId = record.ProducerId,
            ProducerEpoch = record.ProducerEpoch,
            BaseSequence = sequence,
            RecordCount = count,
            ScanFrom = record.End.Offset,
            LeaderEpoch = record.End.LeaderEpoch,
            Ranges = ranges,
            Batch = batch?.Memory ?? default,
            Pooled = batch,
        });
        _ = MakeDurableAsync(slot);
    }

    private async Task MakeDurableAsync(WindowSlot slot)
    {
        try
        {
            await _state.Inflight.DurableAsync();
            slot.IsReady = true;
        }
        catch (Exception fault)
        {
            slot.Fault = fault;
        }
        _signal.Set();
    }

    /// <summary>The last step of connecting: settles, then makes sure of a producer id.</summary>
    private async Task OpenAsync(LogLink link, CancellationToken cancellation)
    {
        // Entries made just before the break may still be on their way to the disk.
        await _state.Inflight.DurableAsync();
        await _settlement.SettleAsync(link, cancellation);
        if (_window.Writer.Identity is null)
        {
            LogEnd end = await link.EndAsync(cancellation);
            ProducerIdentity producer = await _fencing.NewProducerAsync(link, end, cancellation);
            _logger.LogOpened(Key.Topic, Key.Partition, producer.ProducerId);
        }
        // This leader may not have what the one before knew of our producer.
        _window.Writer.Unproven();
        _ackedAt = _lookedAt = _time.GetTimestamp();
    }

    /// <summary>A broker that goes while nothing is under way is noticed too, and not first by the next line.</summary>
    private async Task WakeWhenBrokenAsync(LogLink link)
    {
        await link.Leader.WhenBroken;
        _signal.Set();
    }

    /// <summary>Sends and acks until something breaks; then throws, or returns where nothing was under way: brokers close idle connections.</summary>
    private async Task ShipAsync(LogLink link, CancellationToken stopped)
    {
        while (true)
        {
            stopped.ThrowIfCancellationRequested();
            if (link.Leader.IsBroken && IsIdle)
            {
                return;
            }
            bool acked = false;
            while (_window.Slots is [var head, ..] && (head.IsAnswered || head.IsDoneWithoutSending))
            {
                if (head.IsDoneWithoutSending)
                {
                    _window.Ack(head.Entry, -1);
                    acked = true;
                    continue;
                }
                if (head.Fault is not null)
                {
                    throw new BrokerConnectionException(head.Fault.Message, head.Fault);
                }
                ProduceAnswer answer = head.Answer!.Value;
                if (answer.Error != ErrorCode.None)
                {
                    if (Refusal.IsForGood(answer.Error))
                    {
                        _settlement.Refused = new Refusal(head.Entry.Number, answer.Error);
                    }
                    throw new BrokerErrorException(answer.Error, $"{answer.Error} {answer.Message}".TrimEnd());
                }
                _window.Ack(head.Entry, answer.BaseOffset);
                _window.Writer.Proven();
                _ackedAt = _answeredAt = _time.GetTimestamp();
                acked = true;
            }
            if (acked)
            {
                Eased?.Invoke();
            }
            bool owes = _window.Writer.HasInFlight;
            while (_window.Writer.Next(_options.InflightPerPartition) is WindowSlot slot)
            {
                _answeredAt = owes ? _answeredAt : _time.GetTimestamp();
                owes = true;
                _ = SendAsync(link, slot, stopped);
            }
            await NextAsync(link, stopped);
        }
    }

    /// <summary>Waits for something to do. As long as what was acked is kept, it looks now and then whether the log still has it.</summary>
    private async Task NextAsync(LogLink link, CancellationToken stopped)
    {
        if (_time.GetElapsedTime(_ackedAt) > _options.RetainedTime)
        {
            await _signal.WaitAsync(stopped);
        }
        else if (LookEvery - _time.GetElapsedTime(_lookedAt) is { Ticks: > 0 } rest)
        {
            await _signal.WaitAsync(rest, _time, stopped);
        }
        else
        {
            _lookedAt = _time.GetTimestamp();
            if ((await link.EndAsync(stopped)).LeaderEpoch != _window.Record.End.LeaderEpoch)
            {
                throw new BrokerErrorException(ErrorCode.FencedLeaderEpoch, "the log is led under another epoch than before");
            }
        }
    }

    private async Task SendAsync(LogLink link, WindowSlot slot, CancellationToken stopped)
    {
        try
        {
            slot.Answer = await link.Leader.ProduceAsync(slot.Entry.Batch, stopped);
        }
        catch (Exception fault)
        {
            slot.Fault = fault;
        }
        _signal.Set();
    }

    /// <summary>Waits until nothing that was sent over the old connection is unanswered; then slots are as if never sent.</summary>
    private async Task AnswersAsync()
    {
        while (_window.Slots.Any(s => s.IsInFlight && !s.IsAnswered))
        {
            await _signal.WaitAsync(CancellationToken.None);
        }
        foreach (WindowSlot slot in _window.Slots)
        {
            if (slot.Fault is not null && !LogDirectory.IsPassing(slot.Fault, default))
            {
                throw slot.Fault;
            }
            (slot.IsInFlight, slot.Answer, slot.Fault) = (false, null, null);
        }
        _window.Writer.Recover();
    }

    private void Failed(Exception fault)
    {
        if (fault is BrokerErrorException or BrokerUnreachableException)
        {
            _directory.Invalidate(Key.Topic);
        }
        // That a broker cannot be reached was told already, once for all its logs.
        if (_troubles.Report(_subject, fault.Message) && fault is not BrokerUnreachableException)
        {
            _isToldOf = true;
            _logger.LogUnavailable(Key.Topic, Key.Partition, fault.Message);
        }
    }

    private void Served()
    {
        if (_troubles.Clear(_subject) is TimeSpan away && _isToldOf)
        {
            _isToldOf = false;
            _logger.ServedAgain(_subject, Math.Round(away.TotalSeconds, 1));
        }
    }
}
