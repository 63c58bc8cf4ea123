using LogPipeline.Protocol.Records;

namespace LogPipeline.Client.Producing;

/// <summary>
/// Records of one partition on their way: open while records are appended, then closed, given a sequence, sent until resolved. Guarded by its
/// queue's lock; once closed its bytes only change while it is not in flight.
/// </summary>
internal sealed class ProducerBatch(RecordBatchBuilder builder, long reserved, long createdAt) : ISequencedBatch
{
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _parts = 1;

    public RecordBatchBuilder Builder { get; } = builder;

    /// <summary>Bytes taken from the budget.</summary>
    public long Reserved { get; } = reserved;

    /// <summary>When its first record came, in the time provider's timestamps.</summary>
    public long CreatedAt { get; } = createdAt;

    /// <summary>Who waits for which record, in order.</summary>
    public List<Delivery> Deliveries { get; private init; } = [];

    /// <summary>The built batch; empty while open.</summary>
    public Memory<byte> Bytes { get; set; }

    public int Count => Deliveries.Count;

    public int BaseSequence { get; set; } = -1;

    public bool IsReady => true;

    public bool IsSent { get; set; }

    public bool IsInFlight { get; set; }

    /// <summary>Whether the broker may have stored it without our knowing.</summary>
    public bool IsAmbiguous { get; set; }

    public int Attempts { get; set; }

    /// <summary>Why it was last sent back.</summary>
    public Exception? LastFailure { get; set; }

    /// <summary>The batch that this is a half of.</summary>
    public ProducerBatch? Whole { get; private init; }

    /// <summary>Ends, never in error, when every record has its result.</summary>
    public Task Done => _done.Task;

    public bool TryAppend(in ProducerRecord record, long timestampMs, int headerCount, ReadOnlySpan<byte> headers, Delivery delivery)
    {
        bool isAppended = Builder.TryAppend(
            timestampMs,
            record.Key.HasValue,
            record.Key.GetValueOrDefault().Span,
            record.Value.HasValue,
            record.Value.GetValueOrDefault().Span,
            headerCount,
            headers);
        if (isAppended)
        {
            Deliveries.Add(delivery with { Timestamp = timestampMs });
        }
        return isAppended;
    }

    /// <summary>Writes the producer's fields into the built batch.</summary>
    public void Stamp(long producerId, short epoch, int baseSequence)
    {
        BaseSequence = baseSequence;
        RecordBatch.SetProducer(Bytes.Span, producerId, epoch, baseSequence);
    }

    /// <summary>Two batches of half the records each, for a broker that finds this one too large; the whole is done when both are.</summary>
    public (ProducerBatch First, ProducerBatch Second) Split(RecordBatchBuilder first, RecordBatchBuilder second)
    {
        int half = Count / 2;
        _parts = 2;
        var halves = (
            new ProducerBatch(first, 0, CreatedAt) { Whole = this, IsSent = true, Deliveries = Deliveries[..half] },
            new ProducerBatch(second, 0, CreatedAt) { Whole = this, IsSent = true, Deliveries = Deliveries[half..] });
        if (!BatchHeader.TryParse(Bytes.Span, out BatchHeader header))
        {
            throw new InvalidOperationException("a batch that we built does not parse");
        }
        using var decoder = new BatchDecoder();
        var reader = new RecordReader(decoder.Records(Bytes.Span, header), header);
        for (int i = 0; reader.Read(); i++)
        {
            (i < half ? first : second).TryAppend(reader.Timestamp, reader.HasKey, reader.Key, reader.HasValue, reader.Value, reader.HeaderCount, reader.Headers);
        }
        halves.Item1.Bytes = first.Build();
        halves.Item2.Bytes = second.Build();
        return halves;
    }

    /// <summary>Marks one part done and returns whether it was the last.</summary>
    public bool EndPart()
    {
        if (Interlocked.Decrement(ref _parts) > 0)
        {
            return false;
        }
        _done.TrySetResult();
        return true;
    }
}

/// <summary>Where a record's result goes: a task's source or a callback, or nowhere.</summary>
internal readonly record struct Delivery(TaskCompletionSource<DeliveryResult>? Source, Action<DeliveryResult, Exception?>? Callback, long Timestamp = -1)
{
    public void Succeed(DeliveryResult result)
    {
        Source?.TrySetResult(result);
        Callback?.Invoke(result, null);
    }

    public void Fail(TopicPartition partition, Exception reason)
    {
        Source?.TrySetException(reason);
        Callback?.Invoke(new DeliveryResult(partition, -1, Timestamp), reason);
    }
}
