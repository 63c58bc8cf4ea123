using System.Text;
using LogPipeline.Agent.Framing;
using LogPipeline.Agent.State;
using LogPipeline.Files;

namespace LogPipeline.Agent.Tailing;

/// <summary>
/// The files that are followed, by identity, path and name, and those of them that a look has something to do for: what a look costs then
/// grows with what changes, not with what is there. Files are listed in the order in which they came. Where inputs' topics are templates, a file is
/// found by the template of each input that gives it its topic, as well as by that topic.
/// </summary>
internal sealed class FileTable(PathRules rules, AgentOptions options, AgentState state)
{
    private readonly OrderedSet<TailedFile> _files = new();
    private readonly Dictionary<(FileIdentity Identity, string Topic), TailedFile> _byIdentity = [];
    private readonly Dictionary<(string Path, string Topic), TailedFile> _byPath = [];
    private readonly Dictionary<(string Name, string Topic), OrderedSet<TailedFile>> _byName = [];
    private readonly Dictionary<(Fingerprint Head, string Topic), OrderedSet<TailedFile>> _byHead = [];
    private readonly OrderedSet<TailedFile> _rotated = new();
    private readonly OrderedSet<TailedFile> _unattached = new();
    private readonly OrderedSet<TailedFile> _unproved = new();
    private readonly OrderedSet<TailedFile> _active = new();
    private readonly Dictionary<string, string> _links = new(StringComparer.Ordinal);
    private List<PathChange> _changes = [];
    private int? _followedCount;

    public IReadOnlyCollection<TailedFile> Files => _files;

    /// <summary>Files that are not over.</summary>
    public int FollowedCount => _followedCount ??= _files.Count(static file => !file.Generation.IsOver);

    /// <summary>The number of the look that is under way, or was last.</summary>
    public long Look { get; private set; }

    /// <summary>A look begins: what it does not see has no name where it looks.</summary>
    public void BeginLook() => Look++;

    /// <summary>Whether the look saw a name of the file.</summary>
    public bool IsSeen(TailedFile file) => file.SeenIn == Look;

    /// <summary>Files that no path names any more and that are not finished.</summary>
    public IReadOnlyCollection<TailedFile> Rotated => _rotated;

    /// <summary>Files that have no log yet.</summary>
    public IReadOnlyCollection<TailedFile> Unattached => _unattached;

    /// <summary>Files that could not be compared yet with what the last run read of them, finished ones left out.</summary>
    public IReadOnlyCollection<TailedFile> Unproved => _unproved;

    /// <summary>A file was found or has changed.</summary>
    public void Activate(TailedFile file) => _active.Add(file);

    /// <summary>The files that were found or have changed, as long as <paramref name="isActive"/> holds of them.</summary>
    public List<TailedFile> TakeActive(Predicate<TailedFile> isActive)
    {
        foreach (TailedFile file in _active)
        {
            if (!Holds(file) || !isActive(file))
            {
                _active.Remove(file);
            }
        }
        return [.. _active];
    }

    /// <summary>Real paths of files that are followed by a path with links in it, and that path.</summary>
    public IReadOnlyDictionary<string, string> Links => _links;

    /// <summary>Notes that a file's path leads by links to another one: what happens there is told under that name.</summary>
    public void Link(TailedFile file, string realPath)
    {
        if (realPath != file.Generation.Path)
        {
            file.RealPath = realPath;
            _links[realPath] = file.Generation.Path;
        }
    }

    public bool Holds(TailedFile file) => _files.Contains(file);

    public TailedFile? At(string path, string topic) => _byPath.GetValueOrDefault((path, topic));

    public TailedFile? With(in FileIdentity identity, string topic) => _byIdentity.GetValueOrDefault((identity, topic));

    /// <summary>Files that are not over, by the name that they have in their directory, or had at first.</summary>
    public IReadOnlyCollection<TailedFile> Named(string name, string topic) =>
        _byName.GetValueOrDefault((name, topic)) ?? (IReadOnlyCollection<TailedFile>)[];

    /// <summary>Files that are not over and whose first KiB was read, by that.</summary>
    public IReadOnlyCollection<TailedFile> WithHead(in Fingerprint head, string topic) =>
        _byHead.GetValueOrDefault((head, topic)) ?? (IReadOnlyCollection<TailedFile>)[];

    /// <summary>Follows a generation; its path names it unless it was rotated.</summary>
    public TailedFile Add(Generation generation, InputOptions input)
    {
        LineHeaders headers = HeadersOf(options, state.AgentId, generation, input);
        var file = new TailedFile(generation, input, headers, rules.TemplatesOf(generation, input)) { SeenIn = Look };
        if (input.Source is not null)
        {
            // The files of a spool are one stream.
            file.Predecessor = _files.LastOrDefault(other => other.Input == input && !other.Generation.IsOver);
        }
        _files.Add(file);
        Index(_byIdentity, generation.Identity, file);
        if (generation.Phase == GenerationPhase.Live)
        {
            Index(_byPath, generation.Path, file);
        }
        Classify(file);
        Activate(file);
        return file;
    }

