using LogPipeline.Client.Metadata;

namespace LogPipeline.Client.Producing;

/// <summary>
/// One partition's batches in order: <c>open → waiting → unresolved → done</c>. A batch gets its sequence on leaving the waiting list and keeps it;
/// the writer then says which goes out next. So order holds without idempotence too. Everything is guarded by <see cref="Gate"/>.
/// </summary>
internal sealed class PartitionQueue(TopicPartition partition, TimeProvider time)
{
    private BrokerEndpoint _asked;

    public TopicPartition Partition { get; } = partition;

    public Lock Gate { get; } = new();

    public ProducerBatch? Open { get; set; }

    /// <summary>Closed, without a sequence.</summary>
    public Queue<ProducerBatch> Waiting { get; } = [];

    /// <summary>Sent at least once. Its identity is ours in this partition; its epoch rises when sequences must begin anew.</summary>
    public PartitionWriter<ProducerBatch> Writer { get; } = new(time);

    /// <summary>An id whose epochs we used up here: another is needed.</summary>
    public long SpentProducerId { get; private set; } = -1;

    /// <summary>The broker's and our sequences disagree: ask it for the last one it has.</summary>
    public bool NeedsInquiry { get; set; }

    /// <summary>Whether nothing of it is under way: neither a batch nor an inquiry.</summary>
    public bool IsAtRest => !IsInquiring && !Writer.HasInFlight;

    /// <summary>Whether an inquiry is to be begun now.</summary>
    public bool MustInquire => NeedsInquiry && IsAtRest;

    /// <summary>A sequence was given up for good: begin anew under the next epoch.</summary>
    public bool NeedsNewEpoch { get; set; }

    /// <summary>An inquiry is under way.</summary>
    public bool IsInquiring { get; set; }

    /// <summary>Nothing is sent before, in the time provider's timestamps.</summary>
    public long RetryAt { get; set; } = long.MinValue;

    public bool IsEmpty => Open is null && Waiting.Count == 0 && Writer.Unresolved.Count == 0;

    /// <summary>
    /// The batch is to be sent again. Another leader may not have what the one that was asked had, and takes any sequence of a producer that it
    /// does not know: so it is asked anew.
    /// </summary>
    public void Retry(ProducerBatch batch, long at)
    {
        Writer.Recover();
        RetryAt = at;
        NeedsInquiry |= Writer.IsResuming && Writer.First == batch;
    }

    /// <summary>Ends the open batch: no more records.</summary>
    public void CloseOpen()
    {
        if (Open is { } open)
        {
            open.Bytes = open.Builder.Build();
            Waiting.Enqueue(open);
            Open = null;
        }
    }

    /// <summary>The batch that may be sent to the leader now, marked in flight; null for none.</summary>
    public ProducerBatch? Next(BrokerEndpoint leader, bool isIdempotent, int inFlightMax)
    {
        NeedsInquiry |= Writer.IsResuming && leader != _asked;
        if (IsInquiring || NeedsInquiry || NeedsNewEpoch || isIdempotent && Writer.Identity is null)
        {
            return null;
        }
        if (Writer.HasRoom(inFlightMax) && Waiting.TryDequeue(out ProducerBatch? fresh))
        {
            Stamp(fresh);
            Writer.Add(fresh);
        }
        ProducerBatch? next = Writer.Next(inFlightMax);
        if (next is not null)
        {
            next.Attempts++;
        }
        return next;
    }

    /// <summary>The producer as a leader knows it, or null where it does not: goes on behind what it has, and begins anew where that is not ours.</summary>
    public void Inquired(ActiveProducer? known, BrokerEndpoint leader)
    {
        _asked = leader;
        int? stored = known is { } producer && producer.Epoch == Writer.Identity?.Epoch ? Writer.StoredOf(producer.LastSequence) : null;
        Writer.ResumeAt(stored ?? 0);
        (NeedsInquiry, NeedsNewEpoch) = (false, stored is null);
    }

    /// <summary>Takes the next epoch and numbers what is unresolved from 0. Only while nothing is in flight.</summary>
    public void BeginEpoch()
    {
        (NeedsInquiry, NeedsNewEpoch) = (false, false);
        if (Writer.Identity is not { } identity)
        {
            return;
        }
        if (identity.Epoch == short.MaxValue)
        {
            SpentProducerId = identity.ProducerId;
            Writer.Begin(null);
            return;
        }
        Adopt(identity with { Epoch = (short)(identity.Epoch + 1) });
    }

    /// <summary>Takes an identity and numbers what is unresolved from 0.</summary>
    public void Adopt(ProducerIdentity identity)
    {
        Writer.Begin(identity);
        foreach (ProducerBatch batch in Writer.Unresolved)
        {
            Stamp(batch);
        }
    }

    private void Stamp(ProducerBatch batch)
    {
        if (Writer.Identity is { } identity)
        {
            batch.Stamp(identity.ProducerId, identity.Epoch, Writer.TakeSequences(batch.Count));
        }
    }
}
