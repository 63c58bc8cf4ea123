using LogPipeline.Agent.State;
using LogPipeline.Files;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Agent.Tailing;

/// <summary>
/// Takes the steps that become of files. A generation's phases, each change durable with the registry's next save:
/// <code>
///   live      → rotated    its path names another file or none; its handle is kept
///   rotated   → live       it is moved back: the host crashed and lost the renaming, or somebody undid it
///   rotated   → finished   read to its end, acked and quiet
///   finished  → rotated    it has grown
///   finished, gone → live  it was away, and is found again as it was
///   any       → rotated    it is cut or gone, and goes on in a copy (see FileCopies)
///   any       → gone       it is cut or gone, and there is none
/// </code>
/// A file that is cut begins a generation at once: at the first byte that differs where a crash of the host cut it, else at 0. A file that is
/// replaced by one that begins with all that was read of it goes on in that, in the phase that it has.
/// </summary>
internal sealed class FileLives(
    FileTable table, FileHandles handles, FileBirths births, FileCopies copies, Archives archives, PackedFiles packed, AgentState state, Generations generations,
    TimeProvider time, AgentMetrics metrics, ILogger logger)
{
    private Lazy<List<InflightEntry>>? _found;

    /// <summary>While files of the last run are found again: all that the last run read recently.</summary>
    public bool IsResuming
    {
        get => _found is not null;
        set => _found = value ? new Lazy<List<InflightEntry>>(() => [.. state.FoundWhole]) : null;
    }

    private bool HostCrashed => IsResuming && state.HostRestarted;

    /// <summary>Whether a file that could not be compared at the start holds what was read of it.</summary>
    /// <exception cref="InvalidOperationException">It does not, and only a start knows what a crash of the host left.</exception>
    public bool Proves(TailedFile file)
    {
        if (handles.Of(file) is not IFile handle)
        {
            return false;
        }
        ContentCheck.HeadOf(handle); // throws while it cannot be read; a file that is too short is not read below
        bool holds = ContentCheck.Holds(handle, file.Generation);
        if (!holds && state.HostRestarted && file.Generation.Phase != GenerationPhase.Finished)
        {
            throw new InvalidOperationException(
                $"{file.Generation.Path} can be read again and does not hold what was read of it before the host's crash: a new start compares it.");
        }
        file.Proved();
        table.Classify(file);
        NoteProved();
        return holds;
    }

    /// <summary>Names this boot once nothing is left to compare.</summary>
    public void NoteProved()
    {
        if (table.Unproved.Count == 0)
        {
            state.Compared();
        }
    }

    /// <summary>A followed file does not hold what was read of it.</summary>
    /// <returns>The archive that holds that, where a start finds one.</returns>
    /// <exception cref="UnpackRefusedException">The state directory's disk refuses what is in an archive: to be tried again.</exception>
    /// <exception cref="ArchiveGrowsException">An archive that may be its own is still being written: to be tried again.</exception>
    public Archived? Cut(TailedFile file)
    {
        Generation generation = file.Generation;
        if (handles.Of(file) is not IFile handle)
        {
            return Gone(file);
        }
        string path = generation.Path;
        GenerationPhase phase = generation.Phase == GenerationPhase.Live ? GenerationPhase.Live : GenerationPhase.Rotated;
        long position = generation.Read.Position;
        Lazy<List<InflightEntry>> kept = KeptOf(file);
        long? different = HostCrashed
            ? CrashCut.GoOnAt(generations.LivesOf(generation), handle, kept.Value, phase == GenerationPhase.Live) : null;
        OpenCopy? heir = copies.Resolve(file, kept, HostCrashed, different is null ? null : handle);
        Archived? archived = heir is null && different is null ? ArchiveOf(file) : null;
        heir ??= archived?.Rest;
        metrics.Truncations.Add(1);
        if (different is long from)
        {
            logger.CutByCrash(path, from);
        }
        else
        {
            logger.Truncated(path, position, NoteOf(file, heir, archived));
        }
        // The new generation reads the same open file, even where no path names it any more.
        handles.Take(file);
        if (heir is OpenCopy copy)
        {
            GoOnIn(copy, file);
        }
        else
        {
            long lost = different is null && archived is null ? Math.Max(0, file.Size - position) : 0;
            generations.Lost(generation, lost);
            metrics.LostBytes.Add(lost);
            End(file);
        }
        long size = handle.Length;
        string first = phase == GenerationPhase.Live || births.IsWanted(path, file.Input) ? path : generation.FirstPath;
        TailedFile next = births.Begin(first, file.Input, handle, different ?? 0, phase, file);
        if (first != path)
        {
            table.Rename(next, path);
        }
        next.Predecessor = heir is null ? null : file;
        next.Size = size;
        return archived;
    }

    /// <summary>A followed file is nowhere to be found.</summary>
    /// <returns>The archive that holds it, where a start finds one.</returns>
    public Archived? Gone(TailedFile file)
    {
        string path = file.Generation.Path;
        long position = file.Generation.Read.Position;
        if (copies.Resolve(file, KeptOf(file), HostCrashed) is OpenCopy copy)
        {
            GoOnIn(copy, file);
            logger.Rotated(path, copy.Path);
            return null;
        }
        if (IsResuming && packed.Find(file.Generation) is OpenCopy kept)
        {
            GoOnIn(kept, file);
            return null;
        }
        Archived? archived = ArchiveOf(file);
        if (archived?.Rest is OpenCopy rest)
        {
            GoOnIn(rest, file);
            logger.Unpacked(path, archived.Path, position);
            return archived;
        }
        if (archived is not null)
        {
            logger.Archived(path, archived.Path);
        }
        else if (file.Unread > 0)
        {
            metrics.LostBytes.Add(file.Unread);
            logger.GoneUnread(path, position, file.Unread);
        }
        else if (IsResuming && file.Input.Source is null && !archives.Holds(path) && !packed.Holds(path)) // the agent deletes its own once they are read
        {
            logger.GoneAway(path, position);
        }
        End(file);
        return archived;
    }

    /// <summary>The archive that holds what was read of a file, where a start looks for one.</summary>
    private Archived? ArchiveOf(TailedFile file)
    {
        Generation generation = file.Generation;
        if (!IsResuming || file.Input.Source is not null)
        {
            return null;
        }
        Lazy<List<InflightEntry>> kept = KeptOf(file);
        // One line may be any file's, but hardly that of the archive that is named for this one.
        return archives.Find(generation, (unpacked, archive) =>
            ContentCheck.Continues(
                unpacked, generation, () => CrashCut.IsSame(generations.LivesOf(generation), unpacked, kept.Value), linesMin: ArchiveStream.IsNamedFor(archive, generation.Path) ? 1 : 2)
            || (ContentCheck.BeginsAsSeen(unpacked, generation) && !IsOfAnother(unpacked, generation)));
    }

    /// <summary>Whether an earlier file of the path began alike, and the file holds what was read of that.</summary>
    private bool IsOfAnother(IFile unpacked, Generation generation) => generations.All.Any(other =>
        other.Read.Position >= generation.Seen.Length && other.Topic == generation.Topic && PathHistory.IsOf(other.FirstPath, generation.FirstPath)
        && ContentCheck.Holds(unpacked, other));

    /// <summary>A rotated file is read to its end, acked and quiet.</summary>
    /// <param name="file">The file.</param>
    /// <param name="isUnlinked">Whether no name is left of it.</param>
    /// <param name="isNamed">Whether it can be found again by a name.</param>
    public void Finish(TailedFile file, bool isUnlinked, bool isNamed)
    {
        // It ends here, and what waits as its copy is no more to wait.
        if (isUnlinked && copies.Resolve(file, KeptOf(file), HostCrashed) is OpenCopy copy)
        {
            GoOnIn(copy, file);
            return;
        }
        file.TakeRest = false;
        Enter(file, GenerationPhase.Finished);
        // A file that has a name, but not where it is looked for, can be watched by its handle alone.
        if (isUnlinked || isNamed)
        {
            handles.Close(file);
        }
        archives.Forget(file.Generation.Path);
        packed.Forget(file.Generation.Path);
    }

    /// <summary>Another path names a followed file.</summary>
    public void Rename(TailedFile file, string path)
    {
        if (TellRenamed(file.Generation, path))
        {
            file.TakeRest = false;
            Enter(file, GenerationPhase.Live);
        }
        else
        {
            MarkRotated(file);
        }
        table.Rename(file, path);
    }

    /// <summary>Another path names a generation that is not followed yet.</summary>
    public void Rename(Generation generation, string path)
    {
        if (TellRenamed(generation, path))
        {
            Enter(generation, GenerationPhase.Live);
        }
        else if (generation.Phase == GenerationPhase.Live)
        {
            Enter(generation, GenerationPhase.Rotated);
        }
        generation.Path = path;
    }

    /// <summary>Tells that a file has another name. True where it is the one that it had before it was rotated: then its writer goes on with it.</summary>
    private bool TellRenamed(Generation generation, string path)
    {
        bool isMovedBack = path == generation.FirstPath
            || (FileProbe.DirectoryOf(path) == FileProbe.DirectoryOf(generation.Path) && CopyNames.IsCopyOf(Path.GetFileName(generation.Path), Path.GetFileName(path)));
        if (isMovedBack)
        {
            logger.MovedBack(generation.Path, path);
        }
        else if (generation.Phase == GenerationPhase.Live)
        {
            logger.Rotated(generation.Path, path);
        }
        return isMovedBack;
    }

    /// <summary>The file is no longer what its path names; it is read to its end.</summary>
    public void MarkRotated(TailedFile file)
    {
        if (file.Generation.Phase == GenerationPhase.Live)
        {
            handles.Of(file);
            Enter(file, GenerationPhase.Rotated);
            file.ChangedAt = time.GetTimestamp();
        }
        table.Unname(file);
    }

    public void Enter(TailedFile file, GenerationPhase phase)
    {
        Enter(file.Generation, phase);
        table.Classify(file);
    }

    /// <summary>A generation that is not followed goes on, or is over.</summary>
    public void Enter(Generation generation, GenerationPhase phase)
    {
        generation.Phase = phase;
        generation.PhaseSince = time.GetUtcNow().ToUnixTimeMilliseconds();
    }

    /// <summary>A file took the place of a followed one, with all that was read of it: the generation goes on there.</summary>
    public void ContinueIn(IFile handle, TailedFile file)
    {
        logger.Replaced(file.Generation.Path, file.Generation.Read.Position);
        Move(file, FileIdentity.Of(handle.Status()), handle);
        file.Size = handle.Length;
        file.TakeRest = false;
        file.ChangedAt = time.GetTimestamp();
        Enter(file, GenerationPhase.Live);
        table.Rename(file, file.Generation.Path);
    }

    /// <summary>Its bytes go on in a copy of it.</summary>
    public void GoOnIn(in OpenCopy copy, TailedFile file)
    {
        Move(file, copy.Identity, copy.File);
        table.MovePath(file, copy.Path);
        file.Size = copy.File.Length;
        file.TakeRest = false;
        file.ChangedAt = time.GetTimestamp();
        Enter(file, GenerationPhase.Rotated);
        table.Rename(file, copy.Path);
    }

    /// <summary>Its bytes go on in another file. What the file was before, the other was too.</summary>
    private void Move(TailedFile file, FileIdentity identity, IFile handle)
    {
        table.Identify(file, identity, to => generations.Identify(file.Generation, to));
        handles.Give(file, handle);
        file.ForgetScan();
        file.SeenIn = table.Look;
    }

    /// <summary>Nothing more can be read of it.</summary>
    private void End(TailedFile file)
    {
        Enter(file, GenerationPhase.Gone);
        file.ScannedUntil = file.Size = file.Generation.Read.Position;
        table.Remove(file);
        handles.Close(file);
    }

    private Lazy<List<InflightEntry>> KeptOf(TailedFile file) => _found ?? new Lazy<List<InflightEntry>>(() => [.. file.Log?.Kept() ?? []]);

    private static string NoteOf(TailedFile file, OpenCopy? heir, Archived? archived)
    {
        long unread = Math.Max(0, file.Size - file.Generation.Read.Position);
        return archived is { Rest: null } ? $"all of it is in {archived.Path}, and was read before"
            : heir is OpenCopy copy ? $"the rest is read from its copy {archived?.Path ?? copy.Path}"
            : unread == 0 ? "all that was seen of it is read" : $"{unread} bytes seen behind it are gone";
    }
}
