using LogPipeline.Agent.State;
using LogPipeline.Files;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Agent.Tailing;

/// <summary>
/// Files that were begun and rotated again while the agent was away, or between two of its looks, so that it never saw them under the name that it reads:
/// <code>
///   at the stop     access.log (A)
///   at the start    access.log (C)   access.log.1 (B)   access.log.2 (A)      B is read from its begin, between A and C
/// </code>
/// Where a path's last file lies now tells which names may have been rotated later. Such a file is taken for one that the path named if it was written
/// since, unless the agent knows it, or it holds just what was read of another.
/// </summary>
internal sealed class MissedRotations(
    PathRules rules, FileProbe probe, FileTable table, FileHandles handles, FileBirths births, FileLives lives, Archives archives, AgentState state, Generations generations,
    TimeProvider time, AgentMetrics metrics, ILogger logger)
{
    /// <summary>So much earlier than the last look a file may have been made that it did not show: network file systems show a directory as it was up to a minute ago.</summary>
    private static readonly TimeSpan Unseen = TimeSpan.FromMinutes(1);

    private readonly List<LastFile> _last = [];
    private readonly HashSet<(FileIdentity File, string Topic)> _begun = []; // so that what is tried again begins no file twice

    private readonly RotatedFiles _rotated = new(rules, probe);
    private ILookup<(long Position, string Topic), Generation>? _readTo;
    private ILookup<string, Generation>? _rotatedAtFirst; // by the names that they may have had before
    private List<InflightEntry>? _kept; // what a start found of the last run
    private (DateTimeOffset Utc, long Timestamp) _lookedAt;
    private long _startedAt;

    /// <summary>A start begins to find files again: notes which was the last that each path named.</summary>
    public void Note()
    {
        _startedAt = time.GetTimestamp();
        _lookedAt = (time.GetUtcNow(), _startedAt);
        foreach (Generation generation in generations.All)
        {
            if (generation.Phase != GenerationPhase.Gone && generations.LatestAt(generation.FirstPath, generation.Topic) == generation)
            {
                string path = generation.Phase == GenerationPhase.Live ? generation.Path : generation.FirstPath;
                _last.Add(new LastFile(generation, path, SinceOf(generation), WasUp: false));
            }
        }
    }

    /// <summary>
    /// Up to when a generation's path was followed, in nanoseconds since 1970: the agent was at work, and wanted it, or the file came later. That a file is rotated an agent
    /// notices with a look, which may be the last that it had time for.
    /// </summary>
    public long SinceOf(Generation generation)
    {
        long unseen = Nanoseconds(Unseen);
        long phaseSince = generation.PhaseSince * 1_000_000;
        return generation.UnwantedSince > 0 ? generation.UnwantedSince
            : state.WasStartKilled && phaseSince > state.FollowedUntil ? state.FollowedUntil - unseen // that start found it as it is
            : Math.Max(state.FollowedUntil - unseen, generation.Phase == GenerationPhase.Live ? phaseSince : phaseSince - unseen);
    }

    /// <summary>The files are found again: begins what was missed.</summary>
    /// <param name="archived">The archives in which generations were found.</param>
    /// <exception cref="UnpackRefusedException">The state directory's disk refuses, as when it is full: to be tried again.</exception>
    /// <exception cref="ArchiveGrowsException">One of them is still being written: to be tried again.</exception>
    public void Begin(IReadOnlyDictionary<Generation, Archived> archived)
    {
        _rotated.Forget(); // what is tried again may find other names
        for (; _last.Count > 0; _last.RemoveAt(_last.Count - 1))
        {
            Begin(_last[^1], archived.GetValueOrDefault(_last[^1].Generation));
        }
        Forget();
        table.TakeChanges(); // of this start itself
    }

    /// <summary>
    /// A look at all files is over: begins what no path shows any more, since it was begun and rotated after the look before, and no watch told of it. Of those that
    /// are compressed already it tells.
    /// </summary>
    /// <param name="begun">When the look began: a timestamp.</param>
    /// <param name="isWatched">Whether a watch told of all names since the look before: <see cref="PassingFiles"/> has begun those files then.</param>
    public void BeginBetweenLooks(long begun, bool isWatched)
    {
        // The wall clock may have been set back meanwhile, and files that were made before have its old times.
        DateTimeOffset now = time.GetUtcNow();
        DateTimeOffset looked = now - time.GetElapsedTime(_lookedAt.Timestamp);
        TimeSpan unseen = time.GetElapsedTime(_startedAt, _lookedAt.Timestamp) is TimeSpan up && up < Unseen ? up : Unseen; // what was there at the start it has found
        long since = Nanoseconds((looked < _lookedAt.Utc ? looked : _lookedAt.Utc) - DateTimeOffset.UnixEpoch - unseen) + 1; // the look has shown what was made in its moment
        _lookedAt = (now - time.GetElapsedTime(begun), begun);
        _rotated.Forget();
        foreach (PathChange change in table.TakeChanges().Where(change => !isWatched && (!IsFirst(change) || _rotated.MayBeOf(change.Path))))
        {
            try
            {
                Begin(new LastFile(change.Before, change.Path, since, WasUp: true), archived: null);
            }
            catch (IOException refused)
            {
                probe.Failed(change.Path, refused.Message);
            }
        }
        Forget();
    }

    /// <summary>Whether a change is of a file that its path still names, as all are that an agent's first look finds.</summary>
    private bool IsFirst(PathChange change) => table.At(change.Path, change.Before.Topic)?.Generation == change.Before;

    private void Forget()
    {
        _begun.Clear();
        _rotated.Forget();
        (_readTo, _rotatedAtFirst, _kept) = (null, null, null);
    }

    private void Begin(LastFile last, Archived? archived)
    {
        string? place = PlaceOf(last.Generation, archived);
        // Of one that was cut before it was read nothing tells that. Between two looks others may have come before the first file that a path was seen to name.
        bool isSame = place == last.Path && last.Generation.Read.Position > 0 && !last.WasUp;
        if (!isSame && rules.InputOf(last.Generation) is { Source: null } input && (!last.WasUp || births.IsWanted(last.Path, input)))
        {
            BeginLater(last, place, input);
        }
    }

    /// <summary>Where a generation's file lies, or its archive, as it is called now; null when it is nowhere.</summary>
    private string? PlaceOf(Generation generation, Archived? archived)
    {
        if (archived is null && (generation.Phase == GenerationPhase.Gone || IsInState(generation)))
        {
            return null;
        }
        (string path, FileIdentity identity) = archived is null ? (generation.Path, generation.Identity) : (archived.Path, archived.Identity);
        return probe.Stat(path) is FileStatus status && FileIdentity.Of(status) == identity ? path : probe.Find(identity, path);
    }

    /// <summary>Whether the state directory has a generation's file, or what is left of it, as of one that an earlier start unpacked: which names it had is not known.</summary>
    private bool IsInState(Generation generation) => probe.IsPacked(generation.Path) || archives.Holds(generation.Path);

    private void BeginLater(LastFile last, string? place, InputOptions input)
    {
        List<RotatedFile> later = _rotated.LaterThan(last, place, input);
        if (later.Count > 0 && last.WasUp)
        {
            CutOriginals(last);
        }
        // What was read of the path's last file may be too little to know it by. A file that begins with it is most likely that one.
        bool mayBeThere = place is null && last.Generation.Read.Position > 0 && !IsInState(last.Generation);
        TailedFile? now = table.At(last.Path, last.Generation.Topic);
        // Where the last one was cut, its file is what the path names now: that comes after all that was missed.
        TailedFile? before = table.With(last.Generation.Identity, last.Generation.Topic) is TailedFile same && same != now ? same : now?.Predecessor;
        TailedFile? first = before;
        foreach (RotatedFile file in later)
        {
            if (!_begun.Contains((FileIdentity.Of(file.Status), last.Generation.Topic)) && OpenUnknown(file, last) is OpenCopy found)
            {
                _begun.Add((FileIdentity.Of(file.Status), last.Generation.Topic));
                bool isMostLikelyLast = mayBeThere && ContentCheck.Holds(found.File, last.Generation);
                long begin = isMostLikelyLast ? last.Generation.Read.Position : GoOnInPart(found, last) ?? 0;
                TailedFile begun = births.Begin(last.Path, input, found.File, begin, GenerationPhase.Rotated, before);
                begun.Predecessor = before;
                table.Rename(begun, found.Path);
                handles.GiveBack(begun);
                if (begin > 0 && !isMostLikelyLast)
                {
                    logger.CutByCrash(found.Path, begin);
                }
                else if (begin > 0)
                {
                    mayBeThere = false;
                    logger.MayBeMissed(last.Path, begin, file.Path);
                }
                else
                {
                    logger.MissedRotation(last.Path, file.Path, last.WasUp ? "between two looks" : "while the agent was away");
                }
                before = begun;
            }
        }
        if (before is not null && now is not null && now != before && (before != first || !last.WasUp))
        {
            now.Predecessor = before;
        }
    }

    /// <summary>Opens a file that the agent has not read yet, unpacked where it is compressed; null when it has, or when the file cannot be read.</summary>
    private OpenCopy? OpenUnknown(RotatedFile rotated, LastFile last)
    {
        FileIdentity identity = FileIdentity.Of(rotated.Status);
        string topic = last.Generation.Topic;
        if (table.With(identity, topic) is not null || archives.IsGiven(identity, topic) || probe.Open(rotated.Path) is not IFile file)
        {
            return null;
        }
        OpenCopy? opened = new OpenCopy(rotated.Path, file, identity);
        if (ContentCheck.BeginOf(file).IsCompressed)
        {
            file.Dispose();
            if (last.WasUp)
            {
                TellArchive(rotated.Path, last);
                return null;
            }
            opened = archives.UnpackAll(rotated.Path, last.Generation);
            metrics.MissedFiles.Add(opened is null ? 1 : 0);
        }
        if (opened is OpenCopy found
            && (IsKnown(found, last) || (archives.IsCut(rotated.Path) && BeginsAsOneRead(found, last)) || IsReadPart(found, last)))
        {
            found.File.Dispose();
            archives.Forget(found.Path);
            return null;
        }
        return opened;
    }

    /// <summary>
    /// Whether a file was read as an earlier one of the path, or holds just what was read of one, by whatever name, or what the path's file begins with, as copies do.
    /// </summary>
    private bool IsKnown(OpenCopy found, LastFile last)
    {
        if (generations.LastOf(found.Identity, last.Generation.Topic) is Generation same && (same.Identity.BirthTime != 0 || ContentCheck.Holds(found.File, same)))
        {
            return true;
        }
        using IFile? now = probe.Open(last.Path);
        _readTo ??= generations.All.ToLookup(static generation => (generation.Read.Position, generation.Topic));
        return (now is not null && ContentCheck.IsBeginOf(found.File, now)) || IsCopyOfFollowed(found, last) || IsOfPacked(found, last)
            || (found.File.Length > 0 && _readTo[(found.File.Length, last.Generation.Topic)].Any(other => IsOfPath(other, last) && ContentCheck.Holds(found.File, other)));
    }

    /// <summary>
    /// Where to go on in an archive that holds less than was read of a file of the path that is gone, or something else from there on: of one that the host's
    /// crash cut before it was compressed, or of a copy that was made before the last lines were written and read. Null where no kept batch shows that.
    /// </summary>
    private long? GoOnInPart(OpenCopy found, LastFile last)
    {
        if (last.WasUp || !archives.Holds(found.Path))
        {
            return null;
        }
        _kept ??= [.. state.FoundWhole];
        return OfPath(last).Where(static gone => gone.Phase == GenerationPhase.Gone && gone.Read.Position > 0)
            .Select(gone => CrashCut.GoOnInCopy([.. generations.LivesOf(gone).Where(life => life.Id <= gone.Id)], found.File, _kept, state.HostRestarted))
            .FirstOrDefault(goOn => goOn is long from && ContentCheck.HasLines(found.File, from, 2));
    }

    /// <summary>Whether an archive holds a part of what was read and nothing else; only a crash of the host lets something else follow.</summary>
    private bool IsReadPart(OpenCopy found, LastFile last) =>
        GoOnInPart(found, last) is long goOn ? goOn == found.File.Length || !state.HostRestarted : !state.HostRestarted && IsPartOfRead(found, last);

    /// <summary>Whether a file is shorter than what was read of one of the path, and begins with its whole first KiB.</summary>
    private bool IsPartOfRead(OpenCopy found, LastFile last) => OfPath(last).Any(read =>
        found.File.Length < read.Read.Position && read.Head.Length == Fingerprint.LengthMax && ContentCheck.BeginsWith(found.File, read.Head));

    /// <summary>Files of the path that were cut and have grown again show only now, and what seems to be missed may be the copy that was made of one.</summary>
    private void CutOriginals(LastFile last)
    {
        foreach (TailedFile original in FollowedOf(last))
        {
            if (handles.Of(original) is IFile handle && !ContentCheck.Holds(handle, original.Generation))
            {
                lives.Cut(original);
            }
            else
            {
                handles.GiveBack(original);
            }
        }
    }

    /// <summary>Whether a file is what one that is followed begins with, and that is not read to its end yet.</summary>
    private bool IsCopyOfFollowed(OpenCopy found, LastFile last)
    {
        foreach (TailedFile original in FollowedOf(last).Where(static file => file.Unread > 0))
        {
            bool isCopy = handles.Of(original) is IFile handle && ContentCheck.IsBeginOf(found.File, handle);
            handles.GiveBack(original);
            if (isCopy)
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>Whether a file is one of the path that was deleted, as by its compressor, and whose rest the state directory keeps.</summary>
    private bool IsOfPacked(OpenCopy found, LastFile last) => OfPath(last).Any(kept =>
        probe.IsPacked(kept.Path)
        && (kept.Read.Position > 0 ? ContentCheck.Holds(found.File, kept) : kept.Seen.Length > 0 && ContentCheck.BeginsWith(found.File, kept.Seen)));

    /// <summary>The files of the path that are followed, also those that were first seen under a name that a rotation gave them.</summary>
    private List<TailedFile> FollowedOf(LastFile last)
    {
        string name = Path.GetFileName(last.Generation.FirstPath);
        _rotatedAtFirst ??= generations.All.Where(static generation => !generation.IsOver)
            .SelectMany(static generation => CopyNames.OriginalsOf(Path.GetFileName(generation.FirstPath)), static (generation, original) => (original, generation))
            .ToLookup(static rotated => rotated.original, static rotated => rotated.generation);
        IEnumerable<TailedFile> rotated = _rotatedAtFirst[name].Select(generation => table.With(generation.Identity, last.Generation.Topic)).OfType<TailedFile>();
        return [.. table.Named(name, last.Generation.Topic).Union(rotated).Where(file => !file.IsUnproved && IsOfPath(file.Generation, last))];
    }

    /// <summary>A file was compressed before it was looked at: tells that its lines are not read, unless it begins as one that was.</summary>
    private void TellArchive(string path, LastFile last)
    {
        if (!OfPath(last).Any(read => archives.BeginsAs(path, read)))
        {
            metrics.MissedFiles.Add(1);
            logger.CompressedBetweenLooks(last.Path, path);
        }
    }

    private static long Nanoseconds(TimeSpan time) => time.Ticks * 100;

    /// <summary>Whether what is left of an archive that was cut begins as a file of the path that was read: most likely it is that, to where it was cut.</summary>
    private bool BeginsAsOneRead(OpenCopy found, LastFile last) =>
        OfPath(last).Any(read => read.Head.Length > 0 && ContentCheck.BeginsWith(found.File, read.Head));

    /// <summary>All that the agent knows of the path's files.</summary>
    private IEnumerable<Generation> OfPath(LastFile last) => generations.All.Where(known => known.Topic == last.Generation.Topic && IsOfPath(known, last));

    /// <summary>Whether a file had the path, or was first seen under a name that a rotation gives to the path's files.</summary>
    private static bool IsOfPath(Generation generation, LastFile last)
    {
        (string first, string path) = (generation.FirstPath, last.Generation.FirstPath);
        return first == path || (FileProbe.DirectoryOf(first) == FileProbe.DirectoryOf(path) && CopyNames.IsCopyOf(Path.GetFileName(first), Path.GetFileName(path)));
    }
}
