namespace LogPipeline.Files.Journals;

/// <summary>
/// A framed, checksummed append file of bounded size with group commit, for whatever must be durable before it is promised and is
/// safe elsewhere later. Owners append opaque payloads from any thread; a commit takes everything that waits, and at most one is
/// under way, so commit N+1 is written only when the sync of N has returned. That is what lets <see cref="JournalReader"/> tell a
/// torn tail from damage: only the newest commit can be incomplete after a crash.
/// </summary>
/// <remarks>
/// It has no thread: a commit begins on the thread that asks for it and goes on on the file system's flush thread. The files are
/// recycled: <see cref="Trim"/> says up to which commit everything is safe elsewhere, and only then their space is used again.
/// Layout: <see cref="JournalFrame"/>, <see cref="JournalHeader"/>, <see cref="JournalFiles"/>.
/// </remarks>
public sealed class Journal : IDisposable
{
    private readonly IFileSystem _fileSystem;
    private readonly string _directory;
    private readonly JournalOptions _options;
    private readonly IJournalOwner _owner;
    private readonly ulong _life;
    private readonly Lock _gate = new(); // guards the fields below
    private readonly JournalFiles _files; // used by the commit under way, without the lock
    private CommitBuffer _pending;
    private CommitBuffer _sealed; // the commit under way, or one that the disk refused
    private ReadOnlyMemory<byte> _sealedBytes; // empty when there is none
    private JournalHeader _header; // replaced whole by Trim
    private long _safe; // wanted by Trim; the header's may be lower
    private long _pendingCommit;
    private bool _isCommitting;
    private bool _isOutOfSpace; // a sealed commit waits for Trim

    private Journal(
        IFileSystem fileSystem, string directory, JournalOptions options, IJournalOwner owner, JournalFiles files, JournalHeader header)
    {
        (_fileSystem, _directory, _options, _owner, _files, _header) = (fileSystem, directory, options, owner, files, header);
        (_life, _pendingCommit) = (header.Lives[^1].Id, header.Lives[^1].FirstCommit);
        (_safe, DurableCommit) = (header.Safe, _pendingCommit - 1);
        _pending = new CommitBuffer(options.Checksum);
        _sealed = new CommitBuffer(options.Checksum);
    }

    /// <summary>
    /// Begins a new life of the journal behind what a reader found; durable on return. Commits that the reader left out as the torn
    /// tail are void from here on.
    /// </summary>
    /// <param name="files">The disk.</param>
    /// <param name="found">The same directory, read.</param>
    /// <param name="safe">Commits up to this one are safe elsewhere; what lies behind is kept and found again at the next opening.</param>
    /// <param name="options">How it is kept.</param>
    /// <param name="random">For the life's id.</param>
    /// <param name="owner">Told of commits.</param>
    public static Journal Open(
        IFileSystem files, JournalReader found, long safe, JournalOptions options, Random random, IJournalOwner owner)
    {
        ArgumentNullException.ThrowIfNull(files);
        ArgumentNullException.ThrowIfNull(found);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(random);
        bool isVoid = safe >= found.LastCommit;
        int fileBytes = isVoid || found.Header is null ? options.FileBytes : found.Header.FileBytes;
        var life = new JournalLife((ulong)random.NextInt64(1, long.MaxValue), found.LastCommit + 1);
        JournalHeader header = new JournalHeader(fileBytes, 1, [.. found.Header?.Lives ?? [], life]).With(Math.Min(safe, found.LastCommit) + 1);
        files.CreateDirectory(found.Directory);
        header.Write(files, found.Directory, options.Checksum);
        var journalFiles = new JournalFiles(files, found.Directory, fileBytes, Math.Max(options.FilesMax, found.LastCommits.Count));
        if (isVoid && fileBytes != found.Header?.FileBytes)
        {
            DeleteFiles(files, found.Directory);
        }
        else
        {
            journalFiles.Adopt(found.LastCommits, found.LastFile, found.EndPosition);
        }
        return new Journal(files, found.Directory, options, owner, journalFiles, header);
    }

    /// <summary>The commit that a frame appended now would be in.</summary>
    public long NextCommit
    {
        get
        {
            lock (_gate)
            {
                return _pendingCommit;
            }
        }
    }

    /// <summary>Bytes that wait for the next commit.</summary>
    public int PendingBytes
    {
        get
        {
            lock (_gate)
            {
                return _pending.Size;
            }
        }
    }

    /// <summary>The newest commit's number that is durable.</summary>
    public long DurableCommit { get; private set; }

