using LogPipeline.Storage.Segments;
using LogPipeline.Storage.Verification;

namespace LogPipeline.Storage;

/// <summary>
/// Damage in closed segments, as a scrub finds it: it is kept beside the log and never served. Reading stops before it and refuses the
/// offsets in it; what lies behind can be read.
/// </summary>
public sealed partial class PartitionLog
{
    private DamagedBatch[] _damaged; // by offset; replaced whole under _gate

    /// <summary>The damage that is known, as far as it is not below the log's start.</summary>
    public IReadOnlyList<DamagedBatch> DamagedBatches
    {
        get
        {
            DamagedBatch[] damaged = Volatile.Read(ref _damaged);
            return damaged.Length == 0 ? damaged : [.. damaged.Where(batch => batch.NextOffset > LogStartOffset)];
        }
    }

    /// <summary>The base offsets of the segments that are not written any more; those with known damage come first.</summary>
    public IReadOnlyList<long> ClosedSegments
    {
        get
        {
            HashSet<long> damaged = [.. Volatile.Read(ref _damaged).Select(static batch => batch.SegmentOffset)];
            return [.. Volatile.Read(ref _segments).SkipLast(1).Select(static segment => segment.BaseOffset).OrderByDescending(damaged.Contains)];
        }
    }

    /// <summary>Begins to check a closed segment; null when it is gone. The caller disposes it.</summary>
    /// <exception cref="IOException">The file cannot be opened.</exception>
    public SegmentScrub? Scrub(long segmentOffset)
    {
        LogSegment[] segments = Volatile.Read(ref _segments);
        int index = Array.FindIndex(segments, segment => segment.BaseOffset == segmentOffset);
        return index >= 0 && index < segments.Length - 1
            ? new SegmentScrub(this, segments[index].Use(), segments[index], segments[index + 1].BaseOffset)
            : null;
    }

    /// <summary>
    /// Takes what was found in a segment up to a position; from then on it is not served, and what was damaged before and is sound now is.
    /// What is known behind the position stays until the check has come there.
    /// </summary>
    /// <exception cref="IOException">The disk refused to keep it; it counts until the next start.</exception>
    internal void SetDamage(long segmentOffset, long checkedTo, IReadOnlyList<DamagedBatch> found)
    {
        lock (_gate)
        {
            DamagedBatch[] known = _damaged;
            bool isThere = _segments.SkipLast(1).Any(segment => segment.BaseOffset == segmentOffset);
            DamagedBatch[] now =
            [
                .. known.Where(batch => batch.SegmentOffset != segmentOffset || (isThere && batch.Position >= checkedTo))
                    .Where(batch => batch.NextOffset > _logStartOffset)
                    .Concat(isThere ? found : [])
                    .OrderBy(static batch => batch.FirstOffset),
            ];
            if (!now.SequenceEqual(known))
            {
                Volatile.Write(ref _damaged, now);
                DamagedBatch.Write(_files, _directory, now);
            }
        }
    }

    // Where a read must end before the next damage; false when the offset itself is damaged.
    private bool TryEndBeforeDamage(long offset, ref LogEnd end)
    {
        foreach (DamagedBatch batch in Volatile.Read(ref _damaged))
        {
            if (batch.NextOffset <= offset)
            {
                continue;
            }
            if (batch.FirstOffset <= offset)
            {
                return false;
            }
            if (batch.FirstOffset < end.Offset && Array.Find(Volatile.Read(ref _segments), segment => segment.BaseOffset == batch.SegmentOffset) is { } segment)
            {
                end = new LogEnd(batch.FirstOffset, segment, batch.Position, end.Cuts);
            }
            return true;
        }
        return true;
    }
}
