using LogPipeline.Agent.State;
using LogPipeline.Files;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Agent.Tailing;

/// <summary>
/// One look at all files by stat: what is new, renamed, cut, grown or gone. Stat is the truth; hints only make it look sooner.
/// What then becomes of a file is said in <see cref="FileLives"/>.
/// </summary>
internal sealed class FileSweep(
    PathSet paths, FileBook book, FileBirths births, FileLives lives, Generations generations, AgentState state,
    AgentOptions options, TimeProvider time, ILogger logger)
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

    private bool IsForgotten(Generation generation) => Now - generation.PhaseSince > ForgottenAfter;

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    public void Sweep()
    {
        _directories.Clear();
        List<(string Path, InputOptions Input)> found = paths.Look(book.List, _directories);
        foreach (TailedFile file in book.Files)
        {
            file.WasSeen = false;
        }
        List<Sighting> others = [];
        Each(found, static at => at.Path, at => Seen(at.Path, at.Input, others));
        // What is new comes last: it may be the copy of a file that has another name by now, or none.
        Each(others, static at => at.Path, Renamed);
        Each(book.Files.Where(f => !f.WasSeen).ToList(), static file => file.Generation.Path, Unseen);
        Each(others, static at => at.Path, New);
        Each(book.Files.ToList(), static file => file.Generation.Path, Settle);
        foreach (InputOptions input in options.Inputs)
        {
            births.HasBegun |= state.Registry.InputsStarted.Add(PathSet.KeyOf(input));
        }
        generations.Forget(g => g.IsOver && IsForgotten(g) && book.With(g.Identity, g.Topic)?.Generation != g);
    }

    /// <summary>One file that cannot be read now holds up no other.</summary>
    private void Each<T>(IReadOnlyList<T> all, Func<T, string> pathOf, Action<T> look)
    {
        foreach (T one in all)
        {
            string path = pathOf(one);
            try
            {
                look(one);
            }
            catch (IOException e)
            {
                book.Failed(path, e.Message);
            }
        }
    }

    private void Seen(string path, InputOptions input, List<Sighting> others)
    {
        if (book.Stat(path) is not FileStatus { Kind: not FileKind.Directory } status)
        {
            return;
        }
        if (status.Kind == FileKind.Other)
        {
            book.Failed(path, "it is no regular file");
            return;
        }
        TailedFile? current = book.At(path, input.Topic);
        if (current?.Generation.Identity == FileIdentity.Of(status))
        {
            current.WasSeen = true;
            Check(current, status);
        }
        else
        {
            others.Add(new Sighting(path, input, status, current));
        }
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
                Each([file], static f => f.Generation.Path, f => Check(f, status));
            }
        }
        // Other names in a busy directory are nobody's concern.
        return known || !(paths.Concerns(path) || book.Files.Any(f => f.Generation.Path == path));
    }

    /// <summary>The reader found other bytes before its position than it had read.</summary>
    public void Changed(TailedFile file) => lives.Cut(file);

    /// <summary>Holds what stat shows of a followed file against what was seen and read of it.</summary>
    public void Check(TailedFile file, in FileStatus status)
    {
        if (file.IsUnproved && !lives.Proves(file))
        {
            if (!file.IsUnproved)
            {
                lives.Cut(file);
            }
            return;
        }
        Generation generation = file.Generation;
        bool changed = status.Length != file.Size || status.ModifiedTime != file.ModifiedTime;
        if (changed)
        {
            file.ChangedAt = time.GetTimestamp();
        }
        bool isCut = status.Length < generation.Read.Position
            || (changed && status.Length == generation.Read.Position && book.HandleOf(file) is IFile handle
                && !FileProof.HoldsBefore(handle, generation.Read.Position, generation.ReadTail));
        if (isCut)
        {
            lives.Cut(file);
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
            lives.Enter(generation, GenerationPhase.Rotated);
        }
        if (file.Unread > 0 && (file.ScannedUntil < file.Size || file.TakeRest))
        {
            Ready?.Invoke(file);
        }
    }

    /// <summary>A followed file that another path names now.</summary>
    private void Renamed(Sighting sighting)
    {
        (string path, InputOptions input, FileStatus status, TailedFile? displaced) = sighting;
        // Seen: a second name of the same file.
        if (book.With(FileIdentity.Of(status), input.Topic) is not TailedFile { WasSeen: false } known)
        {
            return;
        }
        known.WasSeen = true;
        if (displaced is not null && displaced != known)
        {
            lives.MarkRotated(displaced);
        }
        if (known.Generation.Path != path)
        {
            if (known.Generation.Phase == GenerationPhase.Live)
            {
                logger.Rotated(known.Generation.Path, path);
            }
            lives.MarkRotated(known);
            book.Rename(known, path);
            state.IsDirty = true;
        }
        Check(known, status);
    }

    /// <summary>A file that is not followed.</summary>
    private void New(Sighting sighting)
    {
        (string path, InputOptions input, FileStatus status, TailedFile? displaced) = sighting;
        if (book.With(FileIdentity.Of(status), input.Topic) is not null)
        {
            return;
        }
        lives.Found(path, input, status, displaced, firstStart: !state.Registry.InputsStarted.Contains(PathSet.KeyOf(input)));
        if (book.With(FileIdentity.Of(status), input.Topic) is TailedFile begun)
        {
            Check(begun, status);
            book.LetGo(begun);
        }
        book.Succeeded(path);
    }

    /// <summary>No path that is watched names it.</summary>
    private void Unseen(TailedFile file)
    {
        if (book.IsUnlisted(file.Generation.Path))
        {
            return;
        }
        if (file.Generation.Phase == GenerationPhase.Finished)
        {
            LookBack(file);
            return;
        }
        lives.MarkRotated(file);
        if (book.StatusOf(file) is FileStatus status)
        {
            Check(file, status);
        }
        else
        {
            lives.Gone(file);
        }
    }

    /// <summary>A finished file: its application may write to it still, as nginx does until it is told to open its logs anew.</summary>
    private void LookBack(TailedFile file)
    {
        if (IsForgotten(file.Generation) || book.StatusOf(file) is not FileStatus { Links: > 0 } status)
        {
            book.Remove(file);
            return;
        }
        if (status.Length <= file.Generation.Read.Position || book.HandleOf(file) is not IFile handle)
        {
            return;
        }
        if (FileProof.Holds(handle, file.Generation))
        {
            Check(file, status);
        }
        else
        {
            // Written over under a name that nobody asked for.
            book.Remove(file);
        }
    }

    /// <summary>A rotated file that is quiet: its rest is taken as it is, then it is finished.</summary>
    private void Settle(TailedFile file)
    {
        Generation generation = file.Generation;
        if (file.Predecessor is { Generation.IsOver: true })
        {
            file.Predecessor = null;
        }
        if (generation.Phase != GenerationPhase.Rotated || time.GetElapsedTime(file.ChangedAt) < options.RotatedQuiet)
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
            lives.Finish(file);
        }
    }

    /// <summary>What a path names, where that is not the file it named before.</summary>
    private sealed record Sighting(string Path, InputOptions Input, FileStatus Status, TailedFile? Displaced);
}
