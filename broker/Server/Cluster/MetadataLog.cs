using LogPipeline.Broker.Cluster.Records;
using LogPipeline.Files;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Records;
using LogPipeline.Storage;

namespace LogPipeline.Broker.Cluster;

/// <summary>
/// The log of all changes of the cluster's state, <c>__cluster_metadata-0</c>, and its snapshots. Not thread-safe: its owner's lock
/// guards it.
/// </summary>
internal sealed class MetadataLog(IFileSystem files, DataDirectory directory, PartitionLog log, long snapshotOffset, TimeProvider time)
{
    private const int ReadBytes = 1 << 20;

    /// <summary>Its topic's id, as in Kafka.</summary>
    public static readonly Guid TopicId = new("00000000-0000-0000-0000-000000000001");

    private long _snapshotOffset = snapshotOffset;

    /// <summary>How its files are kept: no flush but the one after each append, since an append is rare and counts at once.</summary>
    public static PartitionLogOptions Options { get; } = new()
    {
        Flush = FlushPolicy.Os,
        SegmentBytes = 1 << 20,
    };

    /// <summary>Records since the newest snapshot.</summary>
    public long RecordsSinceSnapshot => log.LogEndOffset - _snapshotOffset;

    /// <summary>The offset that the next record gets.</summary>
    public long EndOffset => log.LogEndOffset;

    /// <summary>Why it is not known what is on the disk, which failed: nothing more can be decided before the next start. Null while it works.</summary>
    public Exception? OfflineReason => log.OfflineReason;

    /// <summary>What a metadata log and its snapshots say; null when nothing was ever written.</summary>
    /// <exception cref="InvalidDataException">A snapshot is missing, or something is damaged or of a newer program.</exception>
    public static (ClusterImage Image, long SnapshotOffset)? Read(IFileSystem files, PartitionLog log)
    {
        List<(long EndOffset, string Path)> snapshots = MetadataSnapshot.List(files, log.Directory);
        if (snapshots.Count == 0 && log.LogEndOffset == 0)
        {
            return null;
        }
        if (snapshots.Count == 0 && log.LogStartOffset > 0)
        {
            throw new InvalidDataException(
                $"{log.Directory} begins at offset {log.LogStartOffset}, and the snapshot of what was before is gone. "
                + "Restore it from a copy.");
        }
        if (snapshots.Count > 0 && snapshots[^1].EndOffset > log.LogEndOffset)
        {
            throw new InvalidDataException(
                $"{log.Directory} ends at offset {log.LogEndOffset}, before its snapshot {snapshots[^1].Path}: segments are gone. "
                + "Restore them from a copy.");
        }
        long snapshot = snapshots.Count == 0 ? 0 : snapshots[^1].EndOffset;
        ClusterImage image = snapshots.Count == 0 ? new ClusterImage { ClusterId = "" } : MetadataSnapshot.Read(files, snapshots[^1].Path);
        for (long offset = snapshot; offset < log.LogEndOffset;)
        {
            ErrorCode error = log.Read(offset, log.LogEndOffset, ReadBytes, wholeFirstBatch: true, out LogSlice slice);
            using (slice)
            {
                if (error != ErrorCode.None || slice.Length == 0)
                {
                    throw new InvalidDataException($"{log.Directory} cannot be read at offset {offset}: {error}.");
                }
                byte[] bytes = new byte[slice.Length];
                slice.CopyTo(bytes);
                (image, offset) = Apply(image, bytes, offset, log.Directory);
            }
        }
        return (image, snapshot);
    }

    /// <summary>Appends records that take effect together; durable on return.</summary>
    /// <exception cref="IOException">The disk refused: none of them is there, unless there is an <see cref="OfflineReason"/>.</exception>
    public void Append(IReadOnlyList<IMetadataRecord> records)
    {
        AppendResult result = log.AppendDurably(MetadataBatch.Of(records, Now()), directory.LeaderEpoch);
        if (result.Error != ErrorCode.None)
        {
            throw new IOException($"{log.Directory} takes no more records: the disk refused, or is full.", log.OfflineReason);
        }
    }

    /// <summary>Writes a snapshot of the image at the log's end, and removes what it replaces.</summary>
    /// <exception cref="IOException">The disk refused; the log is as long as before.</exception>
    public void TakeSnapshot(ClusterImage image)
    {
        long end = log.LogEndOffset;
        MetadataSnapshot.Write(files, log.Directory, end, directory.LeaderEpoch, image, Now());
        _snapshotOffset = end;
        directory.DeleteRecords([(log, end)]);
        foreach ((long endOffset, string path) in MetadataSnapshot.List(files, log.Directory))
        {
            if (endOffset < end)
            {
                files.Delete(path);
            }
        }
    }

    private static (ClusterImage Image, long Offset) Apply(ClusterImage image, ReadOnlySpan<byte> bytes, long offset, string path)
    {
        for (; BatchHeader.TryParse(bytes, out BatchHeader header); bytes = bytes[header.SizeInBytes..])
        {
            if (header.BaseOffset >= offset && !header.IsControl)
            {
                image = MetadataBatch.Apply(image, bytes[..header.SizeInBytes], in header, path);
            }
            offset = Math.Max(offset, header.NextOffset);
        }
        return (image, offset);
    }

    private long Now() => time.GetUtcNow().ToUnixTimeMilliseconds();
}
