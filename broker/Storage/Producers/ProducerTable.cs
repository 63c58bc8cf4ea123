using LogPipeline.Protocol;
using LogPipeline.Protocol.Records;

namespace LogPipeline.Storage.Producers;

/// <summary>
/// The idempotent producers of one partition: decides whether a batch is next, a repeat, or out of order. The partition's lock
/// guards it. A producer that is not known may begin with any sequence, as in Kafka.
/// </summary>
internal sealed class ProducerTable
{
    private readonly Dictionary<long, ProducerEntry> _entries = [];

    public int Count => _entries.Count;

    public IEnumerable<ProducerEntry> Entries => _entries.Values;

    /// <summary>
    /// The answer to a repeat of a batch that the log took and that has left the window of five. Apache Kafka answers
    /// OutOfOrderSequenceNumber.
    /// </summary>
    public ErrorCode OldRepeat { get; set; } = ErrorCode.DuplicateSequenceNumber;

    /// <summary>Whether the batch may be appended.</summary>
    /// <param name="header">Of a batch with a producer.</param>
    /// <param name="heardSince">Producers silent since before this time (milliseconds since 1970) are forgotten.</param>
    /// <param name="repeated">The batch that this one repeats; then the answer is DuplicateSequenceNumber too.</param>
    public ErrorCode Check(in BatchHeader header, long heardSince, out ProducerBatch? repeated)
    {
        repeated = null;
        if (!_entries.TryGetValue(header.ProducerId, out ProducerEntry? entry))
        {
            return ErrorCode.None;
        }
        if (entry.LastTimestamp < heardSince)
        {
            _entries.Remove(header.ProducerId);
            return ErrorCode.None;
        }
        if (header.ProducerEpoch < entry.Epoch)
        {
            return ErrorCode.InvalidProducerEpoch;
        }
        if (header.ProducerEpoch > entry.Epoch)
        {
            return header.BaseSequence == 0 ? ErrorCode.None : ErrorCode.OutOfOrderSequenceNumber;
        }
        return CheckSequence(entry, in header, out repeated);
    }

    /// <summary>Notes an appended batch.</summary>
    public void Update(in BatchHeader header, long timestamp)
    {
        if (header.HasProducer && header.BaseSequence >= 0)
        {
            Add(
                header.ProducerId,
                header.ProducerEpoch,
                new ProducerBatch(header.LastSequence, header.LastOffset, header.LastOffsetDelta, timestamp));
        }
    }

    /// <summary>Notes a batch as the producer's last one; returns what is known of the producer.</summary>
    public ProducerEntry Add(long producerId, short epoch, in ProducerBatch batch)
    {
        if (!_entries.TryGetValue(producerId, out ProducerEntry? entry))
        {
            entry = new ProducerEntry(producerId, epoch);
            _entries.Add(producerId, entry);
        }
        entry.Add(epoch, in batch);
        return entry;
    }

    /// <summary>Forgets a producer, whatever it sent.</summary>
    public void Remove(long producerId) => _entries.Remove(producerId);

    /// <summary>Forgets producers silent since before a time (milliseconds since 1970).</summary>
    public void Expire(long heardSince)
    {
        List<long>? silent = null;
        foreach (ProducerEntry entry in _entries.Values)
        {
            if (entry.LastTimestamp < heardSince)
            {
                (silent ??= []).Add(entry.ProducerId);
            }
        }
        silent?.ForEach(id => _entries.Remove(id));
    }

    private ErrorCode CheckSequence(ProducerEntry entry, in BatchHeader header, out ProducerBatch? repeated)
    {
        for (int i = 0; i < entry.Count; i++)
        {
            ProducerBatch batch = entry[i];
            if (batch.LastSequence == header.LastSequence && batch.FirstSequence == header.BaseSequence)
            {
                repeated = batch;
                return ErrorCode.DuplicateSequenceNumber;
            }
        }
        repeated = null;
        int expected = RecordBatch.Sequence(entry.Last.LastSequence, 1);
        if (header.BaseSequence == expected)
        {
            return ErrorCode.None;
        }
        // Clients take the answer to an old repeat for "stored", so it is given only for what the log is known to have taken.
        return entry.Took(header.BaseSequence, header.LastSequence) ? OldRepeat : ErrorCode.OutOfOrderSequenceNumber;
    }
}
