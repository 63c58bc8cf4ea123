using LogPipeline.Agent.State;
using LogPipeline.Files;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Agent.Tailing;

/// <summary>
/// Looks at files by stat, at all of them or at the paths that a hint named: what is new, renamed, cut, grown or gone. Stat is the truth; hints
/// only make it look sooner. <see cref="Reconciler"/> decides what becomes of a file, <see cref="FileLives"/> does it.
/// </summary>
internal sealed class Tailer(
    PathRules rules, FileProbe probe, FileTable table, FileHandles handles, FileLives lives, FileCopies copies, NewFiles news, PassingFiles passing,
    Generations generations, AgentState state, AgentOptions options, TimeProvider time, ILogger logger)
{
    private const long ForgottenAfter = 7L * 24 * 3600 * 1000;

    private readonly SortedSet<string> _directories = new(StringComparer.Ordinal);
    private readonly HashSet<string> _toldUnmatched = new(StringComparer.Ordinal);

    /// <summary>The directories that the last look at all files looked into, and those that links in them lead to.</summary>
    public IEnumerable<string> Directories => _directories.Concat(table.Links.Keys.Select(FileProbe.DirectoryOf));

    /// <summary>Called for a file that may have something to read.</summary>
    public Action<TailedFile>? Ready { get; set; }

    /// <summary>Called when the next look should not wait.</summary>
    public Action? Hurry { get; set; }

    /// <summary>Whether a rotated file or a copy waits for time to pass.</summary>
    public bool IsWaiting => table.Rotated.Count > 0 || copies.Waiting.Count > 0 || table.Unproved.Count > 0;

    /// <summary>Whether a file is held open that may have been quiet for long enough to be closed.</summary>
    public bool HasIdle => handles.HasIdle;

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Looks at everything that the configuration names.</summary>
    public void LookAtAll()
    {
        _directories.Clear();
        BeginLook();
        SortedSet<string> unmatched = new(StringComparer.Ordinal);
        List<(string Path, InputOptions Input)> found = rules.Find(probe, _directories, unmatched);
        TellUnmatched(unmatched);
        List<Sighting> others = [];
        Each(found, static at => at.Path, at => See(at.Path, at.Input, others));
        Reconcile(others, [.. table.Files.Where(file => !table.IsSeen(file))]);
        news.ForgetUnseen();
        LookAtWaiting();
        foreach (string key in rules.Keys)
        {
            state.Registry.Changes.NeedsSnapshot |= state.Registry.InputsStarted.Add(key);
        }
        probe.ForgetGone();
        generations.Forget(g => g.IsOver && IsForgotten(g) && table.With(g.Identity, g.Topic)?.Generation != g);
    }

    /// <summary>Tells, once each, which patterns name nothing: they may be meant otherwise.</summary>
    private void TellUnmatched(SortedSet<string> unmatched)
    {
        foreach (string path in unmatched.Where(_toldUnmatched.Add))
        {
            if (probe.Stat(path) is { Kind: FileKind.Directory })
            {
                logger.IsDirectory(path);
            }
            else
            {
                logger.Unmatched(path);
            }
        }
    }

    /// <summary>Looks at paths that may have changed; false when only a look at all files tells what happened.</summary>
    public bool TryLookAt(IReadOnlyCollection<string> paths)
    {
        bool isKnown = true;
        BeginLook();
        passing.Begin();
        List<Sighting> others = [];
        List<TailedFile> unnamed = [];
        foreach (string path in paths.Concat(paths.Select(path => table.Links.GetValueOrDefault(path)).OfType<string>()).Distinct())
        {
            FileStatus? status = probe.Stat(path);
            isKnown &= status is not { Kind: FileKind.Directory };
            foreach (string topic in rules.Topics)
            {
                TailedFile? current = table.At(path, topic);
                if (status is { Kind: FileKind.Regular } && (current?.Input ?? rules.InputOf(path, topic) ?? KnownBy(status.Value, topic)?.Input) is InputOptions wanting)
                {
                    Each([path], static p => p, p => See(p, wanting, others));
                }
                if (current is not null && !table.IsSeen(current))
                {
                    unnamed.Add(current);
                }
            }
        }
        others.RemoveAll(other => rules.InputOf(other.Path, other.Input.Topic) is null && KnownBy(other.Status, other.Input.Topic) is null);
        Reconcile(others, unnamed);
        passing.End();
        return isKnown;
    }

    /// <summary>What time alone decides: rotated files that are quiet, copies that have waited, files that could not be compared.</summary>
    public void Tick()
    {
        BeginLook();
        LookAtWaiting();
        Each([.. table.Rotated], static file => file.Generation.Path, LookAgain);
    }

    private void LookAtWaiting()
    {
        Each([.. copies.Waiting], static copy => copy.Path, news.LookAt);
        Each([.. table.Unproved.Where(file => !table.IsSeen(file))], static file => file.Generation.Path, LookAgain);
        handles.CloseIdle();
    }

    /// <summary>The reader found other bytes before its position than it had read.</summary>
    public void Changed(TailedFile file)
    {
        BeginLook();
        lives.Cut(file);
        Hurry?.Invoke();
    }

    private void BeginLook()
    {
        table.BeginLook();
        probe.BeginLook();
    }

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
        FileFacts facts = FactsOf(file, status.Length, status.Length != file.Size || status.ModifiedTime != file.ModifiedTime);
        FileStep step = Reconciler.OfFile(facts, () => HoldsTail(file));
        if (facts.IsChanged)
        {
            file.ChangedAt = time.GetTimestamp();
            table.Activate(file);
            if (file.WasUnknown || file.Generation.IsUnknown)
            {
                table.NoteFirst(file); // where no line of it was known, nothing tells that it was written, copied and cut meanwhile
            }
            if (step != FileStep.Cut && status.Length <= file.Size)
            {
                // Cut behind the position, and perhaps written anew.
                file.ForgetScan();
            }
        }
        if (step != FileStep.Cut)
        {
            NoteBegin(file);
            (file.Size, file.ModifiedTime) = (status.Length, status.ModifiedTime);
            file.WasUnknown = file.Generation.IsUnknown;
        }
        Take(step, file);
    }

    /// <summary>What was there at the look before and still waits to be read may wait for long, as while the broker is away: notes what the file begins with.</summary>
    private static void NoteBegin(TailedFile file)
    {
        Generation generation = file.Generation;
        int seen = (int)Math.Min(file.Size, Fingerprint.LengthMax);
        if (generation.Read.Position < seen && generation.Seen.Length < seen && file.Handle is IFile handle)
        {
            generation.Seen = ContentCheck.WrittenHeadOf(handle, seen);
        }
    }

    /// <summary>One of which nothing was read, and that waits for a handle, is not opened for this: its reader looks too.</summary>
    private bool HoldsTail(TailedFile file)
    {
        Generation generation = file.Generation;
        return generation.Read.Position == 0
            ? file.Handle is not IFile held || ContentCheck.BeginsWith(held, generation.Seen)
            : handles.Of(file) is not IFile handle || ContentCheck.HoldsBefore(handle, generation.Read.Position, generation.ReadTail);
    }

    private void Take(FileStep step, TailedFile file)
    {
        switch (step)
        {
            case FileStep.Cut:
                lives.Cut(file);
                break;
            case FileStep.Revive:
                lives.Enter(file, GenerationPhase.Rotated);
                ReadyIfUnscanned(file);
                break;
            case FileStep.Read:
                ReadyIfUnscanned(file);
                break;
            case FileStep.TakeRest:
                file.TakeRest = true;
                Ready?.Invoke(file);
                break;
            case FileStep.Finish:
                bool isNamed = handles.NamedStatusOf(file) is not null;
                lives.Finish(file, !isNamed && handles.Of(file)?.Status() is null or { Links: 0 }, isNamed);
                break;
            default:
                break;
        }
    }

    private void ReadyIfUnscanned(TailedFile file)
    {
        if (file.ScannedUntil < file.Size || file.TakeRest)
        {
            if (file.Handle is null && handles.Of(file) is not null)
            {
                handles.GiveBack(file); // which keeps it where there is room: it may be deleted before it can be read
            }
            Ready?.Invoke(file);
        }
    }

    private FileFacts FactsOf(TailedFile file, long length, bool isChanged) => new(
        file.Generation.Phase,
        file.Generation.Read.Position,
        file.Generation.Acked.Position,
        length,
        isChanged,
        time.GetElapsedTime(file.ChangedAt) >= options.RotatedQuiet,
        file.ScannedUntil >= length);

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
                probe.Failed(path, e.Message);
            }
        }
    }

    private void See(string path, InputOptions input, List<Sighting> others)
    {
        if (probe.Stat(path) is not FileStatus { Kind: not FileKind.Directory } status)
        {
            return;
        }
        if (status.Kind == FileKind.Other)
        {
            probe.Failed(path, "it is no regular file");
            return;
        }
        TailedFile? current = table.At(path, input.Topic);
        if (current?.Generation.Identity == FileIdentity.Of(status))
        {
            current.SeenIn = table.Look;
            Check(current, status);
        }
        else
        {
            others.Add(new Sighting(path, input, status, current));
        }
    }

    /// <summary>What is new comes last: it may be the copy of a file that has another name by now, or none.</summary>
    private void Reconcile(List<Sighting> others, List<TailedFile> unnamed)
    {
        Each(others, static at => at.Path, Renamed);
        Each(unnamed, static file => file.Generation.Path, Unseen);
        Each(others, static at => at.Path, news.See);
        Each([.. table.Rotated], static file => file.Generation.Path, Settle);
    }

    /// <summary>A followed file that another path names now.</summary>
    private void Renamed(Sighting sighting)
    {
        (string path, _, FileStatus status, TailedFile? displaced, _, _) = sighting;
        if (KnownBy(status, sighting.Input.Topic) is not TailedFile known || IsSecondName(known, path))
        {
            return;
        }
        known.SeenIn = table.Look;
        if (displaced is not null && displaced != known)
        {
            lives.MarkRotated(displaced);
        }
        if (known.Generation.Path != path)
        {
            probe.Succeeded(path);
            lives.Rename(known, path);
        }
        Check(known, status);
    }

    private bool IsSecondName(TailedFile known, string path) =>
        table.IsSeen(known) || (known.Generation.Path != path && table.At(known.Generation.Path, known.Generation.Topic) == known
            && probe.Stat(known.Generation.Path) is FileStatus there && FileIdentity.Of(there) == known.Generation.Identity);

    /// <summary>No path that is watched names it.</summary>
    private void Unseen(TailedFile file)
    {
        if (table.IsSeen(file) || !table.Holds(file) || probe.IsUnlisted(file.Generation.Path))
        {
            return;
        }
        if (file.Generation.Phase == GenerationPhase.Finished)
        {
            LookBack(file);
            return;
        }
        lives.MarkRotated(file);
        LookAgain(file);
    }

    private void LookAgain(TailedFile file)
    {
        if (handles.StatusOf(file) is FileStatus status)
        {
            Check(file, status);
            Settle(file);
        }
        else if (!file.IsUnproved)
        {
            lives.Gone(file);
        }
    }

    /// <summary>A finished file: its application may write to it still, as nginx does until it is told to open its logs anew.</summary>
    private void LookBack(TailedFile file)
    {
        if (IsForgotten(file.Generation) || handles.StatusOf(file) is not FileStatus { Links: > 0 } status)
        {
            handles.Close(file);
            table.Remove(file);
            return;
        }
        if (status.Length <= file.Generation.Read.Position || handles.Of(file) is not IFile handle)
        {
            return;
        }
        if (ContentCheck.Holds(handle, file.Generation))
        {
            Check(file, status);
        }
        else
        {
            // Written over under a name that nobody asked for.
            handles.Close(file);
            table.Remove(file);
        }
    }

    /// <summary>A rotated file that is quiet: its rest is taken as it is, then it is finished.</summary>
    private void Settle(TailedFile file)
    {
        if (!file.IsUnproved && table.Holds(file))
        {
            // What its writer reserved behind its last line is no rest.
            long length = file.NulUntil >= file.Size ? file.Generation.Read.Position : file.Size;
            FileStep step = Reconciler.OfRotated(FactsOf(file, length, isChanged: false));
            if (step is FileStep.TakeRest or FileStep.Finish && handles.StatusOf(file) is FileStatus status && status.Length != file.Size)
            {
                Check(file, status); // it has grown since it was looked at
                return;
            }
            Take(step, file);
        }
    }

    private TailedFile? KnownBy(in FileStatus status, string topic) => table.With(FileIdentity.Of(status), topic);

    /// <summary>What tells a later configuration which files of a path were rotated since this one does not want it stays as long as what is over.</summary>
    private bool IsForgotten(Generation generation) =>
        Now - Math.Max(generation.PhaseSince, generation.UnwantedSince / 1_000_000) > ForgottenAfter;
}