    /// <summary>The headers of a generation's records.</summary>
    public static LineHeaders HeadersOf(AgentOptions options, Guid agentId, Generation generation, InputOptions input)
    {
        var headers = new LineHeaders(options.Host, PathText.Show(input.Source?.Name ?? generation.FirstPath), agentId, generation.Id);
        foreach ((string name, string value) in input.Labels)
        {
            headers = headers.With(Encoding.UTF8.GetBytes(name), Encoding.UTF8.GetBytes(value));
        }
        return headers;
    }

    /// <summary>Its phase has changed, its log is known, it is in doubt or proved, or its first KiB was read.</summary>
    public void Classify(TailedFile file)
    {
        _followedCount = null;
        Generation generation = file.Generation;
        bool isFollowed = _files.Contains(file);
        bool isOver = !isFollowed || generation.IsOver;
        Put(_rotated, file, isFollowed && generation.Phase == GenerationPhase.Rotated);
        Put(_unattached, file, !isOver && file.Log is null);
        Put(_unproved, file, isFollowed && file.IsUnproved && generation.Phase != GenerationPhase.Finished);
        PutUnder(_byName, Path.GetFileName(generation.Path), file, !isOver);
        PutUnder(_byName, Path.GetFileName(generation.FirstPath), file, !isOver);
        PutUnder(_byHead, generation.Head, file, !isOver && generation.Head.Length == Fingerprint.LengthMax);
    }

    public void Rename(TailedFile file, string path)
    {
        MovePath(file, path);
        Index(_byPath, path, file);
    }

    /// <summary>Notes where it was seen, though that path is not one of those looked for.</summary>
    public void MovePath(TailedFile file, string path)
    {
        Unname(file);
        Generation generation = file.Generation;
        PutUnder(_byName, Path.GetFileName(generation.Path), file, isIn: false);
        generation.Path = path;
        Classify(file);
    }

    /// <summary>Its path no longer names it.</summary>
    public void Unname(TailedFile file)
    {
        Generation generation = file.Generation;
        if (At(generation.Path, generation.Topic) == file)
        {
            _changes.Add(new PathChange(generation, generation.Path));
        }
        Unindex(_byPath, generation.Path, file);
    }

    /// <summary>A path may have named others before this file, the first that was seen.</summary>
    public void NoteFirst(TailedFile file) => _changes.Add(new PathChange(file.Generation, file.Generation.Path));

    /// <summary>What has changed since the last call.</summary>
    public List<PathChange> TakeChanges()
    {
        List<PathChange> changes = _changes;
        _changes = [];
        return changes;
    }

    /// <summary>Its bytes go on under another identity.</summary>
    public void Identify(TailedFile file, in FileIdentity identity, Action<FileIdentity> change)
    {
        Unindex(_byIdentity, file.Generation.Identity, file);
        change(identity);
        Index(_byIdentity, identity, file);
    }

    public void Remove(TailedFile file)
    {
        if (file.RealPath is string real && _links.GetValueOrDefault(real) == file.Generation.Path)
        {
            _links.Remove(real);
        }
        Unname(file);
        _files.Remove(file);
        Classify(file);
        Unindex(_byIdentity, file.Generation.Identity, file);
    }

    private static void Index<TKey>(Dictionary<(TKey, string Topic), TailedFile> index, TKey key, TailedFile file)
    {
        index[(key, file.Generation.Topic)] = file;
        foreach (string template in file.Templates)
        {
            index[(key, template)] = file;
        }
    }

    private static void Unindex<TKey>(Dictionary<(TKey, string Topic), TailedFile> index, TKey key, TailedFile file)
    {
        RemoveFrom(index, (key, file.Generation.Topic), file);
        foreach (string template in file.Templates)
        {
            RemoveFrom(index, (key, template), file);
        }
    }

    private static void RemoveFrom<TKey>(Dictionary<(TKey, string Topic), TailedFile> index, (TKey, string) key, TailedFile file)
    {
        if (index.GetValueOrDefault(key) == file)
        {
            index.Remove(key);
        }
    }

    private static void Put(OrderedSet<TailedFile> set, TailedFile file, bool isIn)
    {
        if (isIn)
        {
            set.Add(file);
        }
        else
        {
            set.Remove(file);
        }
    }

    private static void PutUnder<TKey>(Dictionary<(TKey, string Topic), OrderedSet<TailedFile>> index, TKey key, TailedFile file, bool isIn)
    {
        PutUnder(index, (key, file.Generation.Topic), file, isIn);
        foreach (string template in file.Templates)
        {
            PutUnder(index, (key, template), file, isIn);
        }
    }

    private static void PutUnder<TKey>(Dictionary<(TKey, string Topic), OrderedSet<TailedFile>> index, (TKey, string) key, TailedFile file, bool isIn)
    {
        if (!index.TryGetValue(key, out OrderedSet<TailedFile>? set))
        {
            if (!isIn)
            {
                return;
            }
            index[key] = set = new OrderedSet<TailedFile>();
        }
        Put(set, file, isIn);
        if (set.Count == 0)
        {
            index.Remove(key);
        }
    }
}

/// <summary>A path names another file than it did, or may have named one meanwhile.</summary>
/// <param name="Before">The file that it named before; where none is known, the one that it names.</param>
/// <param name="Path">The path.</param>
internal readonly record struct PathChange(Generation Before, string Path);
