using LogPipeline.Agent.State;
using LogPipeline.Files;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Agent.Tailing;

/// <summary>
/// The open handles of followed files, at most <see cref="AgentOptions.OpenFilesMax"/> and half of what the process may have. A file
/// is held from the first sight until all of it is read, so that a deletion takes nothing away; one that is read and quiet gives its
/// handle back, so that its volume can be unmounted. At the bound those that are read close first; when none is, a new file waits
/// without a handle, which is told and counted: it is read in its turn, but lost if it is deleted before.
/// </summary>
internal sealed class FileHandles(IFileSystem files, FileProbe probe, FileTable table, AgentOptions options, TimeProvider time, ILogger logger)
{
    /// <summary>How many of the least recently used are looked at for one that can be closed.</summary>
    private const int ClosedAtOnce = 256;

    /// <summary>A file that is read and was not used for this long is closed.</summary>
    private static readonly TimeSpan IdleTime = TimeSpan.FromSeconds(30);

    private readonly int _most = Math.Max(1, Math.Min(options.OpenFilesMax, files.FreeHandles() / 2));
    private readonly LinkedList<Held> _byUse = new();
    private readonly Dictionary<TailedFile, LinkedListNode<Held>> _nodes = new(ReferenceEqualityComparer.Instance);
    private readonly HashSet<TailedFile> _refused = new(ReferenceEqualityComparer.Instance);

    private bool _isTold;

    /// <summary>Looks since the last file was read to its end that found none which could be closed: when it is all of them, there is none.</summary>
    private int _vainLooks;

    public int Count => _byUse.Count;

    /// <summary>Files with unread bytes that could not be given a handle when they were found.</summary>
    public int Waiting => _refused.Count;

    /// <summary>Whether a file is one of those.</summary>
    public bool IsWaiting(TailedFile file) => _refused.Contains(file);

    /// <summary>The file's handle, opened when it has none; null when it cannot be or its path names another file by now.</summary>
    public IFile? Of(TailedFile file)
    {
        if (file.Handle is null)
        {
            if (probe.Open(file.Generation.Path) is not IFile handle)
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
            if (!isIts)
            {
                return null;
            }
            Give(file, handle);
        }
        else
        {
            Used(file);
        }
        return file.Handle;
    }

    /// <summary>What the file is now, by its handle or its name; null when it is not where it was last seen.</summary>
    public FileStatus? StatusOf(TailedFile file) => file.Handle is IFile handle ? handle.Status() : NamedStatusOf(file);

    /// <summary>
    /// What the file is now by its name, which is noted: the last one, or another in the same directory or in that of the link's target. Null when
    /// it has none there.
    /// </summary>
    public FileStatus? NamedStatusOf(TailedFile file)
    {
        Generation generation = file.Generation;
        if (Named(generation.Path, generation) is FileStatus same)
        {
            return same;
        }
        if (probe.Find(generation.Identity, generation.Path) is not string path || Named(path, generation) is not FileStatus status)
        {
            return null;
        }
        table.MovePath(file, path);
        return status;
    }

    private FileStatus? Named(string path, Generation generation) =>
        probe.Stat(path) is FileStatus status && FileIdentity.Of(status) == generation.Identity ? status : null;

    /// <summary>Makes an open handle the file's own.</summary>
    public void Give(TailedFile file, IFile handle)
    {
        Close(file);
        file.Handle = handle;
        _nodes[file] = _byUse.AddLast(new Held(file, time.GetTimestamp()));
        _refused.Remove(file);
        if (Count > _most && _vainLooks < Count)
        {
            _vainLooks += CloseRead(static _ => true);
        }
    }

    /// <summary>
    /// Holds a file that was found just now, unless too many are held that have bytes to read. One that no path names is held in any case:
    /// its handle is all that is left of it.
    /// </summary>
    /// <param name="file">The file.</param>
    /// <param name="handle">The file, open; closed where it is not held.</param>
    public void Hold(TailedFile file, IFile handle)
    {
        Give(file, handle);
        if (file.Generation.Phase == GenerationPhase.Live)
        {
            GiveBack(file);
        }
    }

    /// <summary>Closes a file that a path names, and that has bytes to read, if too many are held: it waits until it is read in its turn.</summary>
    public void GiveBack(TailedFile file)
    {
        if (Count <= _most)
        {
            return;
        }
        Close(file);
        _refused.Add(file);
        if (!_isTold)
        {
            _isTold = true;
            logger.FilesWait(_most);
        }
    }

    /// <summary>Takes the handle away, open, for the generation that reads it on.</summary>
    public IFile? Take(TailedFile file)
    {
        IFile? handle = file.Handle;
        Forget(file);
        return handle;
    }

    public void Close(TailedFile file) => Take(file)?.Dispose();

    /// <summary>Called when a file was read to its end for now: a finished one needs no handle, nor one that a path names where too many are held.</summary>
    public void Rested(TailedFile file)
    {
        _vainLooks = 0;
        if (file.Generation.Phase == GenerationPhase.Finished || (Count > _most && (file.Generation.Phase == GenerationPhase.Live || NamedStatusOf(file) is not null)))
        {
            Close(file);
        }
    }

    /// <summary>Whether the one that was used least recently has been quiet for long.</summary>
    public bool HasIdle => _byUse.First is { } oldest && time.GetElapsedTime(oldest.Value.UsedAt) > IdleTime;

    /// <summary>Closes files that are read and have been quiet for long.</summary>
    public void CloseIdle() => CloseRead(held => time.GetElapsedTime(held.UsedAt) > IdleTime);

    /// <summary>Closes files that are read, of the least recently used; returns how many it looked at and did not close.</summary>
    private int CloseRead(Predicate<Held> which)
    {
        int kept = 0;
        for (int looks = Math.Min(ClosedAtOnce, _byUse.Count); looks > 0 && which(_byUse.First!.Value); looks--)
        {
            TailedFile file = _byUse.First!.Value.File;
            if (file is { IsAtEnd: true, IsUnproved: false, Generation.Phase: GenerationPhase.Live } && file.Unread <= 0)
            {
                Close(file);
            }
            else
            {
                Used(file);
                kept++;
            }
        }
        return kept;
    }

    private void Used(TailedFile file)
    {
        LinkedListNode<Held> node = _nodes[file];
        node.Value = new Held(file, time.GetTimestamp());
        _byUse.Remove(node);
        _byUse.AddLast(node);
    }

    private void Forget(TailedFile file)
    {
        file.Handle = null;
        _refused.Remove(file);
        if (_nodes.Remove(file, out LinkedListNode<Held>? node))
        {
            _byUse.Remove(node);
        }
    }

    private readonly record struct Held(TailedFile File, long UsedAt);
}
