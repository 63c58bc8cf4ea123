using LogPipeline.Protocol;

namespace LogPipeline.Storage;

/// <summary>The record batches of one partition, in offset order. All members may be called from any thread.</summary>
public sealed class PartitionLog
{
    public string Topic => throw new NotImplementedException();

    public Guid TopicId => throw new NotImplementedException();

    public int Partition => throw new NotImplementedException();

    /// <summary>May be replaced while the log is in use.</summary>
    public PartitionLogOptions Options { get; set; } = new();

    /// <summary>First offset that can be read.</summary>
    public long LogStartOffset => throw new NotImplementedException();

    /// <summary>The offset that the next record gets.</summary>
    public long LogEndOffset => throw new NotImplementedException();

    /// <summary>Readers see what lies below: under <see cref="FlushPolicy.Group"/> exactly what is durable.</summary>
    public long HighWatermark => throw new NotImplementedException();

    /// <summary>The epoch stamped on what is appended now.</summary>
    public int LeaderEpoch => throw new NotImplementedException();

    /// <summary>Bytes on disk, all segments.</summary>
    public long SizeBytes => throw new NotImplementedException();

    /// <summary>Why the log takes nothing any more; null while it works.</summary>
    public Exception? OfflineReason => throw new NotImplementedException();

    /// <summary>The high watermark rose, or the log went offline. Raised outside any lock, from a flush or an append.</summary>
#pragma warning disable CS0067
    public event Action<PartitionLog>? HighWatermarkMoved;
#pragma warning restore CS0067

    /// <summary>
    /// Checks one batch of magic 2 (CRC, size, sequence), stamps base offset and leader epoch into it and writes it. Not durable
    /// before <see cref="FlushedAsync"/>.
    /// </summary>
    public AppendResult Append(Memory<byte> batch, AppendOrigin origin) => throw new NotImplementedException();

    /// <summary>Completes when all below <paramref name="endOffset"/> (exclusive) is below the high watermark.</summary>
    /// <exception cref="LogOfflineException">A flush failed.</exception>
    public ValueTask FlushedAsync(long endOffset, CancellationToken cancellation = default) => throw new NotImplementedException();

    /// <summary>Finds whole batches from the one that holds <paramref name="offset"/>, up to the high watermark.</summary>
    /// <param name="offset">Where to begin; the first batch may begin before it.</param>
    /// <param name="bytesMax">Bytes at most.</param>
    /// <param name="wholeFirstBatch">Give the first batch even if it alone is larger than <paramref name="bytesMax"/>.</param>
    /// <param name="slice">The batches, in their file.</param>
    /// <returns>None (the slice may be empty), OffsetOutOfRange, or KafkaStorageError.</returns>
    public ErrorCode Read(long offset, int bytesMax, bool wholeFirstBatch, out LogSlice slice) => throw new NotImplementedException();

    /// <summary>The first record at or after a time (milliseconds since 1970), below the high watermark; null when there is none.</summary>
    public TimedOffset? OffsetForTime(long timestamp) => throw new NotImplementedException();

    /// <summary>The record with the largest timestamp below the high watermark; null when the log is empty.</summary>
    public TimedOffset? MaxTimestamp() => throw new NotImplementedException();

    /// <summary>The largest epoch up to <paramref name="epoch"/> that has records, and where it ends; (-1, -1) when unknown.</summary>
    public (int Epoch, long EndOffset) EndOffsetForEpoch(int epoch) => throw new NotImplementedException();

    /// <summary>The producers as they stand in what is durable: waits until all appended before the call is.</summary>
    public ValueTask<IReadOnlyList<ProducerState>> ProducersAsync(CancellationToken cancellation = default) => throw new NotImplementedException();
}

/// <summary>A record found by its time.</summary>
/// <param name="Offset">The record's offset.</param>
/// <param name="Timestamp">The record's own, in milliseconds since 1970.</param>
/// <param name="LeaderEpoch">The epoch it was appended in.</param>
public readonly record struct TimedOffset(long Offset, long Timestamp, int LeaderEpoch);
