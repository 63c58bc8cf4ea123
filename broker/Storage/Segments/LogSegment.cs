using LogPipeline.Files;
using LogPipeline.Protocol.Records;

namespace LogPipeline.Storage.Segments;

/// <summary>
/// One file of record batches and its two indexes. The partition's lock guards appending; a batch once written never changes, so
/// reading below what is flushed needs no lock. The active segment's file is open all the time, a closed segment's only while it is
/// read (<see cref="OpenFiles"/>).
/// </summary>
internal sealed class LogSegment
{
    // Preallocation keeps extents together and fdatasync cheap (10 dirty files: 1.7 ms instead of 4.1 ms); it doubles with the
    // file, so that a thousand small partitions do not fill the disk.
    private const long ReserveBytesMin = 64 << 10;
    private const long ReserveBytesMax = 64 << 20;
    private const long SyncAheadBytesMax = 16 << 20; // what a disk syncs in some ten milliseconds

    private readonly IFileSystem _files;
    private readonly OpenFiles _open;
    private readonly string _directory;
    private readonly Lock _loading = new(); // guards making a sealed segment's indexes anew
    private SharedFile? _active; // null in a closed segment
    private bool _indexesLoaded;
    private IndexBuilder _builder;
    private long _reserved;
    private bool _isSyncedAhead;

    public LogSegment(IFileSystem files, OpenFiles open, string directory, long baseOffset)
    {
        _files = files;
        _open = open;
        _directory = directory;
        BaseOffset = baseOffset;
        Offsets = new OffsetIndex(files, open, SegmentFileName.Of(directory, baseOffset, SegmentFileName.OffsetIndex), baseOffset);
        Times = new TimeIndex(files, open, SegmentFileName.Of(directory, baseOffset, SegmentFileName.TimeIndex), baseOffset);
        _builder = new IndexBuilder(Offsets, Times);
        Path = SegmentFileName.Of(directory, baseOffset, SegmentFileName.Log);
    }

    public long BaseOffset { get; }

    public string Path { get; }

    /// <summary>Bytes of whole batches in the file.</summary>
    public long SizeBytes { get; private set; }

    /// <summary>When the segment was begun, in milliseconds since 1970.</summary>
    public long CreatedTime { get; private set; }

    /// <summary>When the last batch was appended, in milliseconds since 1970; after a start the file's modification time.</summary>
    public long AppendedTime { get; private set; }

    /// <summary>Whether what was appended last lies in space that the file system has allocated, so that only a broken disk can refuse it.</summary>
    public bool IsAllocated { get; private set; }

    /// <summary>The largest timestamp so far; -1 when there is none.</summary>
    public long MaxTimestamp => _builder.MaxTimestamp;

    /// <summary>Which of its bytes may be served as they are.</summary>
    public CheckedBytes Checked { get; private set; } = new(0);

    public OffsetIndex Offsets { get; }

    public TimeIndex Times { get; }

    private IFile Log => _active?.File ?? throw new InvalidOperationException($"{Path} is not open for writing.");

    /// <summary>Makes an empty segment's log file; the caller flushes the directory.</summary>
    public void Create(long now)
    {
        // A crash may have left an empty file of this name, and indexes with it.
        _active = new SharedFile(_files.Open(Path, FileOpenMode.ReadWrite));
        Log.SetLength(0);
        Begin(0, now, now);
        Offsets.Entries.Clear();
        Times.Entries.Clear();
        _indexesLoaded = true;
    }

    /// <summary>Takes the log file that is there, as a closed segment.</summary>
    public void Find()
    {
        FileStatus status = _files.Stat(Path) ?? throw new FileNotFoundException($"{Path} is gone.", Path);
        Begin(status.Length, status.BirthTime / 1_000_000, status.ModifiedTime / 1_000_000);
        Checked = new CheckedBytes(status.Length);
    }

    /// <summary>Opens the file of the last segment for writing.</summary>
    public void Activate()
    {
        _active = new SharedFile(_files.Open(Path, FileOpenMode.ReadWrite));
        _reserved = -1; // not known
    }

    /// <summary>Ends writing: a new segment is the active one.</summary>
    public void Seal()
    {
        SharedFile? active = Interlocked.Exchange(ref _active, null);
        active?.Release();
    }

    /// <summary>The file to read from.</summary>
    /// <exception cref="IOException">The file cannot be opened; <see cref="FileNotFoundException"/> when the segment was deleted.</exception>
    public FileUse Use() => Volatile.Read(ref _active) is { } active && active.TryUse(out FileUse use) ? use : _open.Use(Path);

