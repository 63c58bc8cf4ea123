using LogPipeline.Client.Metadata;
using LogPipeline.Protocol.Records;

namespace LogPipeline.Client.Producing;

/// <summary>
/// The batches of one partition that are not resolved yet, in the order of their sequences, and which of them goes out next. It decides and
/// keeps count; its owner sends, and guards it. What it holds to:
/// <code>
///   unproven     one batch in flight: a broker takes any sequence as the first one of a producer that it does not know, so a second batch
///                could be stored though the first one was refused, a hole that nothing shows
///   proven       batches in order, up to the caller's bound in flight
///   recovering   after a failure: all in flight comes back first, then what was sent goes again as it was, one at a time, oldest first,
///                before anything new
/// </code>
/// What the broker has of them is asked with DescribeProducers and read by <see cref="StoredOf"/>. It tells what its leader has appended, not
/// what is committed, so nothing counts as acknowledged by it: with <see cref="ResumeAt"/> the last of the stored ones goes out again, and its ack
/// is that of all before it. Where asking does not help, the owner begins anew, under another epoch or behind a fence, with <see cref="Begin"/>.
/// </summary>
public sealed class PartitionWriter<TBatch>(TimeProvider time)
    where TBatch : class, ISequencedBatch
{
    /// <summary>Less than any broker remembers a producer that is silent.</summary>
    private static readonly TimeSpan ProvenMax = TimeSpan.FromMinutes(1);

    private readonly List<TBatch> _unresolved = [];
    private bool _isProven;
    private long _provenAt;
    private TBatch? _resumeAt;

    /// <summary>Not resolved, in sequence order.</summary>
    public IReadOnlyList<TBatch> Unresolved => _unresolved;

    /// <summary>What new batches go out under; null: not known yet, or without idempotence.</summary>
    public ProducerIdentity? Identity { get; private set; }

    /// <summary>Whether anything was sent since the identity was begun.</summary>
    public bool HasSent { get; private set; }

    public bool HasInFlight => _unresolved.Exists(static b => b.IsInFlight);

    /// <summary>Whether something failed, and what was sent before is not all resolved.</summary>
    public bool IsRecovering { get; private set; }

    /// <summary>The sequence that the next new batch gets.</summary>
    public int NextSequence { get; private set; }

    /// <summary>Takes an identity; sequences begin at 0. What is unresolved keeps its own until the owner gives it others.</summary>
    public void Begin(ProducerIdentity? identity)
    {
        Identity = identity;
        HasSent = false;
        _resumeAt = null;
        Unproven();
        RestartSequences();
    }

    public void RestartSequences() => NextSequence = 0;

    /// <summary>The base sequence for a batch of so many records.</summary>
    public int TakeSequences(int count)
    {
        int first = NextSequence;
        NextSequence = RecordBatch.Sequence(first, count);
        return first;
    }

    /// <summary>The broker has acknowledged a batch of this identity.</summary>
    public void Proven() => (_isProven, _provenAt) = (true, time.GetTimestamp());

    /// <summary>It may not know the identity: another broker leads, or nothing was acknowledged yet.</summary>
    public void Unproven() => _isProven = false;

    public void Add(TBatch batch) => _unresolved.Add(batch);

    /// <summary>Removes a batch of which all is known.</summary>
    public void Resolve(TBatch batch)
    {
        _unresolved.Remove(batch);
        _resumeAt = _resumeAt == batch ? null : _resumeAt;
        IsRecovering &= HasSentUnresolved;
    }

    /// <summary>The acknowledged batch, behind those whose ack this is too, in order. The caller resolves them.</summary>
    public IReadOnlyList<TBatch> AckedBy(TBatch batch) => batch == _resumeAt ? [.. _unresolved.Take(_unresolved.IndexOf(batch) + 1)] : [batch];

    /// <summary>Goes on with the last of the first batches, as many as the broker has stored.</summary>
    public void ResumeAt(int stored) => _resumeAt = stored > 0 ? _unresolved[stored - 1] : null;

    /// <summary>Whether the broker was found to have this batch as the last one.</summary>
    public bool ResumesAt(TBatch batch) => batch == _resumeAt;

    /// <summary>Whether the ack of the batch that goes out first will be that of others before it too.</summary>
    public bool IsResuming => _resumeAt is not null && _resumeAt != _unresolved[0];

    /// <summary>The batch that goes out first when all in flight is back; null when there is none.</summary>
    public TBatch? First => _resumeAt ?? _unresolved.Find(static b => b.Count > 0);

    /// <summary>Puts others in the place of a batch, which go out as it would have.</summary>
    public void Replace(TBatch batch, params IReadOnlyCollection<TBatch> others)
    {
        int at = _unresolved.IndexOf(batch);
        Resolve(batch);
        _unresolved.InsertRange(at, others);
    }

    /// <summary>Something failed: what is in flight counts as failed when its answer is there or will not come.</summary>
    public void Recover() => IsRecovering = HasSentUnresolved;

    /// <summary>Whether a new batch may be added and sent at once.</summary>
    public bool HasRoom(int inFlightMax) => !IsRecovering && _unresolved.Count < Bound(inFlightMax);

    /// <summary>The batch to send now, marked as in flight; null for none.</summary>
    public TBatch? Next(int inFlightMax)
    {
        int bound = Bound(inFlightMax);
        int inFlight = 0;
        foreach (TBatch batch in _resumeAt is null ? _unresolved : _unresolved.SkipWhile(b => b != _resumeAt))
        {
            if (batch.IsInFlight)
            {
                inFlight++;
            }
            else if (batch.Count > 0)
            {
                return batch.IsReady && inFlight < bound && !(IsRecovering && HasInFlight) ? Sent(batch) : null;
            }
        }
        return null;
    }

    /// <summary>
    /// How many of the first unresolved batches the broker has stored, by the last sequence that it has of the producer; null where that is
    /// neither the end of one of them nor what comes before the first.
    /// </summary>
    public int? StoredOf(int lastSequence)
    {
        int stored = _unresolved.FindIndex(b => b.Count > 0 && RecordBatch.Sequence(b.BaseSequence, b.Count - 1) == lastSequence) + 1;
        TBatch? first = _unresolved.Find(static b => b.Count > 0);
        return stored > 0 || first?.BaseSequence == RecordBatch.Sequence(lastSequence, 1) ? stored : null;
    }

    private bool HasSentUnresolved => _unresolved.Exists(static b => b.IsSent && b.Count > 0);

    private int Bound(int inFlightMax) =>
        (Identity is null || (_isProven && time.GetElapsedTime(_provenAt) < ProvenMax)) && !IsRecovering ? inFlightMax : 1;

    private TBatch Sent(TBatch batch)
    {
        HasSent = batch.IsSent = batch.IsInFlight = true;
        return batch;
    }
}
