using LogPipeline.Protocol;
using LogPipeline.Storage;

namespace LogPipeline.Broker.Partitions;

/// <summary>Reading below the high watermark. Ask <see cref="CheckLeader"/> before: without a log there is nothing to read.</summary>
internal sealed partial class Partition
{
    /// <summary>First offset that can be read.</summary>
    public long LogStartOffset => OpenLog.LogStartOffset;

    /// <summary>The epoch that the log begins in: that of its first record, or the leader's while it is empty.</summary>
    public int StartEpoch => OpenLog.StartEpoch is >= 0 and var epoch ? epoch : LeaderEpoch;

    /// <summary>The offset that the next record gets.</summary>
    public long LogEndOffset => OpenLog.LogEndOffset;

    private PartitionLog OpenLog => _log ?? throw new InvalidOperationException($"{Topic}-{Number} has no log.");

    /// <summary>Whether this broker leads the partition and a client that believes in <paramref name="epoch"/> (-1: does not say) may use it.</summary>
    public ErrorCode CheckLeader(int epoch) =>
        Role == PartitionRole.Offline ? ErrorCode.KafkaStorageError
        : Role == PartitionRole.Follower ? ErrorCode.NotLeaderOrFollower
        : epoch < 0 || epoch == LeaderEpoch ? ErrorCode.None
        : epoch < LeaderEpoch ? ErrorCode.FencedLeaderEpoch
        : ErrorCode.UnknownLeaderEpoch;

    /// <summary>Finds whole batches from the one that holds <paramref name="offset"/>, up to the high watermark.</summary>
    /// <returns>None (the slice may be empty), OffsetOutOfRange, CorruptMessage for an offset that is damaged on the disk, or KafkaStorageError.</returns>
    public ErrorCode Read(long offset, int bytesMax, bool wholeFirstBatch, out LogSlice slice) =>
        OpenLog.Read(offset, HighWatermark, bytesMax, wholeFirstBatch, out slice);

    /// <summary>The first record at or after a time (milliseconds since 1970); null when there is none.</summary>
    /// <exception cref="IOException">The disk refused, or the log is damaged there.</exception>
    public TimedOffset? OffsetForTime(long timestamp) => OpenLog.OffsetForTime(timestamp, HighWatermark);

    /// <summary>The record with the largest timestamp; null when there is none.</summary>
    /// <exception cref="IOException">The disk refused, or the log is damaged there.</exception>
    public TimedOffset? MaxTimestamp() => OpenLog.MaxTimestamp(HighWatermark);

    /// <summary>
    /// The largest epoch up to <paramref name="epoch"/> that has records, and where it ends. (-1, -1) when there was no such epoch yet.
    /// </summary>
    public (int Epoch, long EndOffset) EndOffsetForEpoch(int epoch) =>
        epoch < 0 || epoch > LeaderEpoch ? (-1, -1)
        : epoch == LeaderEpoch ? (epoch, HighWatermark)
        : OpenLog.EndOffsetForEpoch(epoch, HighWatermark);

    /// <summary>The producers as they stand in what is committed: waits until all appended before the call is.</summary>
    /// <exception cref="LogOfflineException">A flush failed, or the log was closed before.</exception>
    public async ValueTask<IReadOnlyList<ProducerState>> ProducersAsync(CancellationToken cancellation)
    {
        IReadOnlyList<ProducerState> producers = OpenLog.Producers(out long endOffset);
        await CommittedAsync(endOffset, cancellation);
        return producers;
    }
}
