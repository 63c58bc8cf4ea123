using LogPipeline.Files;
using LogPipeline.Files.Waiting;
using LogPipeline.Sinks.Events;
using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Parsing;
using LogPipeline.Sinks.Rows;

namespace LogPipeline.Sinks.Files;

/// <summary>
/// Lines into files: <c>directory/topic/yyyy-MM-dd/partition.log</c> by the event's day, UTC; each record's bytes and a line feed
/// (a part of a line above the agent's limit is a line of its own). The manifest commits: what files hold beyond it is cut when
/// the directory is opened and whenever a flush fails. The directory is locked; transactions take turns.
/// </summary>
/// <remarks>A commit: data files synced, names of new ones synced, then the manifest or its changes replaced.</remarks>
public sealed class FileStore(
    string sink, FilesOptions options, ILineParser parser, IFileSystem files, Random random, TimeProvider time, ISinkEvents events) : ISinkStore
{
    private readonly AsyncLock _turn = new();
    private IDisposable? _lock;

    /// <summary>Null before opening and after a failure: then the disk says what is committed.</summary>
    private Manifest? _manifest;

    public string Kind => "files";

    public ILineParser Parser => parser;

    /// <summary>Sources and files that may change before the manifest is written whole.</summary>
    internal int ChangesMax { get; init; } = 1024;

    internal IFileSystem FileSystem => files;

    internal string Root => options.Directory;

    internal Manifest Manifest => _manifest ??= Load();

    public async ValueTask<Guid> OpenAsync(CancellationToken cancellation) => await InTurnAsync(() => Manifest.LedgerId);

    public async ValueTask<IReadOnlyList<LedgerEntry>> ReadLedgerAsync(CancellationToken cancellation) =>
        await InTurnAsync(() => (IReadOnlyList<LedgerEntry>)[.. Manifest.Logs.Where(l => l.Log.Sink == sink)]);

    public async ValueTask CreateAsync(IReadOnlyList<LedgerStart> starts, CancellationToken cancellation) => await InTurnAsync(() =>
    {
        Manifest next = Manifest.Copy();
        foreach ((LogIdentity? log, long offset) in starts)
        {
            if (!next.Logs.Any(l => l.Log == log))
            {
                next.Logs.Add(new LedgerEntry(next.Logs.Count + 1, log, offset, -1, default));
            }
        }
        Replace(next);
        return true;
    });

    public async ValueTask<LedgerEntry?> ClaimAsync(LogIdentity log, OwnerToken owner, CancellationToken cancellation) => await InTurnAsync(() =>
    {
        Manifest next = Manifest.Copy();
        int at = next.Logs.FindIndex(l => l.Log == log);
        if (at < 0)
        {
            return null;
        }
        next.Logs[at] = next.Logs[at] with { Owner = owner };
        Replace(next);
        return next.Logs[at];
    });

    public async ValueTask<ISinkFlush> BeginAsync(CancellationToken cancellation)
    {
        await _turn.TakeAsync();
        try
        {
            return Guard(() => new FileFlush(this, Manifest.Copy()));
        }
        catch
        {
            _turn.Release();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _turn.TakeAsync();
        _lock?.Dispose();
        _lock = null;
    }

    /// <summary>Ends a flush's turn; without a commit the next one begins from the disk.</summary>
    internal void End(bool committed)
    {
        if (!committed)
        {
            _manifest = null;
        }
        _turn.Release();
    }

    /// <summary>Makes a manifest the committed one.</summary>
    internal void Replace(Manifest next)
    {
        // A file that was forgotten meanwhile may have begun another revision than the copy is of.
        next = next with { Revision = Math.Max(next.Revision, _manifest?.Revision ?? -1) };
        _manifest = null; // should the disk fail half way, it is read again
        bool isWhole = next.Revision < 0 || next.ChangeCount > ChangesMax;
        next = isWhole ? next.Folded() : next;
        AtomicFile.Replace(
            files, Path.Combine(Root, isWhole ? Manifest.FileName : Manifest.ChangesFileName), isWhole ? next.Encode() : next.EncodeChanges());
        _manifest = next;
    }

    /// <summary>
    /// Goes on with a file from a shorter length on, since it was moved away or cut. The manifest commits that length before anything is written
    /// there; otherwise a crash could leave bytes that nobody committed and that the manifest seems to count.
    /// </summary>
    internal void BeginAnew(string name, long length)
    {
        Manifest next = Manifest.Copy();
        TellCut(name, next.Lengths[name], length);
        next.SetLength(name, length);
        Replace(next);
    }

    private void TellCut(string name, long committed, long length)
    {
        string path = Path.Combine(Root, name);
        if (files.Stat(path) is not null) // a file that is gone was archived: nothing is lost
        {
            events.Publish(new OutputCut(sink, time.GetUtcNow(), path, committed, length));
        }
    }

    /// <summary>Turns what the disk throws into the seam's exceptions.</summary>
    internal T Guard<T>(Func<T> work)
    {
        try
        {
            return work();
        }
        catch (DirectoryLockedException error)
        {
            throw new StoreRefusedException(error.Message, error);
        }
        catch (UnauthorizedAccessException error)
        {
            throw new StoreRefusedException($"files directory {Root}: {error.Message} Let the sink's user write there.", error);
        }
        catch (IOException error)
        {
            throw new StoreUnavailableException($"files directory {Root}: {error.Message} Check the disk.", error);
        }
    }

    private async ValueTask<T> InTurnAsync<T>(Func<T> work)
    {
        await _turn.TakeAsync();
        try
        {
            return Guard(work);
        }
        finally
        {
            _turn.Release();
        }
    }

    private Manifest Load()
    {
        files.CreateDirectory(Root);
        _lock ??= files.Lock(Path.Combine(Root, ".lock"));
        if (Committed(files, Root) is not { } manifest)
        {
            Replace(new Manifest { LedgerId = OwnerToken.New(random).Value, ConfigHash = RowColumns.ConfigHash(parser) });
            manifest = Committed(files, Root)!; // refuses changes that lie there of another manifest
        }
        if (manifest.ConfigHash != RowColumns.ConfigHash(parser))
        {
            throw new StoreRefusedException(
                $"sink {sink}: the files in {Root} were made with parser {manifest.ConfigHash.Split(':')[1]}; set that parser, or give the sink a new name and directory.");
        }
        if (manifest.Logs.FirstOrDefault(log => log.Log.Sink != sink && log.LeaderEpoch >= 0) is { } other)
        {
            throw StoreRefusedException.HoldsRowsOf(other.Log.Sink, sink, $"directory {Root}", "directory");
        }
        CutTails(manifest);
        if (ShorterFiles(manifest) is { Count: > 0 } shorter)
        {
            foreach ((string name, long length) in shorter)
            {
                TellCut(name, manifest.Lengths[name], length);
                manifest.SetLength(name, length);
            }
            Replace(manifest);
            manifest = Committed(files, Root)!;
        }
        return manifest;
    }

    /// <summary>What the disk says is committed; null when nothing ever was.</summary>
    internal static Manifest? Committed(IFileSystem files, string directory)
    {
        string changes = Path.Combine(directory, Manifest.ChangesFileName);
        Manifest? manifest = Read(files, Path.Combine(directory, Manifest.FileName));
        return manifest is not null && Read(files, changes) is { } since ? manifest.With(since, changes) : manifest;
    }

    private static Manifest? Read(IFileSystem files, string path) => AtomicFile.ReadAll(files, path) is { } bytes ? Manifest.Decode(bytes, path) : null;

    /// <summary>
    /// Files that hold less than was committed, with what they hold. What is committed is synced, so no crash does that: somebody cut them, as
    /// logrotate does by copytruncate.
    /// </summary>
    private List<(string Name, long Length)> ShorterFiles(Manifest manifest) =>
        [.. manifest.Lengths.Select(l => (Name: l.Key, Length: files.Stat(Path.Combine(Root, l.Key))?.Length ?? l.Value)).Where(l => l.Length < manifest.Lengths[l.Name])];

    /// <summary>
    /// Cuts every file to its committed length; one of ours that the manifest does not know was never committed. What others put beside
    /// them stays: users compress and move old days.
    /// </summary>
    private void CutTails(Manifest manifest)
    {
        foreach ((string? name, long length) in manifest.Lengths)
        {
            string path = Path.Combine(Root, name);
            if (files.Stat(path) is not { } status || status.Length <= length)
            {
                continue; // old days may be archived away
            }
            using IFile file = files.Open(path, FileOpenMode.ReadWrite);
            file.SetLength(length);
            file.Flush();
        }
        foreach (DirectoryEntry topic in files.List(Root).Where(e => e.IsDirectory))
        {
            foreach (DirectoryEntry day in files.List(Path.Combine(Root, topic.Name)).Where(e => e.IsDirectory))
            {
                foreach (DirectoryEntry file in files.List(Path.Combine(Root, topic.Name, day.Name)))
                {
                    string name = $"{topic.Name}/{day.Name}/{file.Name}";
                    if (FileFlush.IsName(name) && !manifest.Lengths.ContainsKey(name))
                    {
                        files.Delete(Path.Combine(Root, topic.Name, day.Name, file.Name));
                    }
                }
            }
        }
    }
}
