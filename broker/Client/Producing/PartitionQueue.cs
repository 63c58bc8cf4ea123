using LogPipeline.Client.Metadata;
using LogPipeline.Protocol.Records;

namespace LogPipeline.Client.Producing;

/// <summary>
/// One partition's batches in order: <c>open → waiting → unresolved → done</c>. A batch gets its sequence on leaving the waiting list and keeps it.
/// After a failure the queue recovers: all that is in flight comes back first, then the unresolved batches go again one at a time, oldest
/// first, before anything new. So order holds without idempotence too. Everything is guarded by <see cref="Gate"/>.
/// </summary>
internal sealed class PartitionQueue(TopicPartition partition)
{
    public TopicPartition Partition { get; } = partition;

    public Lock Gate { get; } = new();

    public ProducerBatch? Open { get; set; }

    /// <summary>Closed, without a sequence.</summary>
    public Queue<ProducerBatch> Waiting { get; } = [];

    /// <summary>Sent at least once, in sequence order.</summary>
    public List<ProducerBatch> Unresolved { get; } = [];

    /// <summary>Ours in this partition; its epoch rises when sequences must begin anew. Null: not known yet, or not idempotent.</summary>
    public ProducerIdentity? Identity { get; set; }

    /// <summary>An id whose epochs we used up here: another is needed.</summary>
    public long SpentProducerId { get; private set; } = -1;

    public int NextSequence { get; set; }

    /// <summary>
    /// Whether the broker has acknowledged a batch of this id and epoch here. Before that it takes any sequence as the first one: a second
    /// batch under way could be stored though the first one was not. So the first one goes alone.
    /// </summary>
    public bool IsProven { get; set; }

    public bool IsRecovering { get; set; }

    /// <summary>The broker's and our sequences disagree: ask it for the last one it has.</summary>
    public bool NeedsInquiry { get; set; }

    /// <summary>A sequence was given up for good: begin anew under the next epoch.</summary>
    public bool NeedsNewEpoch { get; set; }

    /// <summary>An inquiry is under way.</summary>
    public bool IsInquiring { get; set; }

    /// <summary>Nothing is sent before, in the time provider's timestamps.</summary>
    public long RetryAt { get; set; } = long.MinValue;

    public bool HasInFlight => Unresolved.Exists(b => b.IsInFlight);

    public bool IsEmpty => Open is null && Waiting.Count == 0 && Unresolved.Count == 0;

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

    /// <summary>The batch that may be sent now, marked in flight; null for none.</summary>
    public ProducerBatch? Next(bool isIdempotent, int inFlightMax)
    {
        if (IsInquiring || NeedsInquiry || NeedsNewEpoch || isIdempotent && Identity is null)
        {
            return null;
        }
        ProducerBatch? next = null;
        if (IsRecovering && Unresolved.Count > 0)
        {
            next = HasInFlight ? null : Unresolved[0];
        }
        else if (Unresolved.Count < (isIdempotent && !IsProven ? 1 : inFlightMax) && Waiting.TryDequeue(out next))
        {
            IsRecovering = false;
            if (isIdempotent)
            {
                next.Stamp(Identity!.Value.ProducerId, Identity.Value.Epoch, NextSequence);
                NextSequence = RecordBatch.Sequence(NextSequence, next.Count);
            }
            Unresolved.Add(next);
        }
        if (next is not null)
        {
            next.IsInFlight = true;
            next.Attempts++;
        }
        return next;
    }

    /// <summary>Takes the next epoch and numbers what is unresolved from 0. Only while nothing is in flight.</summary>
    public void BeginEpoch()
    {
        NeedsNewEpoch = false;
        if (Identity is not { } identity)
        {
            return;
        }
        if (identity.Epoch == short.MaxValue)
        {
            SpentProducerId = identity.ProducerId;
            Identity = null;
            return;
        }
        Adopt(identity with { Epoch = (short)(identity.Epoch + 1) });
    }

    /// <summary>Takes an identity and numbers what is unresolved from 0.</summary>
    public void Adopt(ProducerIdentity identity)
    {
        Identity = identity;
        IsProven = false;
        NextSequence = 0;
        foreach (ProducerBatch batch in Unresolved)
        {
            batch.Stamp(identity.ProducerId, identity.Epoch, NextSequence);
            NextSequence = RecordBatch.Sequence(NextSequence, batch.Count);
        }
    }
}
