using System.Globalization;
using System.Text;
using LogPipeline.Files;
using LogPipeline.Files.Waiting;
using LogPipeline.Sinks.Events;
using LogPipeline.Sinks.Files.Parts;
using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Parsing;
using LogPipeline.Sinks.Rows;

namespace LogPipeline.Sinks.Files;

/// <summary>
/// Rows into files, by the template of their path and in the configured format. The manifest commits: what files hold beyond it is cut when the
/// directory is opened and whenever a flush fails, and files that it does not know are removed if a note names them as a flush's. The directory is
/// locked; transactions take turns.
/// </summary>
/// <remarks>A flush: new files noted, rows appended. A commit: data files synced, names of new ones synced, then the manifest or its changes replaced.</remarks>
public sealed class FileStore(
    string sink, FilesOptions options, ILineParser parser, IFileSystem files, Random random, TimeProvider time, ISinkEvents events) : ISinkStore
{
    private const string NewFilesName = "new-files";

    private readonly AsyncLock _turn = new();
    private PartPublisher? _publisher;
    private IDisposable? _lock;
    private Guid? _ledger; // the manifest's that was opened

    /// <summary>Null before opening and after a failure: then the disk says what is committed.</summary>
    private Manifest? _manifest;

    public string Kind => "files";

    public ILineParser Parser => parser;

    /// <summary>Sources and files that may change before the manifest is written whole.</summary>
    internal int ChangesMax { get; init; } = 1024;

    internal IFileSystem FileSystem => files;

    internal string Root => options.Directory;

    internal IRowFormat Format { get; } = options.NewFormat(parser.Columns);

    internal FileCompression Compression { get; } = options.Compression;

    internal FilePathTemplate Paths { get; } = options.NewPaths();

    /// <summary>The version that names of files carry: those that begin with their columns' names begin anew with each configuration.</summary>
    internal int VersionOfNames(Manifest manifest) => Format.Header.Length > 0 ? manifest.NameVersion(manifest.Versions.Count) : 1;

    private PartPublisher Publisher => _publisher ??= new PartPublisher(this, options, time);

    internal Manifest Manifest => _manifest ??= Load();

    public async ValueTask<Guid> OpenAsync(CancellationToken cancellation) => await InTurnAsync(() => Manifest.LedgerId);

    public async ValueTask<IReadOnlyList<LedgerEntry>> ReadLedgerAsync(CancellationToken cancellation) =>
        await InTurnAsync(() => (IReadOnlyList<LedgerEntry>)[.. Manifest.Logs.Where(l => l.Log.Sink == sink)]);

    public async ValueTask CreateAsync(IReadOnlyList<LedgerStart> starts, CancellationToken cancellation)
    {
        if (await InTurnAsync(() => starts.Any(start => Manifest.Logs.Any(known => known.Log.IsNamesake(start.Log)))))
        {
            // What is staged tells topics by their names: no part has rows of two topics of one name.
            await PublishAsync(publisher => publisher.PublishAllAsync(cancellation));
        }
        await InTurnAsync(() =>
        {
            Manifest next = Manifest;
            foreach (LedgerStart start in starts.Where(start => !next.Logs.Any(l => l.Log == start.Log)))
            {
                next = next.With(start);
            }
            Replace(next.Copy(), isWhole: next.Versions != Manifest.Versions);
            return true;
        });
    }

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

    /// <summary>Publishes what is staged of a size; other formats have nothing to publish.</summary>
    public async ValueTask PrepareAsync(RowBatch rows, CancellationToken cancellation)
    {
        if (options.IsParquet)
        {
            await PublishAsync(publisher => publisher.PublishDueAsync(isByAge: false, cancellation));
        }
    }

    /// <summary>Rows may be staged that another configuration left behind.</summary>
    public IReadOnlyList<Chore> Chores => options.IsParquet || _manifest?.Lengths.Any(file => file.Value > 0 && StagedFormat.IsStaged(file.Key)) == true
        ? [new Chore("parts", Publisher.CheckInterval, PublishOldAsync)] : [];

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
    /// <param name="next">The manifest.</param>
    /// <param name="isWhole">Whether more changed of it than changes can tell.</param>
    internal void Replace(Manifest next, bool isWhole = false)
    {
        // A file that was forgotten meanwhile may have begun another revision than the copy is of.
        next = next with { Revision = Math.Max(next.Revision, _manifest?.Revision ?? -1) };
        _manifest = null; // should the disk fail half way, it is read again
        string whole = Path.Combine(Root, Manifest.FileName);
        isWhole |= next.Revision < 0 || next.ChangeCount > ChangesMax || files.Stat(whole) is null; // somebody may have removed it, and changes alone say nothing
        next = isWhole ? next.Folded() : next;
        AtomicFile.Replace(
            files, isWhole ? whole : Path.Combine(Root, Manifest.ChangesFileName), isWhole ? next.Encode() : next.EncodeChanges());
        _manifest = next;
    }

    /// <summary>Durably notes files that a flush is about to make: <see cref="Load"/> removes those that were not committed.</summary>
    internal void NoteNew(IReadOnlyCollection<string> names) =>
        AtomicFile.Replace(files, Path.Combine(Root, NewFilesName), Encoding.UTF8.GetBytes(string.Join('\n', names)));

    /// <summary>
    /// Goes on with a file that was moved away or cut. The manifest commits the length before anything is written there; otherwise a crash could
    /// leave bytes that nobody committed and that the manifest seems to count.
    /// </summary>
    /// <param name="name">Below the directory.</param>
    /// <param name="committed">How many bytes it should have.</param>
    /// <param name="found">How many it has; null where it is gone, as an archived one is, of which nothing is lost.</param>
    /// <returns>With how many bytes it goes on.</returns>
    internal long BeginAnew(string name, long committed, long? found)
    {
        Manifest next = Manifest.Copy();
        string path = Path.Combine(Root, name);
        long length = found is { } left ? WhatIsLeft(path, committed, left) : 0;
        if (found is null && files.DirectoryExists(Path.GetDirectoryName(path)!))
        {
            // Were the file back under its name after a crash, what it has would be cut.
            files.FlushDirectory(Path.GetDirectoryName(path)!);
        }
        next.StartAfresh(name, length);
        Replace(next);
        return length;
    }

    /// <summary>Whether bytes of the file are text, rather than compressed.</summary>
    internal bool IsText(string name) => Compression == FileCompression.None || name.EndsWith(".jsonl", StringComparison.Ordinal);

    /// <summary>
    /// With how many bytes a file that was cut goes on, which is told. Behind half of a compressed member nothing could be read: what is left of such a
    /// file is put aside, under its name and <c>.cut</c>, or <c>.cut2</c> and so on where that is there from before.
    /// </summary>
    private long WhatIsLeft(string path, long committed, long found)
    {
        long length = IsText(path) ? found : 0;
        events.Publish(new OutputCut(sink, time.GetUtcNow(), path, committed, length));
        if (length < found)
        {
            string aside = path + ".cut";
            for (int number = 2; files.FileExists(aside); number++)
            {
                aside = string.Create(CultureInfo.InvariantCulture, $"{path}.cut{number}");
            }
            files.Rename(path, aside);
            files.FlushDirectory(Path.GetDirectoryName(path)!);
        }
        return length;
    }

    /// <summary>Turns what the disk throws into the seam's exceptions.</summary>
    internal T Guard<T>(Func<T> work)
    {
        try
        {
            return work();
        }
        catch (Exception error) when (Translate(error) is { } translated)
        {
            throw translated;
        }
    }

    /// <summary>Null for what the disk does not throw.</summary>
    internal Exception? Translate(Exception error) => error switch
    {
        DirectoryLockedException => new StoreRefusedException(error.Message, error),
        UnauthorizedAccessException => new StoreRefusedException($"files directory {Root}: {error.Message.TrimEnd('.')}. Let the sink's user write there.", error),
        IOException => new StoreUnavailableException($"files directory {Root}: {error.Message.TrimEnd('.')}. Check the disk.", error),
        _ => null,
    };

    private async ValueTask<IReadOnlyList<ExpiredPart>> PublishOldAsync(CancellationToken cancellation)
    {
        await PublishAsync(publisher => publisher.PublishDueAsync(isByAge: true, cancellation));
        return [];
    }

    /// <summary>Publishes in a turn; half of it is cut off at the next look at the disk.</summary>
    private async ValueTask PublishAsync(Func<PartPublisher, ValueTask> publish)
    {
        await _turn.TakeAsync();
        bool isDone = false;
        try
        {
            await publish(Publisher);
            isDone = true;
        }
        finally
        {
            End(isDone);
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
        if (_ledger is not null && Committed(files, Root)?.LedgerId != _ledger)
        {
            throw new StoreRefusedException($"files directory {Root}: its {Manifest.FileName}, which says what is stored, was moved away or removed, or another one is in its place. "
                + "Put the directory back, or give the sink a new name to store all anew.");
        }
        var version = FilesVersion.Of(parser, options, time.GetUtcNow());
        files.CreateDirectory(Root);
        _lock ??= files.Lock(Path.Combine(Root, ".lock"));
        if (Committed(files, Root) is not { } manifest)
        {
            Replace(new Manifest { LedgerId = OwnerToken.New(random).Value, ConfigHash = version.ConfigHash, Versions = [version] });
            manifest = Committed(files, Root)!; // refuses changes that lie there of another manifest
        }
        if (manifest.Logs.FirstOrDefault(log => log.Log.Sink != sink && log.LeaderEpoch >= 0) is { } other)
        {
            throw StoreRefusedException.HoldsRowsOf(other.Log.Sink, sink, $"directory {Root}", "directory");
        }
        if (!manifest.IsWrittenAs(version))
        {
            // The lock of the directory keeps other processes out, and so those with an earlier configuration.
            TellChange(manifest, version);
            Replace(manifest.Changed(version), isWhole: true);
            manifest = _manifest!;
        }
        _ledger = manifest.LedgerId;
        RemoveUncommitted(manifest);
        if (!IsAsCommitted(manifest))
        {
            Replace(manifest);
            return _manifest!;
        }
        return manifest;
    }

    private void TellChange(Manifest manifest, FilesVersion to)
    {
        string? how = manifest.ConfigHash != to.ConfigHash ? $"with parser {ParserOptions.Describe(to.Parser, to.Where)}"
            : manifest.Versions.LastOrDefault()?.Output is { } before && before != to.Output ? $"as {to.Output!.Format} to {to.Output.Path}, compress: {to.Output.Compress}," : null;
        if (how is not null)
        {
            events.Publish(new TableChanged(sink, time.GetUtcNow(), $"directory {Root} is written {how} from now on, as version {Math.Max(manifest.Versions.Count, 1) + 1} (see {Manifest.FileName})"));
        }
    }

    /// <summary>What the disk says is committed; null when nothing ever was.</summary>
    internal static Manifest? Committed(IFileSystem files, string directory)
    {
        string changes = Path.Combine(directory, Manifest.ChangesFileName);
        Manifest? manifest = Read(files, Path.Combine(directory, Manifest.FileName));
        return manifest is not null && Read(files, changes) is { } since ? manifest.With(since, changes) : manifest;
    }

    private static Manifest? Read(IFileSystem files, string path) => AtomicFile.ReadAll(files, path) is { } bytes ? Manifest.Decode(bytes, path) : null;

    /// <summary>Removes files that a flush made and did not commit.</summary>
    private void RemoveUncommitted(Manifest manifest)
    {
        if (AtomicFile.ReadAll(files, Path.Combine(Root, NewFilesName)) is not { } noted)
        {
            return;
        }
        foreach (string name in Encoding.UTF8.GetString(noted).Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(name => !manifest.Lengths.ContainsKey(name)))
        {
            files.Delete(Path.Combine(Root, name));
        }
    }

    /// <summary>
    /// Cuts every file to its committed length. One that holds less somebody cut, as logrotate does by copytruncate: what is committed is synced,
    /// so no crash does that. What others put beside the files stays: users compress and move old days.
    /// </summary>
    /// <returns>False where the manifest says now that a file holds less.</returns>
    private bool IsAsCommitted(Manifest manifest)
    {
        bool isAsCommitted = true;
        foreach ((string name, long length) in manifest.Lengths)
        {
            string path = Path.Combine(Root, name);
            if (files.Stat(path) is not { } status || status.Length == length)
            {
                continue;
            }
            if (status.Length < length)
            {
                manifest.StartAfresh(name, WhatIsLeft(path, length, status.Length));
                isAsCommitted = false;
                continue;
            }
            using IFile file = files.Open(path, FileOpenMode.ReadWrite);
            file.SetLength(length);
            file.Flush();
        }
        return isAsCommitted;
    }
}
