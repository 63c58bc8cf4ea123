using LogPipeline.Agent.State;
using LogPipeline.Files;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Agent.Tailing;

/// <summary>The disk as the tailer asks it. What it refuses is told once, counted, and asked for again at the next look.</summary>
internal sealed class FileProbe(IFileSystem files, AgentMetrics metrics, ILogger logger)
{
    private readonly SortedDictionary<string, string> _unreadable = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, string> _failing = new(StringComparer.Ordinal);
    private readonly Dictionary<string, IReadOnlyList<DirectoryEntry>> _listed = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Dictionary<FileIdentity, string>> _present = new(StringComparer.Ordinal);

    private readonly Dictionary<string, ListedDirectory> _resolved = new(StringComparer.Ordinal);

    /// <summary>What of the state directory is read as if it was not packed; null where nothing of it is read.</summary>
    public PackedFiles? Packed { private get; init; }

    /// <summary>Whether a path is that of a deleted file that is kept in the state directory.</summary>
    public bool IsPacked(string path) => Packed?.Holds(path) is true;

    /// <summary>A look begins: each directory is listed and resolved anew, once.</summary>
    public void BeginLook()
    {
        _listed.Clear();
        _resolved.Clear();
        _present.Clear();
    }

    /// <summary>The paths that the disk refuses, and its reasons.</summary>
    public IEnumerable<KeyValuePair<string, string>> Refused => _unreadable.Concat(_failing.Where(path => !_unreadable.ContainsKey(path.Key)));

    /// <summary>The reason why a path is refused; null when it is not.</summary>
    public string? RefusalOf(string path) => _unreadable.GetValueOrDefault(path) ?? _failing.GetValueOrDefault(path);

    /// <summary>Forgets refusals of paths that are gone.</summary>
    public void ForgetGone()
    {
        foreach (string path in Refused.Select(static refused => refused.Key).ToList())
        {
            if (IsMissing(path))
            {
                _unreadable.Remove(path);
                _failing.Remove(path);
            }
        }
    }

    /// <summary>Null when it is not there, is no regular file, or cannot be read.</summary>
    public IFile? Open(string path)
    {
        if (Stat(path) is not FileStatus { Kind: FileKind.Regular })
        {
            return null;
        }
        IFile? handle = IsPacked(path)
            ? Try(path, (_, path) => Packed!.Open(path)) : Try(path, static (files, path) => files.Open(path, FileOpenMode.Read));
        if (handle is not null)
        {
            _unreadable.Remove(path);
        }
        return handle;
    }

    /// <summary>The directory as this look found it; empty when it cannot be listed: then nothing is known of the files in it.</summary>
    public IReadOnlyList<DirectoryEntry> List(string directory)
    {
        if (_listed.TryGetValue(directory, out IReadOnlyList<DirectoryEntry>? known))
        {
            return known;
        }
        IReadOnlyList<DirectoryEntry>? entries = Try(directory, static (files, directory) => files.List(directory));
        if (entries is not null)
        {
            _unreadable.Remove(directory);
        }
        return _listed[directory] = entries ?? [];
    }

    /// <summary>Whether the directory of a path could not be listed when last looked at.</summary>
    public bool IsUnlisted(string path) => _unreadable.ContainsKey(DirectoryOf(path));

    public FileStatus? Stat(string path) =>
        IsPacked(path) ? Try(path, (_, path) => Packed!.Stat(path)) : Try(path, static (files, path) => files.Stat(path));

    /// <summary>The path with its links resolved; the path itself when that cannot be told.</summary>
    public string RealPath(string path)
    {
        string directory = DirectoryOf(path);
        if (!_listed.TryGetValue(directory, out IReadOnlyList<DirectoryEntry>? entries))
        {
            return Resolve(path);
        }
        if (!_resolved.TryGetValue(directory, out ListedDirectory? known))
        {
            HashSet<string> links = [.. entries.Where(static entry => entry.IsLink).Select(static entry => entry.Name)];
            _resolved[directory] = known = new ListedDirectory(Resolve(directory), links);
        }
        string name = Path.GetFileName(path);
        return known.Links.Contains(name) ? Resolve(path) : Path.Combine(known.RealPath, name);
    }

    private string Resolve(string path) => Try(path, static (files, path) => files.RealPath(path)) ?? path;

    /// <summary>Where a file is that a path named: beside that, or beside what the path's link leads to; null when it is not there.</summary>
    public string? Find(in FileIdentity identity, string path)
    {
        string directory = DirectoryOf(path);
        return Present(directory).GetValueOrDefault(identity)
            ?? (DirectoryOf(RealPath(path)) is string real && real != directory ? Present(real).GetValueOrDefault(identity) : null);
    }

    private Dictionary<FileIdentity, string> Present(string directory)
    {
        if (!_present.TryGetValue(directory, out Dictionary<FileIdentity, string>? present))
        {
            _present[directory] = present = [];
            foreach (DirectoryEntry entry in List(directory))
            {
                string path = Path.Combine(directory, entry.Name);
                if (!entry.IsDirectory && Stat(path) is FileStatus { Kind: FileKind.Regular } status)
                {
                    present.TryAdd(FileIdentity.Of(status), path);
                }
            }
        }
        return present;
    }

    public static string DirectoryOf(string path) => Path.GetDirectoryName(path) ?? "/";

    /// <summary>A file could not be read. It is tried again: nothing is known of it until then.</summary>
    public void Failed(string path, string reason)
    {
        bool isNew = !_failing.ContainsKey(path);
        _failing[path] = reason;
        if (isNew)
        {
            Say(path, reason);
        }
    }

    /// <summary>A file is not read as long as it has this path.</summary>
    public void Refuse(string path, string reason)
    {
        if (_failing.TryAdd(path, reason))
        {
            logger.Refused(path, reason);
            metrics.Unreadable.Add(1);
        }
    }

    /// <summary>What failed before was read.</summary>
    public void Succeeded(string path) => _failing.Remove(path);

    /// <summary>Asks the disk; the default where there is nothing, or the disk refuses, which is noted. The question captures nothing: it is asked for each file.</summary>
    private T? Try<T>(string path, Func<IFileSystem, string, T?> ask)
    {
        try
        {
            return ask(files, path);
        }
        catch (Exception missing) when (missing is FileNotFoundException or DirectoryNotFoundException)
        {
            return default;
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            bool isNew = !_unreadable.ContainsKey(path);
            _unreadable[path] = refused.Message;
            if (isNew)
            {
                Say(path, refused.Message);
            }
            return default;
        }
    }

    private bool IsMissing(string path)
    {
        try
        {
            return files.Stat(path) is null;
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            return refused is FileNotFoundException or DirectoryNotFoundException;
        }
    }

    private void Say(string path, string reason)
    {
        logger.Unreadable(path, reason);
        metrics.Unreadable.Add(1);
    }

    /// <summary>Where a directory leads to, and which names in it are links: the others need no question of their own.</summary>
    private sealed record ListedDirectory(string RealPath, HashSet<string> Links);
}
