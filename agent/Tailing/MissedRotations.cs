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
    private readonly PathHistory _history = new(probe, table, handles, archives, state, generations);
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
        _history.Forget();
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
            (FileIdentity, string) key = (FileIdentity.Of(file.Status), last.Generation.Topic);
            if (!_begun.Contains(key) && OpenUnknown(file, last) is (OpenCopy found, long goOn))
            {
                _begun.Add(key);
                bool isMostLikelyLast = mayBeThere && ContentCheck.Holds(found.File, last.Generation);
                long begin = isMostLikelyLast ? last.Generation.Read.Position : goOn;
                TailedFile begun = births.Begin(last.Path, input, found.File, begin, GenerationPhase.Rotated, before);
                begun.Predecessor = before;
                table.Rename(begun, found.Path);
                handles.GiveBack(begun);
                if (isMostLikelyLast)
                {
                    mayBeThere = false;
                    logger.MayBeMissed(last.Path, begin, file.Path);
                }
                else if (begin > 0)
                {
                    logger.CutByCrash(found.Path, begin);
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

    /// <summary>
    /// Opens a file that the agent has not read yet, unpacked where it is compressed, and tells where to read it from; null when it was read, or cannot be.
    /// </summary>
    private (OpenCopy File, long Begin)? OpenUnknown(RotatedFile rotated, LastFile last)
    {
        if (Open(rotated, last) is not OpenCopy found)
        {
            return null;
        }
        if (_history.BeginOf(found, archives.IsCut(rotated.Path), last) is long begin)
        {
            return (found, begin);
        }
        found.File.Dispose();
        archives.Forget(found.Path);
        return null;
    }

    /// <summary>Opens a file that is not followed, unpacked where it is compressed; null when it is, or cannot be read.</summary>
    private OpenCopy? Open(RotatedFile rotated, LastFile last)
    {
        FileIdentity identity = FileIdentity.Of(rotated.Status);
        string topic = last.Generation.Topic;
        if (table.With(identity, topic) is not null || archives.IsGiven(identity, topic) || probe.Open(rotated.Path) is not IFile file)
        {
            return null;
        }
        if (!ContentCheck.BeginOf(file).IsCompressed)
        {
            return new OpenCopy(rotated.Path, file, identity);
        }
        file.Dispose();
        if (last.WasUp)
        {
            TellArchive(rotated.Path, last);
            return null;
        }
        OpenCopy? unpacked = archives.UnpackAll(rotated.Path, last.Generation);
        metrics.MissedFiles.Add(unpacked is null ? 1 : 0);
        return unpacked;
    }

    /// <summary>Files of the path that were cut and have grown again show only now, and what seems to be missed may be the copy that was made of one.</summary>
    private void CutOriginals(LastFile last)
    {
        foreach (TailedFile original in _history.FollowedOf(last))
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

    /// <summary>A file was compressed before it was looked at: tells that its lines are not read, unless it begins as one that was.</summary>
    private void TellArchive(string path, LastFile last)
    {
        if (!_history.Of(last).Any(read => archives.BeginsAs(path, read)))
        {
            metrics.MissedFiles.Add(1);
            logger.CompressedBetweenLooks(last.Path, path);
        }
    }

    private static long Nanoseconds(TimeSpan time) => time.Ticks * 100;
}
