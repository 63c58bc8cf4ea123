using LogPipeline.Agent.State;
using LogPipeline.Files;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Agent.Tailing;

/// <summary>
/// Files that were begun and rotated again while the agent was away, so that it never saw them under the name that it reads:
/// <code>
///   at the stop     access.log (A)
///   at the start    access.log (C)   access.log.1 (B)   access.log.2 (A)      B is read from its begin, between A and C
/// </code>
/// Where a path's last file lies now tells which names may have been rotated later. Such a file is taken for one that the path named if it was written
/// since, unless the agent knows it, or it holds just what was read of another.
/// </summary>
internal sealed class MissedRotations(
    PathRules rules, FileProbe probe, FileTable table, FileHandles handles, FileBirths births, Archives archives, AgentState state, Generations generations, AgentMetrics metrics, ILogger logger)
{
    private readonly List<LastFile> _last = [];
    private readonly HashSet<(FileIdentity File, string Topic)> _begun = []; // so that what is tried again begins no file twice

    /// <summary>The files of a directory that have names of rotations, by the names that they may have had: a look at all of them for each path would cost their square.</summary>
    private readonly Dictionary<string, ILookup<string, (string Path, RotationName Name)>> _rotated = new(StringComparer.Ordinal);

    private ILookup<(long Position, string Topic), Generation>? _readTo;

    /// <summary>A start begins to find files again: notes which was the last that each path named.</summary>
    public void Note()
    {
        foreach (Generation generation in generations.All)
        {
            if (generation.Phase != GenerationPhase.Gone && generations.LatestAt(generation.FirstPath, generation.Topic) == generation)
            {
                string path = generation.Phase == GenerationPhase.Live ? generation.Path : generation.FirstPath;
                _last.Add(new LastFile(generation, path, SinceOf(generation)));
            }
        }
    }

    /// <summary>Up to when a generation's path was followed, in nanoseconds since 1970: the agent was at work, and wanted it, or the file came later.</summary>
    public long SinceOf(Generation generation) =>
        generation.UnwantedSince > 0 ? generation.UnwantedSince : Math.Max(state.LastWritten, generation.PhaseSince * 1_000_000);

    /// <summary>The files are found again: begins what was missed.</summary>
    /// <param name="archived">The archives in which generations were found.</param>
    /// <exception cref="UnpackRefusedException">The state directory's disk refuses, as when it is full: to be tried again.</exception>
    /// <exception cref="ArchiveGrowsException">One of them is still being written: to be tried again.</exception>
    public void Begin(IReadOnlyDictionary<Generation, Archived> archived)
    {
        _rotated.Clear(); // what is tried again may find other names
        for (; _last.Count > 0; _last.RemoveAt(_last.Count - 1))
        {
            LastFile last = _last[^1];
            string? place = PlaceOf(last.Generation, archived.GetValueOrDefault(last.Generation));
            bool isSame = place == last.Path && last.Generation.Read.Position > 0; // of one that was cut before it was read nothing tells that
            if (!isSame && rules.InputOf(last.Generation) is { Source: null } input)
            {
                BeginLater(last, place, input);
            }
        }
        _begun.Clear();
        _readTo = null;
    }

    /// <summary>Where a generation's file lies, or its archive, as it is called now; null when it is nowhere.</summary>
    private string? PlaceOf(Generation generation, Archived? archived)
    {
        if (archived is null && generation.Phase == GenerationPhase.Gone)
        {
            return null;
        }
        (string path, FileIdentity identity) = archived is null ? (generation.Path, generation.Identity) : (archived.Path, archived.Identity);
        string directory = FileProbe.DirectoryOf(path);
        return IsAt(path) ? path : probe.List(directory).Select(entry => Path.Combine(directory, entry.Name)).FirstOrDefault(IsAt) ?? path;

        bool IsAt(string there) => probe.Stat(there) is FileStatus status && FileIdentity.Of(status) == identity;
    }

    private void BeginLater(LastFile last, string? place, InputOptions input)
    {
        // What was read of the path's last file may be too little to know it by. A file that begins with it is most likely that one.
        bool mayBeThere = place is null && last.Generation.Read.Position > 0;
        TailedFile? now = table.At(last.Path, last.Generation.Topic);
        // Where the last one was cut, its file is what the path names now: that comes after all that was missed.
        TailedFile? before = table.With(last.Generation.Identity, last.Generation.Topic) is TailedFile same && same != now ? same : null;
        foreach (RotatedFile file in LaterThan(last, place, input))
        {
            if (!_begun.Contains((FileIdentity.Of(file.Status), last.Generation.Topic)) && OpenUnknown(file, last) is OpenCopy found)
            {
                _begun.Add((FileIdentity.Of(file.Status), last.Generation.Topic));
                long begin = mayBeThere && ContentCheck.Holds(found.File, last.Generation) ? last.Generation.Read.Position : 0;
                TailedFile begun = births.Begin(last.Path, input, found.File, begin, GenerationPhase.Rotated, before);
                begun.Predecessor = before;
                table.Rename(begun, found.Path);
                handles.GiveBack(begun);
                if (begin > 0)
                {
                    mayBeThere = false;
                    logger.MayBeMissed(last.Path, begin, file.Path);
                }
                else
                {
                    logger.MissedRotation(last.Path, file.Path);
                }
                before = begun;
            }
        }
        if (before is not null && now is not null && now != before)
        {
            now.Predecessor = before;
        }
    }

    /// <summary>The files beside a path's last file that were rotated later, the earliest first.</summary>
    /// <param name="last">The path's last file.</param>
    /// <param name="place">Where that lies now; null when it is gone: then all that was written since is later.</param>
    /// <param name="input">The path's.</param>
    private IEnumerable<RotatedFile> LaterThan(LastFile last, string? place, InputOptions input)
    {
        string real = probe.RealPath(last.Path);
        string directory = FileProbe.DirectoryOf(place ?? real);
        string[] originals = [.. new[] { last.Path, real }.Select(static path => Path.GetFileName(path)).Distinct()];
        bool isMoved = place is not null && place != last.Path;
        RotationName? known = isMoved ? NameOf(Path.GetFileName(place!), originals) : null;
        // What came later was written after the last file was, also where somebody has set the clock back meanwhile.
        long since = isMoved && probe.Stat(place!) is FileStatus lies ? Math.Min(last.Since, lies.ModifiedTime) : last.Since;
        IEnumerable<(string Path, RotationName Name)> marked = isMoved && known is null ? [] // a name that tells no order
            : originals.SelectMany(original => RotatedIn(directory)[original]).Where(file => known is null || file.Name.MayBeLaterThan(known));
        List<RotatedFile> later = [];
        foreach ((string path, RotationName name) in marked.Concat(TargetsOf(last.Path, real)).DistinctBy(static file => file.Path))
        {
            if ((ArchiveStream.IsNamedSo(path) || rules.InputOf(path, input.Topic) is null)
                && !IsBeingCompressed(path) && probe.Stat(path) is FileStatus { Kind: FileKind.Regular } status && status.ModifiedTime >= since
                && (name != RotationName.None || status.BirthTime == 0 || status.BirthTime >= since))
            {
                later.Add(new RotatedFile(path, name, status));
            }
        }
        return later.OrderBy(static file => (file.Name, file.Status.ModifiedTime), Comparer<(RotationName, long)>.Create(RotationName.Compare));
    }

    /// <summary>
    /// The files to which a path that is a link may have led: those beside the one to which it leads now, with names that differ from that one's in digits alone,
    /// such as glog's <c>app.INFO</c>, a link to <c>app.host.user.log.INFO.20261128-101010.1234</c>.
    /// </summary>
    private IEnumerable<(string Path, RotationName Name)> TargetsOf(string path, string real)
    {
        string target = WithoutDigits(Path.GetFileName(real));
        string directory = FileProbe.DirectoryOf(real);
        return Path.GetFileName(path) == Path.GetFileName(real) ? []
            : probe.List(directory).Where(entry => !entry.IsDirectory && !entry.IsLink && WithoutDigits(entry.Name) == target)
                .Select(entry => (Path.Combine(directory, entry.Name), RotationName.None)).Where(file => file.Item1 != real);
    }

    private static string WithoutDigits(string name)
    {
        string plain = ArchiveStream.IsNamedSo(name) ? Path.GetFileNameWithoutExtension(name) : name;
        return string.Concat(plain.Where(static c => !char.IsAsciiDigit(c)));
    }

    /// <summary>Whether an archive's file is still there too: its compressor deletes it at the end, and until then the file is what is read.</summary>
    private bool IsBeingCompressed(string path) => ArchiveStream.IsNamedSo(path) && probe.Stat(Path.ChangeExtension(path, null)) is not null;

    private ILookup<string, (string Path, RotationName Name)> RotatedIn(string directory)
    {
        if (!_rotated.TryGetValue(directory, out ILookup<string, (string Path, RotationName Name)>? known))
        {
            _rotated[directory] = known = probe.List(directory).Where(static entry => !entry.IsDirectory)
                .SelectMany(static entry => RotationName.PartsOf(entry.Name), (entry, part) => (part.Original, Path: Path.Combine(directory, entry.Name), part.Mark))
                .ToLookup(static file => file.Original, static file => (file.Path, file.Mark));
        }
        return known;
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
            opened = archives.UnpackAll(rotated.Path, last.Generation);
            metrics.MissedFiles.Add(opened is null ? 1 : 0);
        }
        if (opened is OpenCopy found && (IsKnown(found, last) || (archives.IsCut(rotated.Path) && BeginsAsOneRead(found, last))))
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
        return (now is not null && ContentCheck.IsBeginOf(found.File, now))
            || (found.File.Length > 0 && _readTo[(found.File.Length, last.Generation.Topic)].Any(other => IsOfPath(other, last) && ContentCheck.Holds(found.File, other)));
    }

    /// <summary>Whether what is left of an archive that was cut begins as a file of the path that was read: most likely it is that, to where it was cut.</summary>
    private bool BeginsAsOneRead(OpenCopy found, LastFile last) =>
        generations.All.Any(read => read.Head.Length > 0 && read.Topic == last.Generation.Topic && IsOfPath(read, last) && ContentCheck.BeginsWith(found.File, read.Head));

    /// <summary>Whether a file had the path, or was first seen under a name that a rotation gives to the path's files.</summary>
    private static bool IsOfPath(Generation generation, LastFile last)
    {
        (string first, string path) = (generation.FirstPath, last.Generation.FirstPath);
        return first == path || (FileProbe.DirectoryOf(first) == FileProbe.DirectoryOf(path) && CopyNames.IsCopyOf(Path.GetFileName(first), Path.GetFileName(path)));
    }

    private static RotationName? NameOf(string name, string[] originals) => originals.Select(original => RotationName.Of(name, original)).FirstOrDefault(static found => found is not null);

    /// <summary>The last file that a path is known to have named.</summary>
    /// <param name="Generation">The file.</param>
    /// <param name="Path">The path.</param>
    /// <param name="Since">Up to when the path was followed, in nanoseconds since 1970.</param>
    private sealed record LastFile(Generation Generation, string Path, long Since);

    /// <summary>A file that lies under a name of rotations.</summary>
    private readonly record struct RotatedFile(string Path, RotationName Name, FileStatus Status);
}
