using System.Runtime.CompilerServices;
using LogPipeline.Protocol.Records;

namespace LogPipeline.Storage.Producers;

/// <summary>
/// What a partition knows of one producer: its epoch, the last five batches of that epoch (oldest first), and how many sequences
/// up to the last one the log took in that epoch.
/// </summary>
internal sealed class ProducerEntry(long producerId, short epoch)
{
    public const int BatchesMax = 5;

    /// <summary>
    /// What <see cref="Taken"/> counts at most. Sequences run modulo 2^31, so what lies further behind the last one cannot be told
    /// from what lies ahead of it.
    /// </summary>
    public const int TakenMax = 1 << 30;

    private Window _batches;
    private int _first;

    public long ProducerId { get; } = producerId;

    public short Epoch { get; private set; } = epoch;

    public int Count { get; private set; }

    /// <summary>When the producer was last heard of, in milliseconds since 1970.</summary>
    public long LastTimestamp { get; private set; }

    /// <summary>
    /// So many sequences, up to and with the last one, were appended one after another in this epoch. The log may never have had the
    /// one before them.
    /// </summary>
    public int Taken { get; private set; }

    public ProducerBatch this[int index] => _batches[(_first + index) % BatchesMax];

    public ProducerBatch Last => this[Count - 1];

    /// <summary>Takes a batch into the window. A new epoch, or a batch that does not follow the last one, empties the window first.</summary>
    public void Add(short epoch, in ProducerBatch batch)
    {
        if (epoch != Epoch || (Count > 0 && batch.FirstSequence != RecordBatch.Sequence(Last.LastSequence, 1)))
        {
            Epoch = epoch;
            Count = 0;
            Taken = 0;
        }
        if (Count == BatchesMax)
        {
            _first = (_first + 1) % BatchesMax;
            Count--;
        }
        _batches[(_first + Count) % BatchesMax] = batch;
        Count++;
        if (batch.LastSequence >= 0)
        {
            Taken = (int)Math.Min(TakenMax, (long)Taken + batch.OffsetDelta + 1);
        }
        LastTimestamp = batch.Timestamp;
    }

    /// <summary>Restores <see cref="Taken"/> as a snapshot has it, once the batches of the snapshot are added.</summary>
    public void RestoreTaken(int taken) => Taken = Math.Clamp(taken, Taken, TakenMax);

    /// <summary>
    /// Whether the log took each sequence of a range. It may be false of a range that the log did take long ago; it is never true of
    /// one that the log did not take.
    /// </summary>
    public bool Took(int firstSequence, int lastSequence) =>
        Behind(firstSequence) < Taken && Behind(lastSequence) <= Behind(firstSequence);

    // How far a sequence lies behind the last one, modulo 2^31.
    private int Behind(int sequence) => RecordBatch.Sequence(Last.LastSequence, -sequence);

    [InlineArray(BatchesMax)]
    private struct Window
    {
        private ProducerBatch _first;
    }
}
