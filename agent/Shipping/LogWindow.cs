using LogPipeline.Agent.State;
using LogPipeline.Client.Metadata;
using LogPipeline.Client.Producing;
using LogPipeline.Protocol.Records;

namespace LogPipeline.Agent.Shipping;

/// <summary>
/// What is under way in one log, in sequence order, and what was acked recently. Owned by the log's shipper. An entry's states:
/// appended → durable → sent → acked (its ranges move the acked positions) → retained → gone with its segment.
/// </summary>
internal sealed class LogWindow(
    TopicPartitionKey key, LogRecord record, AgentState state, Generations generations, UnackedBudget budget, AgentMetrics metrics, TimeProvider time)
{
    private readonly Queue<RetainedEntry> _retained = [];

    public TopicPartitionKey Key => key;

    public LogRecord Record => record;

    /// <summary>What is under way, and which of it goes out next. It has an identity once this process took a producer id.</summary>
    public PartitionWriter<WindowSlot> Writer { get; } = new(time);

    public IReadOnlyList<WindowSlot> Slots => Writer.Unresolved;

    public IReadOnlyCollection<RetainedEntry> Retained => _retained;

    /// <summary>The last sequence acked under <see cref="LastAckedProducer"/>.</summary>
    public int LastAckedSequence { get; private set; }

    /// <summary>-1 = nothing acked is known.</summary>
    public long LastAckedProducer { get; private set; } = -1;

    /// <summary>Takes over what was found at start: acked entries are retained, the others wait to be settled.</summary>
    public void Adopt(IEnumerable<InflightEntry> entries)
    {
        List<InflightEntry> all = [.. entries];
        // Acks come in order, so what lies before an acked entry of the same producer is acked too.
        HashSet<long> ackedProducers = [];
        foreach (InflightEntry entry in Enumerable.Reverse(all))
        {
            if (!entry.IsAcked && ackedProducers.Contains(entry.ProducerId))
            {
                Settled(entry);
                state.Inflight.Release(entry);
            }
            if (entry.IsAcked)
            {
                ackedProducers.Add(entry.ProducerId);
            }
        }
        foreach (InflightEntry entry in all)
        {
            if (entry.IsAcked)
            {
                // The note of the ack may be on disk while the registry is still without it.
                Settled(entry);
                Retain(entry);
                if (entry.BaseOffset >= 0 && entry.Identity == record.Identity)
                {
                    record.Reached(entry.BaseOffset + entry.RecordCount, entry.LeaderEpoch);
                }
            }
            else
            {
                InflightEntry whole = state.Inflight.ReadBack(entry.Place);
                budget.Take(whole.Batch.Length);
                Writer.Add(new WindowSlot(whole) { IsReady = true });
            }
        }
        Writer.Recover();
        if (LastAckedProducer != record.ProducerId)
        {
            // A newer id was taken since, and that is done only when all before it is settled.
            ForgetAcked();
        }
    }

    /// <summary>Appends a new entry; it may be sent once its slot is durable.</summary>
    public WindowSlot Append(InflightEntry entry)
    {
        var slot = new WindowSlot(entry);
        Writer.Add(slot);
        budget.Take(entry.Batch.Length);
        state.Inflight.Append(entry);
        return slot;
    }

    /// <summary>
    /// Puts a durable group in the place of what is in the window below <paramref name="number"/>; those it does not replace are
    /// acked already. What was appended while the group went to the disk stays behind it.
    /// </summary>
    public void Replace(IEnumerable<InflightEntry> group, long number)
    {
        List<WindowSlot> later = [.. Slots.Where(s => s.Entry.Number >= number)];
        foreach (WindowSlot slot in Slots.ToList())
        {
            Writer.Resolve(slot);
            if (later.Contains(slot))
            {
                continue;
            }
            budget.Give(slot.Entry.Batch.Length);
            if (!slot.Entry.IsAcked)
            {
                state.Inflight.Release(slot.Entry);
            }
        }
        foreach (InflightEntry entry in group)
        {
            budget.Take(entry.Batch.Length);
            Writer.Add(new WindowSlot(entry) { IsReady = true });
        }
        later.ForEach(Writer.Add);
    }

    /// <summary>The first entries, up to and with <paramref name="last"/>, are acked; only the last one's offset may be known.</summary>
    public void Ack(InflightEntry last, long baseOffset)
    {
        while (Slots is [var head, ..])
        {
            InflightEntry entry = head.Entry;
            Writer.Resolve(head);
            budget.Give(entry.Batch.Length);
            AckOne(entry, entry == last ? baseOffset : -1);
            entry.GiveBatchBack();
            if (entry == last)
            {
                return;
            }
        }
    }

    /// <summary>One entry is known to be in the log, whatever stands before it.</summary>
    public void AckOne(InflightEntry entry, long baseOffset)
    {
        entry.BaseOffset = baseOffset;
        state.Inflight.AppendAcked(entry);
        Settled(entry);
        Retain(entry);
        if (baseOffset >= 0)
        {
            record.Reached(baseOffset + entry.RecordCount, record.End.LeaderEpoch);
        }
        metrics.Acked(entry);
    }

    /// <summary>What was acked so far is proved to be in the log: there is nothing to ask about it any more.</summary>
    public void ForgetAcked() => LastAckedProducer = -1;

    private void Settled(InflightEntry entry)
    {
        entry.IsAcked = true;
        if (!entry.IsAgain)
        {
            generations.Advance(entry);
        }
    }

    private void Retain(InflightEntry entry)
    {
        while (_retained.TryPeek(out RetainedEntry oldest) && !state.Inflight.Holds(oldest.Place))
        {
            _retained.Dequeue();
        }
        if (entry.RecordCount == 0)
        {
            return;
        }
        LastAckedSequence = entry.LastSequence;
        LastAckedProducer = entry.ProducerId;
        _retained.Enqueue(new RetainedEntry(
            entry.Place, entry.Identity, entry.ScanFrom, entry.LeaderEpoch, entry.BaseOffset, entry.ProducerEpoch));
    }

    /// <summary>The sequence before the first of an entry.</summary>
    public static int Before(InflightEntry entry) => RecordBatch.Sequence(entry.BaseSequence, int.MaxValue);
}

/// <summary>An entry under way.</summary>
internal sealed class WindowSlot(InflightEntry entry) : ISequencedBatch
{
    public InflightEntry Entry { get; } = entry;

    public int Count => Entry.RecordCount;

    public int BaseSequence => Entry.BaseSequence;

    /// <summary>Whether it is durable in the in-flight file.</summary>
    public bool IsReady { get; set; }

    public bool IsSent
    {
        get => Entry.IsSent;
        set => Entry.IsSent = value;
    }

    public bool IsInFlight { get; set; }

    public ProduceAnswer? Answer { get; set; }

    public Exception? Fault { get; set; }

    /// <summary>Whether it holds no record, so that being durable is all that is wanted of it.</summary>
    public bool IsDoneWithoutSending => IsReady && Fault is null && Count == 0;

    public bool IsAnswered => Answer is not null || Fault is not null;
}

/// <summary>
/// An acked entry that is kept in case a broker loses it, and to know copies of its file by: where it is, and how to find it in
/// the log that acked it. A log that took that one's place has none of it and is not to have.
/// </summary>
internal readonly record struct RetainedEntry(
    InflightPlace Place, LogIdentity Identity, long ScanFrom, int LeaderEpoch, long BaseOffset, short ProducerEpoch)
{
    public long LogPosition => BaseOffset >= 0 ? BaseOffset : ScanFrom;
}
