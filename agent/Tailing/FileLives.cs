using LogPipeline.Agent.State;
using LogPipeline.Files;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Agent.Tailing;

/// <summary>
/// What becomes of files. A generation's road, each step durable with the registry's next save:
/// <code>
///   live      → rotated    its path names another file or none; its handle is kept
///   rotated   → live       the host crashed and its renaming is lost: its first path names it again
///   rotated   → finished   read to its end, acked and quiet
///   finished  → rotated    it has grown
///   finished, gone → live  it was away, and is found again as it was
///   any       → rotated    it is cut or gone, and goes on in a copy (see FileCopies)
///   any       → gone       it is cut or gone, and there is none
/// </code>
/// A file that is cut begins a generation at once: at the first byte that differs where a crash of the host cut it, else at 0.
/// </summary>
internal sealed class FileLives(
    FileBook book, FileBirths births, FileCopies copies, AgentState state, Generations generations, TimeProvider time,
    AgentMetrics metrics, ILogger logger)
{
    private Lazy<List<InflightEntry>>? _found;

    /// <summary>While files of the last run are found again: all that the last run read recently.</summary>
    public bool IsResuming
    {
        get => _found is not null;
        set => _found = value ? new Lazy<List<InflightEntry>>(() => [.. state.FoundWhole]) : null;
    }

    private bool HostCrashed => IsResuming && state.HostRestarted;

    /// <summary>A path names a file that is not followed.</summary>
    /// <param name="path">The path.</param>
    /// <param name="input">The input that wants it.</param>
    /// <param name="status">What was seen there.</param>
    /// <param name="displaced">The followed file that the path named before.</param>
    /// <param name="firstStart">Whether the input is new.</param>
    public void Found(string path, InputOptions input, in FileStatus status, TailedFile? displaced, bool firstStart)
    {
        using IFile? probe = book.Open(path);
        FileIdentity identity = FileIdentity.Of(status);
        if (probe is null || FileIdentity.Of(probe.Status()) != identity)
        {
            return;
        }
        if (displaced is not null)
        {
            MarkRotated(displaced);
        }
        // An original that was cut and has grown again shows only now, and the new file may be its copy, or one of what came since.
        foreach (TailedFile cut in copies.OriginalsOf(path, input.Topic).Where(o => book.HandleOf(o) is IFile handle && !FileProof.Holds(handle, o.Generation)))
        {
            Cut(cut);
        }
        if (book.With(identity, input.Topic) is not null)
        {
            return;
        }
        if (generations.LastOf(identity, input.Topic) is Generation last && IsStill(last, probe))
        {
            last.Path = path;
            Enter(last, GenerationPhase.Live);
            births.Follow(last, input).Predecessor = displaced;
        }
        else if (!copies.IsWaiting(probe, identity, path, input.Topic))
        {
            long begin = firstStart && input.ReadFrom == ReadFrom.End ? FileProof.LastLineEnd(probe, input.MaxLineBytes) : 0;
            births.Begin(path, input, probe, begin, GenerationPhase.Live).Predecessor = displaced;
        }
    }

    /// <summary>Whether a file that was away, as while its volume was not mounted, is what it was.</summary>
    private static bool IsStill(Generation last, IFile file) =>
        // Without a time of birth the inode may be another file's by now: then a whole fingerprint must prove it.
        last.Read.Position >= (last.Identity.BirthTime == 0 ? Fingerprint.LengthMax : 1) && FileProof.Holds(file, last);

    /// <summary>Whether a file that could not be compared at the start holds what was read of it.</summary>
    /// <exception cref="InvalidOperationException">It does not, and only a start knows what a crash of the host left.</exception>
    public bool Proves(TailedFile file)
    {
        if (book.HandleOf(file) is not IFile handle)
        {
            return false;
        }
        FileProof.HeadOf(handle); // throws while it cannot be read; a file that is too short is not read below
        bool holds = FileProof.Holds(handle, file.Generation);
        if (!holds && state.HostRestarted && file.Generation.Phase != GenerationPhase.Finished)
        {
            throw new InvalidOperationException(
                $"{file.Generation.Path} can be read again and does not hold what was read of it before the host's crash: a new start compares it.");
        }
        file.IsUnproved = false;
        NoteProved();
        return holds;
    }

    /// <summary>Names this boot once nothing is left to compare.</summary>
    public void NoteProved()
    {
        if (book.AreProved)
        {
            state.Compared();
        }
    }

    /// <summary>A followed file does not hold what was read of it.</summary>
    public void Cut(TailedFile file)
    {
        Generation generation = file.Generation;
        if (book.HandleOf(file) is not IFile handle)
        {
            Gone(file);
            return;
        }
        metrics.Truncations.Add(1);
        string path = generation.Path;
        GenerationPhase phase = generation.Phase == GenerationPhase.Live ? GenerationPhase.Live : GenerationPhase.Rotated;
        long position = generation.Read.Position;
        Lazy<List<InflightEntry>> kept = KeptOf(file);
        long? different = HostCrashed
            ? CrashCut.GoOnAt(generations.LivesOf(generation), handle, kept.Value, phase == GenerationPhase.Live) : null;
        OpenCopy? heir = copies.Resolve(file, kept, HostCrashed, different is null ? null : handle);
        if (different is long from)
        {
            logger.CutByCrash(path, from);
        }
        else
        {
            logger.Truncated(path, position, NoteOf(file, heir));
        }
        // The new generation reads the same open file, even where no path names it any more.
        file.Handle = null;
        if (heir is OpenCopy copy)
        {
            GoOnIn(copy, file);
        }
        else
        {
            generation.TruncatedBytes += different is null ? Math.Max(0, file.Size - position) : 0;
            End(file);
        }
        TailedFile next = births.Begin(path, file.Input, handle, different ?? 0, phase);
        next.Handle = handle;
        next.Predecessor = heir is null ? null : file;
        next.Size = handle.Length;
    }

    /// <summary>A followed file is nowhere to be found.</summary>
    public void Gone(TailedFile file)
    {
        string path = file.Generation.Path;
        long position = file.Generation.Read.Position;
        if (copies.Resolve(file, KeptOf(file), HostCrashed) is OpenCopy copy)
        {
            GoOnIn(copy, file);
            logger.Rotated(path, copy.Path);
            return;
        }
        if (IsResuming || file.Unread > 0)
        {
            logger.GoneUnread(path, position);
        }
        End(file);
    }

    /// <summary>A rotated file is read to its end, acked and quiet.</summary>
    public void Finish(TailedFile file)
    {
        bool isUnlinked = !file.WasSeen && book.HandleOf(file)?.Status() is null or { Links: 0 };
        // It ends here, and what waits as its copy is no more to wait.
        if (isUnlinked && copies.Resolve(file, KeptOf(file), HostCrashed) is OpenCopy copy)
        {
            GoOnIn(copy, file);
            return;
        }
        file.TakeRest = false;
        Enter(file.Generation, GenerationPhase.Finished);
        // A file that has a name, but not where it is looked for, can be watched by its handle alone.
        if (isUnlinked || book.NamedStatusOf(file) is not null || book.AreTooManyOpen)
        {
            file.Close();
        }
    }

    /// <summary>The file is no longer what its path names; it is read to its end.</summary>
    public void MarkRotated(TailedFile file)
    {
        if (file.Generation.Phase == GenerationPhase.Live)
        {
            book.HandleOf(file);
            Enter(file.Generation, GenerationPhase.Rotated);
            file.ChangedAt = time.GetTimestamp();
        }
        book.Unname(file);
    }

    public void Enter(Generation generation, GenerationPhase phase)
    {
        generation.Phase = phase;
        generation.PhaseSince = time.GetUtcNow().ToUnixTimeMilliseconds();
        state.IsDirty = true;
    }

    private void GoOnIn(in OpenCopy copy, TailedFile file)
    {
        // What the file was before it was cut, the copy was too.
        foreach (Generation life in generations.LivesOf(file.Generation).Where(life => life != file.Generation))
        {
            life.Identity = copy.Identity;
        }
        book.Move(file, copy.Identity, copy.Path, copy.File);
        file.Size = copy.File.Length;
        file.TakeRest = false;
        file.WasSeen = true;
        file.ChangedAt = time.GetTimestamp();
        Enter(file.Generation, GenerationPhase.Rotated);
    }

    /// <summary>Nothing more can be read of it.</summary>
    private void End(TailedFile file)
    {
        Enter(file.Generation, GenerationPhase.Gone);
        file.ScannedUntil = file.Size = file.Generation.Read.Position;
        book.Remove(file);
    }

    private Lazy<List<InflightEntry>> KeptOf(TailedFile file) => _found ?? new Lazy<List<InflightEntry>>(() => [.. file.Log?.Kept() ?? []]);

    private static string NoteOf(TailedFile file, OpenCopy? heir)
    {
        long unread = Math.Max(0, file.Size - file.Generation.Read.Position);
        return heir is OpenCopy copy ? $"the rest is read from its copy {copy.Path}"
            : unread == 0 ? "all that was seen of it is read" : $"{unread} bytes seen behind it are gone";
    }
}
