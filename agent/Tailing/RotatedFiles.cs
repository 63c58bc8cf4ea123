using LogPipeline.Agent.State;
using LogPipeline.Files;

namespace LogPipeline.Agent.Tailing;

/// <summary>Files that lie under names of rotations: says by name and time which of them had a path later than a file that is known.</summary>
internal sealed class RotatedFiles(PathRules rules, FileProbe probe)
{
    /// <summary>The files of a directory that have names of rotations, by the names that they may have had: a look at all of them for each path would cost their square.</summary>
    private readonly Dictionary<string, ILookup<string, (string Path, RotationName Name)>> _rotated = new(StringComparer.Ordinal);

    /// <summary>Directories are listed anew.</summary>
    public void Forget() => _rotated.Clear();

    /// <summary>Whether files lie beside a path that may have been rotated from it. Costs less than to find them.</summary>
    public bool MayBeOf(string path)
    {
        string real = probe.RealPath(path);
        return Path.GetFileName(path) != Path.GetFileName(real) || RotatedIn(FileProbe.DirectoryOf(real)).Contains(Path.GetFileName(path));
    }

    /// <summary>The files beside a path's last file that were rotated later, the earliest first.</summary>
    /// <param name="last">The path's last file.</param>
    /// <param name="place">Where that lies now; null when it is gone: then all that was written since is later.</param>
    /// <param name="input">The path's.</param>
    public List<RotatedFile> LaterThan(LastFile last, string? place, InputOptions input)
    {
        string real = probe.RealPath(last.Path);
        string directory = FileProbe.DirectoryOf(place ?? real);
        string[] originals = [.. new[] { last.Path, real }.Select(static path => Path.GetFileName(path)).Distinct()];
        bool isMoved = place is not null && place != last.Path;
        RotationName? known = isMoved ? NameOf(Path.GetFileName(place!), originals) : null;
        // One of which nothing was read may have been cut before it was renamed, and what was seen of it come later: its copy has the earlier name.
        bool mayBeCut = isMoved && last.Generation.Read.Position == 0;
        // What came later was written after the last file was, also where somebody has set the clock back meanwhile.
        long since = isMoved && !last.WasUp && probe.Stat(place!) is FileStatus lies ? Math.Min(last.Since, lies.ModifiedTime) : last.Since;
        IEnumerable<(string Path, RotationName Name)> marked = isMoved && known is null ? [] // a name that tells no order
            : originals.SelectMany(original => RotatedIn(directory)[original]).Where(file => known is null || mayBeCut || file.Name.MayBeLaterThan(known));
        List<RotatedFile> later = [];
        foreach ((string path, RotationName name) in marked.Concat(TargetsOf(last.Path, real)).DistinctBy(static file => file.Path))
        {
            if ((ArchiveStream.IsNamedSo(path) || rules.InputOf(path, input.Topic) is null)
                && !IsBeingCompressed(path) && probe.Stat(path) is FileStatus { Kind: FileKind.Regular } status && status.ModifiedTime >= since
                && (status.BirthTime == 0 || status.BirthTime >= since || (name != RotationName.None && !last.WasUp)))
            {
                later.Add(new RotatedFile(path, name, status));
            }
        }
        return [.. later.OrderBy(static file => (file.Name, file.Status.ModifiedTime), Comparer<(RotationName, long)>.Create(RotationName.Compare))];
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

    private static RotationName? NameOf(string name, string[] originals) => originals.Select(original => RotationName.Of(name, original)).FirstOrDefault(static found => found is not null);
}

/// <summary>The last file that a path is known to have named.</summary>
/// <param name="Generation">The file.</param>
/// <param name="Path">The path.</param>
/// <param name="Since">Up to when the path was followed, in nanoseconds since 1970.</param>
/// <param name="WasUp">Whether the agent was up since then, so that it has seen all files that were made before.</param>
internal sealed record LastFile(Generation Generation, string Path, long Since, bool WasUp);

/// <summary>A file that lies under a name of rotations.</summary>
internal readonly record struct RotatedFile(string Path, RotationName Name, FileStatus Status);
