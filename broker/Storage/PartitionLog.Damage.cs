using LogPipeline.Files;
using LogPipeline.Protocol.Records;
using LogPipeline.Storage.Recovery;
using LogPipeline.Storage.Segments;
using LogPipeline.Storage.Verification;

namespace LogPipeline.Storage;

/// <summary>
/// Damage, as a scrub finds it, or the first read of what a start found on the disk: it is kept beside the log and never served. Reading
/// stops before it and refuses the offsets in it; what lies behind can be read.
/// </summary>
/// <remarks>
/// The check before the first read is quick: each batch's header and checksum, and that it goes on where the one before it ends. When
/// something does not fit, the segment is examined whole, as a scrub does it: only that can tell which batch is damaged, since the
/// offset that a batch begins with, its length and its leader epoch are covered by no checksum.
/// </remarks>
public sealed partial class PartitionLog
{
    private const int ExamineBytes = 4 << 20; // a step

    private readonly DamageCount _damageFound;
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

    /// <summary>The base offsets of the segments; those with known damage come first.</summary>
    public IReadOnlyList<long> SegmentsToScrub
    {
        get
        {
            HashSet<long> damaged = [.. Volatile.Read(ref _damaged).Select(static batch => batch.SegmentOffset)];
            return [.. Volatile.Read(ref _segments).Select(static segment => segment.BaseOffset).OrderByDescending(damaged.Contains)];
        }
    }

    /// <summary>For a simulation that breaks their rule.</summary>
    internal IEnumerable<CheckedBytes> CheckedBytes => Volatile.Read(ref _segments).Select(static segment => segment.Checked);

    /// <summary>Begins to check a segment, the active one as far as it is durable now; null when it is gone. The caller disposes it.</summary>
    /// <exception cref="IOException">The file cannot be opened.</exception>
    public SegmentScrub? Scrub(long segmentOffset)
    {
        LogEnd end = _durable.End;
        LogSegment[] segments = Volatile.Read(ref _segments);
        int index = Array.FindIndex(segments, segment => segment.BaseOffset == segmentOffset);
        if (index < 0 || segmentOffset > end.Segment.BaseOffset)
        {
            return null;
        }
        LogEnd until = segments[index] == end.Segment ? end : new LogEnd(segments[index + 1].BaseOffset, segments[index], segments[index].SizeBytes, end.Cuts);
        return new SegmentScrub(this, segments[index].Use(), until);
    }

    /// <summary>
    /// Takes what was found in a segment up to a position; from then on it is not served, and what was damaged before and is sound now is.
    /// What is known behind the position stays until the check has come there.
    /// </summary>
    /// <param name="segment">The segment.</param>
    /// <param name="cuts">How often the log was cut before the check began: what a cut log was found to be says nothing.</param>
    /// <param name="checkedTo">How far the check has come.</param>
    /// <param name="found">What is damaged up to there.</param>
    /// <param name="problem">Why the last of them was refused.</param>
    /// <returns>False when the log was cut meanwhile: nothing of it was taken.</returns>
    /// <exception cref="IOException">The disk refused to keep it; it counts until the next start.</exception>
    internal bool SetDamage(LogSegment segment, int cuts, long checkedTo, IReadOnlyList<DamagedBatch> found, string problem)
    {
        lock (_gate)
        {
            DamagedBatch[] known = _damaged;
            bool isThere = _segments.Contains(segment);
            if (isThere && cuts != _cuts)
            {
                return false;
            }
            DamagedBatch[] now =
            [
                .. known.Where(batch => batch.SegmentOffset != segment.BaseOffset || (isThere && batch.Position >= checkedTo))
                    .Where(batch => batch.NextOffset > _logStartOffset)
                    .Concat(isThere ? found : [])
                    .OrderBy(static batch => batch.FirstOffset),
            ];
            if (now.SequenceEqual(known))
            {
                return true;
            }
            Volatile.Write(ref _damaged, now);
            foreach (DamagedBatch batch in now.Except(known))
            {
                _damageFound.Add();
                Log.BatchDamaged(_logger, Name, segment.Path, batch.Position, batch.FirstOffset, batch.NextOffset, problem);
            }
            DamagedBatch.Write(_files, _directory, now);
            return true;
        }
    }

