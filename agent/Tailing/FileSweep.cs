using LogPipeline.Agent.State;
using LogPipeline.Files;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Agent.Tailing;

/// <summary>
/// One look at all files by stat: what is new, renamed, cut, grown or gone. Stat is the truth; hints only make it look sooner.
/// A generation's road: live → rotated (its path names another file or none; the handle is kept) → finished (read, acked and
/// quiet) or gone (nowhere to be found, or cut).
/// </summary>
internal sealed class FileSweep(
    IFileSystem files, PathSet paths, FileBook book, FileBirths births, Generations generations, AgentState state, AgentOptions options,
    TimeProvider time, ILogger logger)
{
    private const long ForgottenAfter = 7L * 24 * 3600 * 1000;

    private readonly SortedSet<string> _directories = new(StringComparer.Ordinal);

    /// <summary>The directories that were looked into.</summary>
    public IReadOnlyCollection<string> Directories => _directories;

    /// <summary>Called for a file that may have something to read.</summary>
    public Action<TailedFile>? Ready { get; set; }

    /// <summary>Called when the next look should not wait.</summary>
    public Action? Hurry { get; set; }

    /// <summary>Asks for a look at all files soon.</summary>
    public void Look() => Hurry?.Invoke();

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Finds the generations of the last run again, under whatever name.</summary>
    public void Resume()
    {
        paths.Look(files, _directories);
        foreach (Generation generation in generations.All)
        {
            if (generation.Phase != GenerationPhase.Gone && Path.GetDirectoryName(generation.Path) is string directory)
            {
                _directories.Add(directory);
            }
        }
        Dictionary<FileIdentity, string> present = [];
        foreach (string directory in _directories)
        {
            foreach (DirectoryEntry entry in files.List(directory))
            {
                string path = Path.Combine(directory, entry.Name);
                if (!entry.IsDirectory && book.Stat(path) is FileStatus status)
                {
                    present.TryAdd(FileIdentity.Of(status), path);
                }
            }
        }
        foreach (Generation generation in generations.All.ToList())
        {
            InputOptions? input = options.Inputs.FirstOrDefault(i => i.Topic == generation.Topic);
            if (generation.Phase != GenerationPhase.Gone && input is not null)
            {
                Resume(generation, InputOf(generation, input), present);
            }
        }
        foreach (IGrouping<string, Generation> left in generations.All
            .Where(g => !g.IsOver && !options.Inputs.Any(i => i.Topic == g.Topic)).GroupBy(g => g.Topic).OrderBy(g => g.Key, StringComparer.Ordinal))
        {
            logger.Unfollowed(left.Key, left.Count());
        }
    }

    public void Sweep()
    {
        List<(string Path, InputOptions Input)> found = paths.Look(files, _directories);
        foreach (TailedFile file in book.Files)
        {
            file.WasSeen = false;
        }
        List<(string Path, InputOptions Input, FileStatus Status)> others = [];
        foreach ((string path, InputOptions input) in found)
        {
            if (book.Stat(path) is not FileStatus { IsDirectory: false } status)
            {
                continue;
            }
            if (book.At(path, input.Topic) is TailedFile current && current.Generation.Identity == FileIdentity.Of(status))
            {
                current.WasSeen = true;
                Check(current, status);
            }
            else
            {
                others.Add((path, input, status));
            }
        }
        // A path that nobody knows may be the copy of a file that has another name by now: that file is looked at first.
        foreach ((string path, InputOptions input, FileStatus status) in others.OrderBy(o => IsUnknown(o.Path, o.Input, o.Status)))
        {
            Other(path, input, status);
        }
        foreach (TailedFile file in book.Files.Where(f => !f.WasSeen).ToList())
        {
            Unseen(file);
        }
        foreach (TailedFile file in book.Files.ToList())
        {
            Settle(file);
        }
        foreach (InputOptions input in options.Inputs)
        {
            births.HasBegun |= state.Registry.InputsStarted.Add(PathSet.KeyOf(input));
        }
        generations.Forget(g => g.IsOver && Now - g.PhaseSince > ForgottenAfter && book.With(g.Identity, g.Topic)?.Generation != g);
    }

    /// <summary>Looks at one path that may have changed; false when only a look at all files tells what happened.</summary>
    public bool TryLook(string path)
    {
        bool known = false;
        foreach (string topic in options.Inputs.Select(i => i.Topic).Distinct())
        {
            if (book.At(path, topic) is TailedFile file
                && book.Stat(path) is FileStatus status
                && FileIdentity.Of(status) == file.Generation.Identity)
            {
                known = true;
                Check(file, status);
            }
        }
        // Other names in a busy directory are nobody's concern.
        return known || !(paths.Concerns(path) || book.Files.Any(f => f.Generation.Path == path));
    }

    /// <summary>The reader found other bytes before its position than it had read.</summary>
    public void Changed(TailedFile file) => births.Cut(file, CutFound.Running);

    private void Resume(Generation generation, InputOptions input, Dictionary<FileIdentity, string> present)
    {
        if (!present.TryGetValue(generation.Identity, out string? path))
        {
            if (generation.Phase != GenerationPhase.Finished)
            {
                logger.GoneUnread(generation.Path, generation.Read.Position);
                births.Enter(generation, GenerationPhase.Gone);
            }
            return;
        }
        if (path != generation.Path && generation.Phase == GenerationPhase.Live)
        {
            logger.Rotated(generation.Path, path);
            births.Enter(generation, GenerationPhase.Rotated);
        }
        generation.Path = path;
        TailedFile file = book.Add(generation, input);
        if (book.Stat(path) is FileStatus status && book.HandleOf(file) is IFile handle)
        {
            if (!FileProof.Holds(handle, generation.Head, generation.Read.Position, generation.ReadTail))
            {
                births.Cut(file, state.HostRestarted ? CutFound.AtBoot : CutFound.AtStart);
                return;
            }
            file.ChangedAt = Now;
            book.LetGo(file);
            Check(file, status);
        }
    }

    private InputOptions InputOf(Generation generation, InputOptions otherwise) =>
        options.Inputs.FirstOrDefault(i =>
            i.Topic == generation.Topic && i.Paths.SelectMany(GlobPattern.Parse).Any(p => p.IsMatch(generation.FirstPath))) ?? otherwise;

    private void Check(TailedFile file, in FileStatus status)
    {
        Generation generation = file.Generation;
        bool changed = status.Length != file.Size || status.ModifiedTime != file.ModifiedTime;
        if (changed)
        {
            file.ChangedAt = Now;
        }
        bool isCut = status.Length < generation.Read.Position
            || (changed && status.Length == generation.Read.Position && book.HandleOf(file) is IFile handle
                && !FileProof.HoldsBefore(handle, generation.Read.Position, generation.ReadTail));
        if (isCut)
        {
            births.Cut(file, CutFound.Running);
            return;
        }
        if (changed && status.Length <= file.Size)
        {
            // Cut behind the position, and perhaps written anew.
            file.ScannedUntil = 0;
        }
        (file.Size, file.ModifiedTime) = (status.Length, status.ModifiedTime);
        if (generation.Phase == GenerationPhase.Finished && file.Unread > 0)
        {
            births.Enter(generation, GenerationPhase.Rotated);
        }
        if (file.Unread > 0 && (file.ScannedUntil < file.Size || file.TakeRest))
        {
            Ready?.Invoke(file);
        }
    }

    private bool IsUnknown(string path, InputOptions input, in FileStatus status) =>
        book.With(FileIdentity.Of(status), input.Topic) is null && book.At(path, input.Topic) is null;

    private void Other(string path, InputOptions input, in FileStatus status)
    {
        if (book.With(FileIdentity.Of(status), input.Topic) is not TailedFile known)
        {
            bool firstStart = !state.Registry.InputsStarted.Contains(PathSet.KeyOf(input));
            births.Found(path, input, status, firstStart);
            if (book.At(path, input.Topic) is TailedFile begun)
            {
                begun.WasSeen = true;
                Check(begun, status);
                book.LetGo(begun);
            }
            return;
        }
        if (known.WasSeen)
        {
            // A second name of the same file.
            return;
        }
        known.WasSeen = true;
        if (book.At(path, input.Topic) is TailedFile displaced && displaced != known)
        {
            births.MarkRotated(displaced);
        }
        if (known.Generation.Path != path)
        {
            if (known.Generation.Phase == GenerationPhase.Live)
            {
                logger.Rotated(known.Generation.Path, path);
            }
            births.MarkRotated(known);
            book.Rename(known, path);
            state.IsDirty = true;
        }
        Check(known, status);
    }

    /// <summary>No path that is watched names it.</summary>
    private void Unseen(TailedFile file)
    {
        if (file.Generation.Phase == GenerationPhase.Finished)
        {
            return;
        }
        births.MarkRotated(file);
        IFile? handle = file.Handle ?? Search(file);
        if (handle is null)
        {
            if (file.Unread > 0)
            {
                logger.GoneUnread(file.Generation.Path, file.Generation.Read.Position);
            }
            births.End(file);
            return;
        }
        Check(file, handle.Status());
    }

    private IFile? Search(TailedFile file)
    {
        string directory = Path.GetDirectoryName(file.Generation.Path) ?? "/";
        foreach (DirectoryEntry entry in files.List(directory))
        {
            string path = Path.Combine(directory, entry.Name);
            if (!entry.IsDirectory && book.Stat(path) is FileStatus status && FileIdentity.Of(status) == file.Generation.Identity)
            {
                file.Generation.Path = path;
                return book.HandleOf(file);
            }
        }
        return null;
    }

    /// <summary>A rotated file that is quiet: its rest is taken as it is, then it is finished.</summary>
    private void Settle(TailedFile file)
    {
        Generation generation = file.Generation;
        if (file.Predecessor is { Generation.IsOver: true })
        {
            file.Predecessor = null;
        }
        if (generation.Phase != GenerationPhase.Rotated || Now - file.ChangedAt < (long)options.RotatedQuiet.TotalMilliseconds)
        {
            return;
        }
        if (file.Unread > 0)
        {
            file.TakeRest |= file.ScannedUntil >= file.Size;
            Ready?.Invoke(file);
        }
        else if (generation.Acked.Position == generation.Read.Position)
        {
            file.TakeRest = false;
            births.Enter(generation, GenerationPhase.Finished);
            file.Close();
        }
    }
}
