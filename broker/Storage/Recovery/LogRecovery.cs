using LogPipeline.Files;
using LogPipeline.Protocol.Records;
using LogPipeline.Storage.Checkpoints;
using LogPipeline.Storage.Journals;
using LogPipeline.Storage.Producers;
using LogPipeline.Storage.Segments;

namespace LogPipeline.Storage.Recovery;

/// <summary>
/// Opens one partition's directory. A producer snapshot at offset P is written only after log, indexes and epochs up to P are
/// durable, so the newest valid one says how far all is well, and only what follows is read: that takes the same time whatever the
/// log's size, and none after a clean stop. A snapshot also stands at every segment's begin, so what follows is the active segment's tail.
/// Where that has no sound batch, the commit journal may have the one that belongs there.
/// </summary>
internal sealed class LogRecovery(
    IFileSystem files, OpenFiles open, string directory, PartitionLogOptions options, long cleanOffset, int leaderEpoch, long now,
    LogReplay? replay, bool isFlushed) : IDisposable
{
    private readonly List<LogSegment> _segments = [];
    private ProducerTable _producers = new();
    private LeaderEpochs _epochs = new();
    private long _endOffset;
    private int _cuts;
    private bool _isFlushed = isFlushed; // the names and the active segment, as they are now, outlive a power cut
    private bool _isDone;

    /// <exception cref="CorruptLogException">Damage that no crash explains.</exception>
    public LogState Run(long startOffset)
    {
        FindSegments(startOffset);
        _cuts = LogCuts.Read(files, directory);
        (long snapshot, int index) = NewestSnapshot();
        bool areEpochsWritten = TryReadEpochs(snapshot);
        LogSegment first = _segments[index];
        long position = Resume(first, snapshot);
        _epochs.TruncateFrom(snapshot);
        int epochWritten = areEpochsWritten ? _epochs.Latest : -1;
        _endOffset = snapshot;
        long cut = 0;
        for (int i = index; i < _segments.Count; i++)
        {
            if (i > index && _segments[i].BaseOffset > _endOffset && _segments[i].BaseOffset <= cleanOffset)
            {
                _endOffset = _segments[i].BaseOffset; // compaction has left out the end of the segment before it
            }
            cut += Scan(_segments[i], i == index ? position : 0, isActive: i == _segments.Count - 1);
        }
        LogSegment active = _segments[^1];
        if (active.SizeBytes == 0 && active.BaseOffset != _endOffset)
        {
            throw new CorruptLogException(active.Path, 0, _endOffset, "the segment before it ends at another offset");
        }
        _isDone = true;
        return new LogState
        {
            Segments = _segments,
            Producers = _producers,
            Epochs = _epochs,
            EndOffset = _endOffset,
            SnapshotOffset = snapshot,
            SnapshotPosition = first == active ? position : 0,
            EpochWritten = epochWritten,
            CutBytes = cut,
            Cuts = _cuts,
            CleanOffset = cleanOffset,
        };
    }

    /// <summary>Closes the files of a log that could not be opened.</summary>
    public void Dispose()
    {
        if (!_isDone)
        {
            _segments.ForEach(static segment => segment.Close());
        }
    }

    private void FindSegments(long startOffset)
    {
        foreach (DirectoryEntry entry in files.List(directory))
        {
            if (SegmentFileName.TryParse(entry.Name, SegmentFileName.Snapshot + AtomicFile.TemporarySuffix, out _))
            {
                files.Delete(directory + "/" + entry.Name);
            }
            else if (SegmentFileName.TryParse(entry.Name, SegmentFileName.Log, out long baseOffset))
            {
                var segment = new LogSegment(files, open, directory, baseOffset);
                segment.Find();
                _segments.Add(segment);
            }
        }
        _segments.Sort(static (a, b) => a.BaseOffset.CompareTo(b.BaseOffset));
        if (_segments.Count == 0)
        {
            var segment = new LogSegment(files, open, directory, startOffset);
            segment.Create(now);
            _segments.Add(segment);
            _isFlushed = false;
        }
        else
        {
            FinishRemoval(startOffset);
            _segments[^1].Activate();
        }
        if (!_isFlushed)
        {
            // The process before may have died between making a file and this: the name could still be lost under what we add.
            files.FlushDirectory(directory);
        }
    }

    // Retention had raised the start, durably, when a crash cut its deletions short or a power cut took some of them back.
    private void FinishRemoval(long startOffset)
    {
        while (_segments.Count > 1 && _segments[1].BaseOffset <= startOffset)
        {
            _segments[0].Delete();
            _segments.RemoveAt(0);
        }
    }

    // False when the file of epochs is missing or damaged: then every batch's header before the snapshot says its epoch.
    private bool TryReadEpochs(long snapshot)
    {
        try
        {
            _epochs = LeaderEpochs.Read(files, directory);
        }
        catch (InvalidDataException)
        {
            _epochs = new LeaderEpochs();
        }
        if (_epochs.Latest >= 0 || snapshot == _segments[0].BaseOffset)
        {
            return true;
        }
        foreach (LogSegment segment in _segments)
        {
            using FileUse use = segment.Use();
            for (long position = 0; SegmentScan.TryReadHeader(use.File, position, segment.SizeBytes, out BatchHeader header)
                && header.BaseOffset < snapshot; position += header.SizeInBytes)
            {
                _epochs.Assign(header.LeaderEpoch, header.BaseOffset);
            }
        }
        return false;
    }

    // The snapshot to begin with, and the segment that holds its offset.
    private (long Offset, int SegmentIndex) NewestSnapshot()
    {
        (long offset, _producers) = ProducerSnapshots.Newest(files, directory, _segments[0].BaseOffset, long.MaxValue);
        return (offset, _segments.FindLastIndex(segment => segment.BaseOffset <= offset));
    }

    // The position of the snapshot's offset; indexes that do not lead there are made anew.
    private long Resume(LogSegment segment, long offset)
    {
        long size = segment.SizeBytes;
        using FileUse use = segment.Use();
        if (offset > segment.BaseOffset && segment.TryLoadIndexesUpTo(offset) && SegmentScan.BorderAt(segment, use.File, offset, size, cleanOffset) is { } position)
        {
            segment.ResumeAt(offset, position);
            return position;
        }
        segment.Offsets.Entries.Clear();
        segment.Times.Entries.Clear();
        segment.ResumeAt(segment.BaseOffset, 0);
        while (offset > segment.BaseOffset)
        {
            bool isThere = SegmentScan.TryReadHeader(use.File, segment.SizeBytes, size, out BatchHeader header);
            if (offset <= cleanOffset && (isThere ? header.BaseOffset >= offset : segment.SizeBytes == size))
            {
                break; // compaction has left out what was before
            }
            if (!isThere || header.BaseOffset >= offset || header.NextOffset > offset)
            {
                throw new CorruptLogException(
                    segment.Path, segment.SizeBytes, offset, $"all below offset {offset} was flushed before, but is not there");
            }
            segment.Account(in header, options.IndexIntervalBytes);
            if (header.NextOffset == offset)
            {
                break;
            }
        }
        return segment.SizeBytes;
    }

    // Reads a segment's batches from a position on, checksums too; cuts the torn tail of the active one.
    private long Scan(LogSegment segment, long position, bool isActive)
    {
        using FileUse use = segment.Use();
        if (position == 0)
        {
            segment.Offsets.Entries.Clear();
            segment.Times.Entries.Clear();
            segment.ResumeAt(segment.BaseOffset, 0);
        }
        using var reader = new BatchReader(use.File, use.File.Length);
        while (TryReadNext(reader, segment, isActive ? use.File : null, out BatchHeader header))
        {
            // Outside what the checksum covers.
            if (header.LeaderEpoch < _epochs.Latest || header.LeaderEpoch >= leaderEpoch)
            {
                throw new CorruptLogException(
                    segment.Path, segment.SizeBytes, _endOffset, $"leader epoch {header.LeaderEpoch} after {_epochs.Latest}");
            }
            segment.Account(in header, options.IndexIntervalBytes);
            _producers.Update(in header, now);
            _epochs.Assign(header.LeaderEpoch, header.BaseOffset);
            _endOffset = header.NextOffset;
        }
        long fileLength = use.File.Length;
        long rest = fileLength - segment.SizeBytes;
        if (rest > 0)
        {
            if (!isActive)
            {
                throw new CorruptLogException(segment.Path, segment.SizeBytes, _endOffset, reader.Problem);
            }
            TornTail.Require(use.File, segment.SizeBytes, fileLength, _endOffset, reader.Problem);
        }
        segment.IndexesAreComplete();
        segment.Checked.EndAt(position);
        if (isActive)
        {
            if (rest > 0 || !_isFlushed)
            {
                segment.CutTail(); // also when nothing is cut: readers will be shown what may be in the page cache only
            }
            else
            {
                segment.Trim();
            }
        }
        else
        {
            segment.CompleteTimes();
            segment.TryFlushIndexes();
        }
        return rest;
    }

    // Only the active segment can miss what the journal holds: it was synced whole before the next one was made.
    private bool TryReadNext(BatchReader reader, LogSegment segment, IFile? restorable, out BatchHeader header)
    {
        if (reader.TryRead(segment.SizeBytes, _endOffset, cleanOffset, out header))
        {
            return true;
        }
        if (restorable is null || replay is null || !replay.TryRestore(segment.BaseOffset, segment.SizeBytes, _cuts, restorable))
        {
            return false;
        }
        _isFlushed = false;
        reader.ReadAnew();
        return reader.TryRead(segment.SizeBytes, _endOffset, cleanOffset, out header);
    }
}