    /// <summary>Makes what is written durable, off the caller's thread.</summary>
    /// <param name="behindFrom">
    /// When nobody waits for it: where the bytes begin that are not durable in this file yet. They are written back without haste, so
    /// that commits of the journal are not held up. -1 when somebody waits.
    /// </param>
    public async ValueTask FlushAsync(long behindFrom)
    {
        using FileUse use = Use(); // the segment may be closed meanwhile
        if (behindFrom >= 0)
        {
            await use.File.WriteBackAsync(behindFrom, SizeBytes - behindFrom);
        }
        await use.File.FlushAsync();
    }

    /// <summary>Makes what is written durable.</summary>
    public void Flush() => Log.Flush();

    public bool IsFull(int batchBytes, long lastOffset, long now, PartitionLogOptions options) =>
        SizeBytes > 0
        && (SizeBytes + batchBytes > Math.Min(options.SegmentBytes, int.MaxValue)
            || now - CreatedTime > options.SegmentTime.TotalMilliseconds
            || lastOffset - BaseOffset > int.MaxValue
            || Offsets.Entries.SizeBytes + OffsetIndex.EntrySize > options.IndexBytesMax
            || Times.Entries.SizeBytes + TimeIndex.EntrySize > options.IndexBytesMax);

    /// <summary>
    /// True once, when so little room is left that the segment should be synced now, off the caller's thread: what closes it later waits
    /// for the rest only.
    /// </summary>
    public bool MustSyncAhead(PartitionLogOptions options)
    {
        if (_isSyncedAhead || SizeBytes <= options.SegmentBytes - Math.Min(options.SegmentBytes / 8, SyncAheadBytesMax))
        {
            return false;
        }
        return _isSyncedAhead = true;
    }

    /// <summary>Writes a stamped batch behind the last one.</summary>
    public void Append(ReadOnlySpan<byte> batch, in BatchHeader header, int indexIntervalBytes, long now)
    {
        long end = SizeBytes + batch.Length;
        if (end > _reserved)
        {
            long ahead = Math.Clamp(end, ReserveBytesMin, ReserveBytesMax);
            bool hasRoom = _files.FreeBytes(_directory) > 4 * ahead; // not the last room of a disk
            _reserved = hasRoom && Log.Reserve(end + ahead) ? end + ahead : end;
            IsAllocated = _reserved > end || Log.Reserve(end);
        }
        Log.Write(batch, SizeBytes);
        AppendedTime = now;
        Account(in header, indexIntervalBytes);
    }

    /// <summary>Counts a batch that is in the file at <see cref="SizeBytes"/>, and indexes it when its turn has come.</summary>
    public void Account(in BatchHeader header, int indexIntervalBytes)
    {
        _builder.Add(in header, indexIntervalBytes);
        SizeBytes = _builder.Position;
    }

    /// <summary>Takes up counting at a batch border inside the file, with the indexes as they stood there.</summary>
    public void ResumeAt(long offset, long position)
    {
        Offsets.Entries.Truncate(Offsets.CountBelow(offset));
        Times.Entries.Truncate(Times.CountBelow(offset));
        _builder.Resume(position);
        SizeBytes = position;
    }

    /// <summary>The indexes hold all batches so far; from now on appending keeps them.</summary>
    public void IndexesAreComplete() => _indexesLoaded = true;

    /// <summary>Cuts what lies behind the last whole batch, durably: it must not come back under batches written later.</summary>
    public void CutTail()
    {
        Log.SetLength(SizeBytes);
        Log.Flush();
        _reserved = 0;
    }

    /// <summary>Cuts, durably, what lies behind a batch border; with the indexes loaded. A closed segment becomes the active one.</summary>
    public void CutAt(long offset, long position)
    {
        if (_active is null)
        {
            Activate();
        }
        Offsets.Entries.Truncate(Offsets.CountBelow(offset));
        Times.Entries.Truncate(Times.CountBelow(offset));
        _builder.Resume(position);
        long at = Offsets.LastPosition;
        for (; SegmentScan.TryReadHeader(Log, at, position, out BatchHeader header); at += header.SizeInBytes)
        {
            _builder.NoteTime(in header); // of batches behind the last index entry that is left
        }
        SizeBytes = position;
        Checked.EndAt(position);
        CutTail();
    }

    /// <summary>Whether <see cref="RequireIndexes"/> has nothing to do.</summary>
    public bool HasIndexes => Volatile.Read(ref _indexesLoaded);

