using LogPipeline.Client.Consuming;
using LogPipeline.Sinks.Rows;

namespace LogPipeline.Sinks.Workers;

/// <summary>
/// The rows that the partitions hold between fetch and commit, and what they take in all: values and a fixed cost a row, so that empty
/// lines count too. What may not be buffered now stays with the consumer, which fetches no more of a paused partition. Batches that
/// were stored are filled again. Owned by the worker's loop.
/// </summary>
/// <param name="flushBytes">What one partition holds before it is to be flushed.</param>
/// <param name="bytesMax">What all partitions hold before polling waits for a flush.</param>
internal sealed class RowBuffers(Consumer consumer, long flushBytes, long bytesMax = 256 << 20) : IDisposable
{
    private readonly RowCollector _collector = new();
    private readonly Stack<RowBatch> _spare = new();
    private long _held;

    private bool AreFull => _held > bytesMax;

    /// <summary>Whether a partition is to be flushed for the room that it takes.</summary>
    public bool IsDue(PartitionSink sink) => AreFull || IsFull(sink);

    /// <summary>Adds what was fetched to the rows that the partition holds.</summary>
    public Collected Collect(PartitionSink sink, ReadOnlySpan<byte> batches)
    {
        RowBatch rows = sink.Filling ??= Fresh();
        long before = rows.HeldBytes;
        Collected collected = _collector.Collect(sink.Partition, batches, sink.NextOffset, rows, sink.Unreadable);
        _held += rows.HeldBytes - before;
        return collected;
    }

    /// <summary>Pauses the partitions that have no room for what a poll would bring, and resumes those that have it again.</summary>
    public void HoldBack(IEnumerable<PartitionSink> partitions)
    {
        foreach (PartitionSink sink in partitions)
        {
            bool isToWait = sink.StuckSince is not null || AreFull || sink.IsFlushing && IsFull(sink);
            if (sink.Claim is null || isToWait == sink.IsHeldBack)
            {
                continue;
            }
            sink.IsHeldBack = isToWait;
            if (isToWait)
            {
                consumer.Pause(sink.Partition);
            }
            else
            {
                consumer.Resume(sink.Partition);
            }
        }
    }

    /// <summary>Hands over to a flush what the partition holds; it counts until it is put back.</summary>
    public FlushWork Take(PartitionSink sink)
    {
        var work = new FlushWork(sink.Claim!, sink.Filling ?? Fresh(), sink.Unreadable, sink.NextOffset, sink.LeaderEpoch);
        (sink.Filling, sink.Unreadable) = (null, []);
        return work;
    }

    /// <summary>Takes back the rows of a flush that has ended.</summary>
    public void PutBack(RowBatch rows)
    {
        _held -= rows.HeldBytes;
        rows.Clear();
        _spare.Push(rows);
    }

    /// <summary>Drops what the partition holds; it will be fetched again.</summary>
    public void Discard(PartitionSink sink)
    {
        if (sink.Filling is { } rows)
        {
            PutBack(rows);
        }
        (sink.Filling, sink.Unreadable, sink.IsHeldBack, sink.StuckSince) = (null, [], false, null);
    }

    public void Dispose()
    {
        _collector.Dispose();
        while (_spare.TryPop(out RowBatch? rows))
        {
            rows.Dispose();
        }
    }

    private bool IsFull(PartitionSink sink) => sink.Filling?.HeldBytes >= flushBytes;

    private RowBatch Fresh() => _spare.TryPop(out RowBatch? spare) ? spare : new RowBatch();
}
