using System.Runtime.CompilerServices;
using LogPipeline.Protocol.Records;

namespace LogPipeline.Storage.Producers;

/// <summary>One batch of a producer, as far as recognising its repeat needs it.</summary>
/// <param name="LastSequence">Sequence of its last record.</param>
/// <param name="LastOffset">Offset of its last record.</param>
/// <param name="OffsetDelta">Last offset - base offset, and so last sequence - first sequence.</param>
/// <param name="Timestamp">When it was appended, in milliseconds since 1970.</param>
internal readonly record struct ProducerBatch(int LastSequence, long LastOffset, int OffsetDelta, long Timestamp)
{
    public int FirstSequence => RecordBatch.Sequence(LastSequence, -OffsetDelta);

    public long BaseOffset => LastOffset - OffsetDelta;
}

/// <summary>What a partition knows of one producer: its epoch and its last five batches of that epoch, oldest first.</summary>
internal sealed class ProducerEntry(long producerId, short epoch)
{
    public const int BatchesMax = 5;

    private Window _batches;
    private int _first;

    public long ProducerId { get; } = producerId;

    public short Epoch { get; private set; } = epoch;

    public int Count { get; private set; }

    /// <summary>When the producer was last heard of, in milliseconds since 1970.</summary>
    public long LastTimestamp { get; private set; }

    public ProducerBatch this[int index] => _batches[(_first + index) % BatchesMax];

    public ProducerBatch Last => this[Count - 1];

    /// <summary>Takes a batch into the window; a new epoch empties it first.</summary>
    public void Add(short epoch, in ProducerBatch batch)
    {
        if (epoch != Epoch)
        {
            Epoch = epoch;
            Count = 0;
        }
        if (Count == BatchesMax)
        {
            _first = (_first + 1) % BatchesMax;
            Count--;
        }
        _batches[(_first + Count) % BatchesMax] = batch;
        Count++;
        LastTimestamp = batch.Timestamp;
    }

    [InlineArray(BatchesMax)]
    private struct Window
    {
        private ProducerBatch _first;
    }
}