    /// <summary>Adds one frame to the commit that waits. It is durable when that commit is; <see cref="Commit"/> makes it begin.</summary>
    /// <param name="head">The first bytes of the payload.</param>
    /// <param name="body">The rest of it; may be empty.</param>
    /// <param name="commit">The number of the commit that the frame is in.</param>
    /// <returns>False when as much waits as may wait; nothing was added.</returns>
    public bool TryAppend(ReadOnlySpan<byte> head, ReadOnlySpan<byte> body, out long commit)
    {
        lock (_gate)
        {
            commit = _pendingCommit;
            if (_pending.SizeWith((long)head.Length + body.Length) > Math.Min(_options.CommitBytesMax, _header.FileBytes))
            {
                return false;
            }
            _pending.Add(_life, commit, head, body);
            return true;
        }
    }

    /// <summary>Begins a commit of everything that waits, unless one is under way: that one is followed by the next on its own.</summary>
    public void Commit()
    {
        lock (_gate)
        {
            if (_isCommitting || _isOutOfSpace || (_pending.Count == 0 && _sealedBytes.IsEmpty))
            {
                return;
            }
            _isCommitting = true;
        }
        _ = CommitAllAsync();
    }

    /// <summary>
    /// Everything in commits up to this one is safe elsewhere: their space may be used again, and no reader shows them once it is.
    /// Durable on return where it frees a file. One caller at a time.
    /// </summary>
    /// <exception cref="IOException">The disk refused; nothing is used again.</exception>
    public void Trim(long commit)
    {
        JournalHeader header;
        lock (_gate)
        {
            _safe = Math.Max(_safe, commit + 1);
            if (!_files.Frees(_header.Safe, _safe))
            {
                return;
            }
            header = _header.With(_safe);
        }
        header.Write(_fileSystem, _directory, _options.Checksum);
        bool mustGoOn;
        lock (_gate)
        {
            _header = header;
            mustGoOn = _isOutOfSpace;
            _isOutOfSpace = false;
        }
        if (mustGoOn)
        {
            Commit();
        }
    }

    /// <summary>
    /// Notes durably what was trimmed last and lets go of the files, so that the next opening reads nothing that is safe. No commit
    /// may be under way.
    /// </summary>
    /// <exception cref="IOException">The disk refused; the next opening reads more.</exception>
    public void Close()
    {
        JournalHeader header = _safe > DurableCommit ? _header with { Safe = _safe, Lives = [] } : _header.With(_safe);
        Dispose();
        header.Write(_fileSystem, _directory, _options.Checksum);
    }

    /// <summary>Lets go of the files as they are.</summary>
    public void Dispose() => _files.Dispose();

    private static void DeleteFiles(IFileSystem files, string directory)
    {
        for (int i = JournalFiles.CountIn(files, directory) - 1; i >= 0; i--)
        {
            files.Delete(JournalFiles.PathOf(directory, i));
        }
    }

    private async Task CommitAllAsync()
    {
        JournalCommit? durable = null; // not told yet
        try
        {
            while (true)
            {
                ValueTask flushed = default;
                bool isSealed = TrySeal(isLast: durable is null, out JournalPlace place);
                if (isSealed)
                {
                    place.File.Write(_sealedBytes.Span, place.Position);
                    flushed = place.File.FlushAsync(beginNow: durable is not null);
                }
                else if (durable is null)
                {
                    return;
                }
                if (durable is { } commit)
                {
                    durable = null;
                    _owner.Committed(commit); // what waited for it goes on while the disk has the next one
                }
                if (isSealed)
                {
                    await flushed;
                    durable = Committed(place);
                }
            }
        }
        catch (Exception e)
        {
            if (durable is { } commit)
            {
                _owner.Committed(commit);
            }
            lock (_gate)
            {
                _isCommitting = false;
            }
            _owner.Failed(e);
        }
    }

    // False when nothing waits, or there is no room for it; then, if it is the last try, the loop that calls is over.
    private bool TrySeal(bool isLast, out JournalPlace place)
    {
        long safe;
        place = default;
        while (true)
        {
            lock (_gate)
            {
                if (_sealedBytes.IsEmpty)
                {
                    if (_pending.Count == 0)
                    {
                        _isCommitting = !isLast;
                        return false;
                    }
                    (_pending, _sealed) = (_sealed, _pending);
                    _sealedBytes = _sealed.Seal(_life, _pendingCommit);
                    _pendingCommit++;
                }
                safe = _header.Safe;
            }
            if (_files.Place(_sealedBytes.Length, safe) is { } found)
            {
                place = found;
                return true;
            }
            if (!isLast)
            {
                return false;
            }
            lock (_gate)
            {
                if (_header.Safe == safe)
                {
                    _isOutOfSpace = true;
                    _isCommitting = false;
                    break;
                }
            }
        }
        _owner.SpaceNeeded(DurableCommit);
        return false;
    }

    private JournalCommit Committed(JournalPlace place)
    {
        lock (_gate)
        {
            DurableCommit = _pendingCommit - 1;
            _files.Written(_sealedBytes.Length, DurableCommit);
            _sealedBytes = default;
            _sealed.Clear();
            return new JournalCommit(DurableCommit, place.Index);
        }
    }
}
