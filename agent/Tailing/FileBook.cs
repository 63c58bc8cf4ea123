using LogPipeline.Agent.Framing;
using LogPipeline.Agent.State;
using LogPipeline.Files;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Agent.Tailing;

/// <summary>
/// The files that are followed, by path and by identity, and their handles. A handle on a rotated file is kept until its end is
/// acked; others are let go after use once there are too many.
/// </summary>
internal sealed class FileBook(IFileSystem files, AgentOptions options, AgentState state, AgentMetrics metrics, ILogger logger)
{
    private readonly List<TailedFile> _files = [];
    private readonly Dictionary<(FileIdentity Identity, string Topic), TailedFile> _byIdentity = [];
    private readonly Dictionary<(string Path, string Topic), TailedFile> _byPath = [];
    private readonly SortedSet<string> _unreadable = new(StringComparer.Ordinal);
    private readonly SortedSet<string> _failing = new(StringComparer.Ordinal);

    public IReadOnlyList<TailedFile> Files => _files;

    /// <summary>Whether all files that are not finished were compared with what the last run read of them.</summary>
    public bool AreProved => _files.All(f => !f.IsUnproved || f.Generation.Phase == GenerationPhase.Finished);

    public int OpenCount => _files.Count(f => f.Handle is not null);

    public TailedFile? At(string path, string topic) => _byPath.GetValueOrDefault((path, topic));

    public TailedFile? With(in FileIdentity identity, string topic) => _byIdentity.GetValueOrDefault((identity, topic));

    /// <summary>Follows a generation; its path names it unless it was rotated.</summary>
    public TailedFile Add(Generation generation, InputOptions input)
    {
        var headers = new LineHeaders(options.Host, generation.FirstPath, state.AgentId, generation.Id);
        var file = new TailedFile(generation, input, headers);
        _files.Add(file);
        _byIdentity[(generation.Identity, generation.Topic)] = file;
        if (generation.Phase == GenerationPhase.Live)
        {
            _byPath[(generation.Path, generation.Topic)] = file;
        }
        return file;
    }

    public void Rename(TailedFile file, string path)
    {
        Unname(file);
        file.Generation.Path = path;
        _byPath[(path, file.Generation.Topic)] = file;
    }

    /// <summary>Its path no longer names it.</summary>
    public void Unname(TailedFile file)
    {
        (string, string) key = (file.Generation.Path, file.Generation.Topic);
        if (_byPath.GetValueOrDefault(key) == file)
        {
            _byPath.Remove(key);
        }
    }

    /// <summary>Its bytes go on in another file, the copy that was made of it.</summary>
    public void Move(TailedFile file, in FileIdentity identity, string path, IFile handle)
    {
        Unname(file);
        _byIdentity.Remove((file.Generation.Identity, file.Generation.Topic));
        file.Close();
        file.Generation.Identity = identity;
        file.Handle = handle;
        file.ScannedUntil = 0;
        _byIdentity[(identity, file.Generation.Topic)] = file;
        Rename(file, path);
    }

    public void Remove(TailedFile file)
    {
        Unname(file);
        file.Close();
        _files.Remove(file);
        (FileIdentity, string) key = (file.Generation.Identity, file.Generation.Topic);
        if (_byIdentity.GetValueOrDefault(key) == file)
        {
            _byIdentity.Remove(key);
        }
    }

    /// <summary>The file's handle; null when it cannot be opened or its path names another file by now.</summary>
    public IFile? HandleOf(TailedFile file)
    {
        if (file.Handle is not null)
        {
            return file.Handle;
        }
        if (Open(file.Generation.Path) is not IFile handle)
        {
            return null;
        }
        bool isIts = false;
        try
        {
            isIts = FileIdentity.Of(handle.Status()) == file.Generation.Identity;
        }
        finally
        {
            if (!isIts)
            {
                handle.Dispose();
            }
        }
        return file.Handle = isIts ? handle : null;
    }

    /// <summary>What the file is now, by its handle or its name; null when it is not where it was last seen.</summary>
    public FileStatus? StatusOf(TailedFile file) => file.Handle is IFile handle ? handle.Status() : NamedStatusOf(file);

    /// <summary>
    /// What the file is now by its name, which is noted: the last one, or another in the same directory. Null when it has none there.
    /// </summary>
    public FileStatus? NamedStatusOf(TailedFile file)
    {
        Generation generation = file.Generation;
        string directory = Path.GetDirectoryName(generation.Path) ?? "/";
        IEnumerable<string> others = List(directory).Where(e => !e.IsDirectory).Select(e => Path.Combine(directory, e.Name));
        foreach (string path in others.Prepend(generation.Path))
        {
            if (Stat(path) is FileStatus status && FileIdentity.Of(status) == generation.Identity)
            {
                if (path != generation.Path)
                {
                    Unname(file);
                    generation.Path = path;
                    state.IsDirty = true;
                }
                return status;
            }
        }
        return null;
    }

    /// <summary>Whether more handles are held than may be on files that have nothing to read.</summary>
    public bool AreTooManyOpen => _files.Count > options.OpenFilesMax && OpenCount > options.OpenFilesMax;

    /// <summary>Lets the handle of a finished file go, and a live one's when too many are held.</summary>
    public void LetGo(TailedFile file)
    {
        if (file.Generation.Phase == GenerationPhase.Finished || (file.Generation.Phase == GenerationPhase.Live && AreTooManyOpen))
        {
            file.Close();
        }
    }

    /// <summary>Null when it is not there or cannot be read, which is said once.</summary>
    public IFile? Open(string path)
    {
        if (Stat(path) is not FileStatus { Kind: FileKind.Regular })
        {
            return null;
        }
        IFile? handle = Try(path, () => files.Open(path, FileOpenMode.Read));
        if (handle is not null)
        {
            _unreadable.Remove(path);
        }
        return handle;
    }

    /// <summary>Empty when the directory cannot be listed, which is said once: then nothing is known of the files in it.</summary>
    public IReadOnlyList<DirectoryEntry> List(string directory)
    {
        IReadOnlyList<DirectoryEntry>? entries = Try(directory, () => files.List(directory));
        if (entries is not null)
        {
            _unreadable.Remove(directory);
        }
        return entries ?? [];
    }

    /// <summary>Whether the directory of a path could not be listed when last looked at.</summary>
    public bool IsUnlisted(string path) => _unreadable.Contains(Path.GetDirectoryName(path) ?? "/");

    public FileStatus? Stat(string path)
    {
        FileStatus? status = null;
        Try<object>(path, () => status = files.Stat(path));
        return status;
    }

    /// <summary>An open file could not be read, which is said once. It is tried again: nothing is known of it until then.</summary>
    public void Failed(string path, string reason)
    {
        if (_failing.Add(path))
        {
            Say(path, reason);
        }
    }

    /// <summary>What failed before was read.</summary>
    public void Succeeded(string path) => _failing.Remove(path);

    private T? Try<T>(string path, Func<T?> ask)
        where T : class
    {
        try
        {
            return ask();
        }
        catch (Exception missing) when (missing is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            if (_unreadable.Add(path))
            {
                Say(path, refused.Message);
            }
            return null;
        }
    }

    private void Say(string path, string reason)
    {
        logger.Unreadable(path, reason);
        metrics.Unreadable.Add(1);
    }
}