    /// <summary>Whether a batch says the leader epoch in which it was appended, as far as that is known. Its checksum does not cover it.</summary>
    internal bool FitsEpoch(in BatchHeader header)
    {
        lock (_gate)
        {
            return _epochs.EpochAt(header.BaseOffset) is var told && (told < 0 || told == header.LeaderEpoch);
        }
    }

    private void RequireIndexes(LogSegment segment) => segment.RequireIndexes(Options.IndexIntervalBytes, Volatile.Read(ref _damaged));

    // Whole batches may be served when what a start found of them was checked since, and none of them is known to be damaged.
    private void RequireSound(LogSegment segment, IFile file, long from, long to)
    {
        if (!segment.Checked.Cover(from, to))
        {
            lock (segment.Checked.Checking)
            {
                if (!segment.Checked.Cover(from, to))
                {
                    Check(segment, file, from, Math.Min(to, segment.Checked.End));
                }
            }
        }
        foreach (DamagedBatch batch in Volatile.Read(ref _damaged))
        {
            if (batch.Overlaps(segment.BaseOffset, from, to))
            {
                throw new CorruptLogException(segment.Path, batch.Position, batch.FirstOffset, "a damaged batch lies there");
            }
        }
    }

    // Begins at a border of which it is known which offset follows: at what was checked before, or at an entry of the index.
    private void Check(LogSegment segment, IFile file, long from, long to)
    {
        (long begin, long offset) = segment.Checked.CheckedTo(from) ?? BorderBefore(segment, file, from);
        using var reader = new BatchReader(file, to);
        for (long position = begin; position < to;)
        {
            bool isSound = reader.TryRead(position, offset, CleanOffset, out BatchHeader header);
            long next = position + header.SizeInBytes;
            if (!isSound || !FitsEpoch(in header) || (position < from && next > from))
            {
                throw new CorruptLogException(segment.Path, position, offset, isSound ? "the batch is not what index and epochs say" : reader.Problem);
            }
            (position, offset) = (next, header.NextOffset);
        }
        segment.Checked.Add(begin, to, offset);
    }

    private (long Position, long Offset) BorderBefore(LogSegment segment, IFile file, long position)
    {
        RequireIndexes(segment);
        if (segment.Offsets.LastAt(position) is not { } entry)
        {
            return (0, segment.BaseOffset);
        }
        // The checksum covers how many offsets a batch has, so the entry, which says the last one, says the first.
        return SegmentScan.TryReadHeader(file, entry.Position, segment.SizeBytes, out BatchHeader header)
            ? (entry.Position, entry.LastOffset - header.LastOffsetDelta)
            : throw new CorruptLogException(segment.Path, entry.Position, entry.LastOffset, "no record batch begins here");
    }

    // Checks all of a segment that a start found, unless that was done. Afterwards it is known what is damaged, and what is not is served.
    private void Examine(string path)
    {
        if (Array.Find(Volatile.Read(ref _segments), segment => segment.Path == path) is not { } segment)
        {
            return;
        }
        lock (segment.Checked.Checking)
        {
            using SegmentScrub? scrub = segment.Checked.IsComplete ? null : Scrub(segment.BaseOffset);
            while (scrub?.Step(ExamineBytes) > 0)
            {
            }
        }
    }

    // Where a read must end before the next damage; false when the offset itself is damaged. What an earlier life knew is looked at again
    // first: the file may have been restored.
    private bool TryEndBeforeDamage(long offset, ref LogEnd end)
    {
        foreach (DamagedBatch batch in Volatile.Read(ref _damaged))
        {
            if (batch.NextOffset <= offset)
            {
                continue;
            }
            LogSegment? segment = Array.Find(Volatile.Read(ref _segments), segment => segment.BaseOffset == batch.SegmentOffset);
            if (batch.FirstOffset <= offset)
            {
                return segment is not { Checked.IsComplete: false }
                    ? false
                    : throw new CorruptLogException(segment.Path, batch.Position, batch.FirstOffset, "a batch there was damaged before the start");
            }
            if (batch.FirstOffset <= end.Offset && segment is not null)
            {
                end = new LogEnd(batch.FirstOffset, segment, batch.Position, end.Cuts);
            }
            return true;
        }
        return true;
    }
}
