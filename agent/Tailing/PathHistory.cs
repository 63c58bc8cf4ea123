using LogPipeline.Agent.State;
using LogPipeline.Files;

namespace LogPipeline.Agent.Tailing;

/// <summary>
/// What the agent knows of the files that a path has had, and whether a file that was rotated is one of them: read to its end, followed, or a copy or an archive of
/// such a one, whole or in part. It is asked of many paths in a row, between two calls of <see cref="Forget"/>.
/// </summary>
internal sealed class PathHistory(FileProbe probe, FileTable table, FileHandles handles, Archives archives, AgentState state, Generations generations)
{
    /// <summary>All generations by path and topic: a walk through all of them for each path would cost their square.</summary>
    private ILookup<(string Path, string Topic), Generation>? _ofPath;
    private List<InflightEntry>? _kept; // what a start found of the last run

    public void Forget() => (_ofPath, _kept) = (null, null);

    /// <summary>The generations that had a path's name, or were first seen under one that a rotation gives to the path's files.</summary>
    public IEnumerable<Generation> Of(LastFile last)
    {
        _ofPath ??= generations.All.SelectMany(static known => NamesOf(known.FirstPath), static (known, path) => (path, known))
            .ToLookup(static named => (named.path, named.known.Topic), static named => named.known);
        return _ofPath[(last.Generation.FirstPath, last.Generation.Topic)];
    }

    /// <summary>The files of the path that are followed.</summary>
    public List<TailedFile> FollowedOf(LastFile last)
    {
        (string path, string topic) = (last.Generation.FirstPath, last.Generation.Topic);
        IEnumerable<TailedFile> rotated = Of(last).Where(static generation => !generation.IsOver)
            .Select(generation => table.With(generation.Identity, topic)).OfType<TailedFile>();
        // One that was just begun in the place of a file that was cut is not among all generations yet.
        return [.. table.Named(Path.GetFileName(path), topic).Union(rotated).Where(file => !file.IsUnproved && IsOf(file.Generation.FirstPath, path))];
    }

    /// <summary>Where a file that was rotated is to be read from; null when all of it was read, or will be under another name.</summary>
    /// <param name="found">The file, unpacked where it was compressed.</param>
    /// <param name="isCut">Whether it comes from an archive that was cut: it is most likely one that was read, to where that was cut.</param>
    /// <param name="last">The last file that the path is known to have named.</param>
    public long? BeginOf(OpenCopy found, bool isCut, LastFile last)
    {
        if (IsTheSame(found, last) || IsBeginOfPresent(found, last) || Of(last).Any(read => IsOf(read, found, isCut)) || IsCopyOfFollowed(found, last))
        {
            return null;
        }
        // Only a crash of the host lets something else follow than what was read.
        return GoOnInPart(found, last) is not long goOn ? 0 : goOn < found.File.Length && state.HostRestarted ? goOn : null;
    }

    /// <summary>Whether a file that was first seen under a name had a path's name then, or one that a rotation gives to the path's files.</summary>
    public static bool IsOf(string first, string path) => first == path
        || (first.Length > path.Length && FileProbe.DirectoryOf(first) == FileProbe.DirectoryOf(path) && CopyNames.IsCopyOf(Path.GetFileName(first), Path.GetFileName(path)));

    /// <summary>All paths of which <see cref="IsOf(string, string)"/> holds.</summary>
    private static IEnumerable<string> NamesOf(string path)
    {
        string directory = FileProbe.DirectoryOf(path);
        return CopyNames.OriginalsOf(Path.GetFileName(path)).Select(original => Path.Combine(directory, original)).Prepend(path);
    }

    /// <summary>Whether a file is one that was read as an earlier one of the path.</summary>
    private bool IsTheSame(OpenCopy found, LastFile last) =>
        generations.LastOf(found.Identity, last.Generation.Topic) is Generation same && (same.Identity.BirthTime != 0 || ContentCheck.Holds(found.File, same));

    /// <summary>Whether a file is what the path's file begins with, as copies do.</summary>
    private bool IsBeginOfPresent(OpenCopy found, LastFile last)
    {
        using IFile? now = probe.Open(last.Path);
        return now is not null && ContentCheck.IsBeginOf(found.File, now);
    }

    /// <summary>Whether the content of a file is that of a generation, as far as it was read.</summary>
    private bool IsOf(Generation read, OpenCopy found, bool isCut)
    {
        long length = found.File.Length;
        // Deleted, as by its compressor, while the state directory keeps its rest: that is read.
        bool isPacked = probe.IsPacked(read.Path)
            && (read.Read.Position > 0 ? ContentCheck.Holds(found.File, read) : read.Seen.Length > 0 && ContentCheck.BeginsWith(found.File, read.Seen));
        bool isWhole = length > 0 && length == read.Read.Position && ContentCheck.Holds(found.File, read);
        bool isBegin = isCut ? read.Head.Length > 0
            : !state.HostRestarted && length < read.Read.Position && read.Head.Length == Fingerprint.LengthMax;
        return isPacked || isWhole || (isBegin && ContentCheck.BeginsWith(found.File, read.Head));
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
        return Of(last).Where(static gone => gone.Phase == GenerationPhase.Gone && gone.Read.Position > 0)
            .Select(gone => CrashCut.GoOnInCopy([.. generations.LivesOf(gone).Where(life => life.Id <= gone.Id)], found.File, _kept, state.HostRestarted))
            .FirstOrDefault(goOn => goOn is long from && ContentCheck.HasLines(found.File, from, 2));
    }
}