    /// <summary>Loads the indexes of a segment that is no longer written; makes them anew when they are missing or wrong.</summary>
    /// <param name="indexIntervalBytes">Bytes of batches between two entries.</param>
    /// <param name="damaged">What of the log is known to be damaged: it gets no entries.</param>
    /// <exception cref="CorruptLogException">There is damage that is not known yet.</exception>
    public void RequireIndexes(int indexIntervalBytes, DamagedBatch[] damaged)
    {
        if (Volatile.Read(ref _indexesLoaded))
        {
            return;
        }
        lock (_loading)
        {
            if (!_indexesLoaded)
            {
                if (TryLoadIndexes())
                {
                    _builder.Resume(SizeBytes);
                }
                else
                {
                    RebuildIndexes(indexIntervalBytes, damaged);
                }
                Volatile.Write(ref _indexesLoaded, true);
            }
        }
    }

    /// <summary>Whether both index files are there and their last entries agree with the log.</summary>
    public bool TryLoadIndexes()
    {
        if (!Offsets.Entries.TryLoad() || !Times.Entries.TryLoad())
        {
            return false;
        }
        Offsets.Entries.Truncate(Offsets.CountBelow(long.MaxValue));
        Times.Entries.Truncate(Times.CountBelow(long.MaxValue));
        int offsets = Offsets.Entries.Count;
        if (offsets == 0)
        {
            return SizeBytes == 0 || Times.Entries.Count > 0;
        }
        (long lastOffset, long position) = Offsets[offsets - 1];
        using FileUse use = Use();
        return SegmentScan.TryReadHeader(use.File, position, SizeBytes, out BatchHeader header) && header.LastOffset == lastOffset;
    }

    /// <summary>Whether both index files are there, whatever they say beyond an offset.</summary>
    public bool TryLoadIndexesUpTo(long offset)
    {
        bool loaded = Offsets.Entries.TryLoad() & Times.Entries.TryLoad();
        Offsets.Entries.Truncate(Offsets.CountBelow(offset));
        Times.Entries.Truncate(Times.CountBelow(offset));
        return loaded && Times.Entries.Count > 0;
    }

    /// <summary>Notes the largest timestamp, so that the indexes say all of the batches so far.</summary>
    public void CompleteTimes() => _builder.Complete();

    /// <summary>Makes both indexes durable, as they stand.</summary>
    public void FlushIndexes()
    {
        Offsets.Entries.Flush();
        Times.Entries.Flush();
    }

    /// <summary>The same where it can wait: on a full disk the indexes stay in memory and are made anew after the next start.</summary>
    public void TryFlushIndexes()
    {
        try
        {
            FlushIndexes();
        }
        catch (IOException e) when (e.IsDiskFull())
        {
        }
    }

    /// <summary>Gives reserved space back, also what a process before had reserved.</summary>
    public void Trim()
    {
        if (_reserved != SizeBytes)
        {
            Log.SetLength(SizeBytes);
            _reserved = SizeBytes;
        }
    }

    /// <summary>Removes the files, the log last, so that the others are found by its name; who reads from them may finish.</summary>
    public void Delete()
    {
        Close();
        Offsets.Entries.Delete();
        Times.Entries.Delete();
        _files.Delete(SegmentFileName.Of(_directory, BaseOffset, SegmentFileName.Snapshot));
        _files.Delete(Path);
    }

    /// <summary>Lets go of the files; who reads from them may finish.</summary>
    public void Close()
    {
        Seal();
        _open.Forget(Path);
        Offsets.Entries.Close();
        Times.Entries.Close();
    }

    // Readers may use the segment meanwhile: its size stays as it is.
    private void RebuildIndexes(int indexIntervalBytes, DamagedBatch[] damaged)
    {
        Offsets.Entries.Clear();
        Times.Entries.Clear();
        var builder = new IndexBuilder(Offsets, Times);
        using FileUse use = Use();
        long next = BaseOffset;
        while (builder.Position < SizeBytes)
        {
            long position = DamagedBatch.StepOver(damaged, BaseOffset, builder.Position);
            if (position > builder.Position)
            {
                builder.Skip(position);
                continue;
            }
            if (!SegmentScan.TryReadHeader(use.File, position, SizeBytes, out BatchHeader header) || header.BaseOffset < next || header.LastOffset - BaseOffset > int.MaxValue)
            {
                throw new CorruptLogException(Path, position, next, "no record batch begins here");
            }
            builder.Add(in header, indexIntervalBytes);
            next = header.NextOffset;
        }
        builder.Complete();
        TryFlushIndexes();
        _builder = builder;
    }

    private void Begin(long size, long created, long appended)
    {
        SizeBytes = size;
        CreatedTime = created;
        AppendedTime = appended;
        _reserved = size;
    }
}
