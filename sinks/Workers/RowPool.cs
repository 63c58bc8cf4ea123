using LogPipeline.Sinks.Rows;

namespace LogPipeline.Sinks.Workers;

/// <summary>
/// The memory for rows that all partitions of a sink share: row batches that were stored are filled again, and what all of them hold
/// together is counted. Any thread may call; <c>_gate</c> guards the spare batches.
/// </summary>
/// <param name="bytesMax">What all partitions hold before polling waits for a flush.</param>
internal sealed class RowPool(long bytesMax = 256 << 20) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Stack<RowBatch> _spare = new();
    private long _held; // moved by Interlocked

    /// <summary>Whether the partitions are to flush what they have, and polling is to wait.</summary>
    public bool IsFull => Interlocked.Read(ref _held) > bytesMax;

    /// <summary>Returns an empty batch.</summary>
    public RowBatch Rent()
    {
        lock (_gate)
        {
            return _spare.TryPop(out RowBatch? spare) ? spare : new RowBatch();
        }
    }

    /// <summary>Counts what was added to a batch.</summary>
    public void Count(long bytes) => Interlocked.Add(ref _held, bytes);

    /// <summary>Takes a batch back; its rows are gone.</summary>
    public void Return(RowBatch rows)
    {
        Interlocked.Add(ref _held, -rows.HeldBytes);
        rows.Clear();
        lock (_gate)
        {
            _spare.Push(rows);
        }
    }

    public void Dispose()
    {
        while (_spare.TryPop(out RowBatch? rows))
        {
            rows.Dispose();
        }
    }
}
