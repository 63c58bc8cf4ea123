using LogPipeline.Files;

namespace LogPipeline.Testing.Files;

/// <summary>
/// One process's view of a <see cref="MemoryDisk"/>. Hooks run before and after each call, outside locks: one that throws makes
/// the call fail (an IOException: the disk refused; anything else: the process died there). After <see cref="Kill"/> every call throws.
/// </summary>
public sealed class MemoryFileSystem(MemoryDisk disk) : IFileSystem
{
    private readonly List<MemoryContent> _open = [];
    private Func<Exception>? _death;

    public MemoryDisk Disk => disk;

    public Action<FileCall>? Before { get; set; }

    public Action<FileCall>? After { get; set; }

    /// <summary>Awaited by FlushAsync; null = a flush takes no time.</summary>
    public Func<FileCall, Task>? FlushDelay { get; set; }

    public bool IsAlive => _death is null;

    /// <summary>
    /// kill -9: locks and open files are let go, what was written stays. Every later call throws what <paramref name="death"/> makes.
    /// </summary>
    public void Kill(Func<Exception>? death = null)
    {
        lock (disk.Gate)
        {
            if (!IsAlive)
            {
                return;
            }
            _death = death ?? (static () => new ObjectDisposedException("the killed process's file system"));
            disk.UnlockAll(this);
            foreach (MemoryContent content in _open)
            {
                content.Handles--;
                disk.Release(content);
            }
            _open.Clear();
        }
    }

    public IFile Open(string path, FileOpenMode mode)
    {
        var call = new FileCall(FileOperation.Open, path);
        Enter(call);
        IFile file;
        lock (disk.Gate)
        {
            MemoryNode? node = disk.Find(path);
            if (node is MemoryDirectory || (node is not null && mode == FileOpenMode.CreateNew))
            {
                throw new IOException(node is MemoryDirectory ? $"{path} is a directory" : $"{path} is there already");
            }
            if (_open.Count >= HandlesMax)
            {
                throw new IOException($"{path}: too many open files", hresult: 24);
            }
            if (node is null && mode == FileOpenMode.Read)
            {
                throw new FileNotFoundException($"{path}: no such file", path);
            }
            if (node is null)
            {
                (MemoryDirectory directory, string name) = disk.Parent(path);
                node = disk.Create(directory, name, static (inode, birth) => new MemoryContent(inode, birth));
            }
            if (node.Kind == FileKind.Other)
            {
                throw new InvalidOperationException($"{path} is a pipe: who opens it waits for ever.");
            }
            node.Handles++;
            file = new MemoryFile(this, (MemoryContent)node, path, mode != FileOpenMode.Read);
            _open.Add((MemoryContent)node);
        }
        Leave(call);
        return file;
    }

    public bool FileExists(string path) => Ask(path) is { Kind: not FileKind.Directory };

    public bool DirectoryExists(string path) => Ask(path) is { Kind: FileKind.Directory };

    /// <summary>mkfifo(1).</summary>
    public void MakePipe(string path)
    {
        lock (disk.Gate)
        {
            (MemoryDirectory directory, string name) = disk.Parent(path);
            disk.Create(directory, name, static (inode, birth) => new MemoryContent(inode, birth, FileKind.Other));
        }
    }

    public void CreateDirectory(string path)
    {
        var call = new FileCall(FileOperation.CreateDirectory, path);
        Enter(call);
        lock (disk.Gate)
        {
            for (int end = path.IndexOf('/', 1); ; end = path.IndexOf('/', end + 1))
            {
                string part = end < 0 ? path : path[..end];
                if (disk.Find(part) is not MemoryDirectory)
                {
                    (MemoryDirectory directory, string name) = disk.Parent(part);
                    disk.Create(directory, name, static (inode, birth) => new MemoryDirectory(inode, birth));
                    disk.FlushNames(directory);
                }
                if (end < 0)
                {
                    break;
                }
            }
        }
        Leave(call);
    }

    public void MakeDirectory(string path)
    {
        var call = new FileCall(FileOperation.CreateDirectory, path);
        Enter(call);
        lock (disk.Gate)
        {
            if (disk.Find(path) is null)
            {
                (MemoryDirectory directory, string name) = disk.Parent(path);
                disk.Create(directory, name, static (inode, birth) => new MemoryDirectory(inode, birth));
            }
        }
        Leave(call);
    }

    public void Delete(string path)
    {
        var call = new FileCall(FileOperation.Delete, path);
        Enter(call);
        lock (disk.Gate)
        {
            if (disk.Find(path) is { } node)
            {
                if (node is MemoryDirectory)
                {
                    throw new IOException($"{path} is a directory");
                }
                (MemoryDirectory directory, string name) = disk.Parent(path);
                disk.Remove(directory, name);
            }
        }
        Leave(call);
    }

    public void DeleteDirectory(string path)
    {
        var call = new FileCall(FileOperation.DeleteDirectory, path);
        Enter(call);
        lock (disk.Gate)
        {
            if (disk.Find(path) is MemoryDirectory directory)
            {
                Empty(directory);
                (MemoryDirectory parent, string name) = disk.Parent(path);
                disk.Remove(parent, name);
            }
        }
        Leave(call);
    }

    public void Rename(string from, string to)
    {
        var call = new FileCall(FileOperation.Rename, from);
        Enter(call);
        lock (disk.Gate)
        {
            if (disk.Find(from) is null)
            {
                throw new FileNotFoundException($"{from}: no such file", from);
            }
            if (disk.Find(to) is MemoryDirectory)
            {
                throw new IOException($"rename {from}: {to} is a directory");
            }
            disk.Rename(disk.Parent(from), disk.Parent(to));
        }
        Leave(call);
    }

    public void FlushDirectory(string path)
    {
        var call = new FileCall(FileOperation.FlushDirectory, path);
        Enter(call);
        lock (disk.Gate)
        {
            disk.FlushNames(disk.Find(path) as MemoryDirectory ?? throw new FileNotFoundException($"{path}: no such directory", path));
        }
        Leave(call);
    }

    public void FlushAll(string path)
    {
        var call = new FileCall(FileOperation.FlushAll, path);
        Enter(call);
        lock (disk.Gate)
        {
            disk.FlushAll();
        }
        Leave(call);
    }

    public string? RealPath(string path) => Ask(path) is null ? null : disk.Links.TryGetValue(path, out string? target) ? target : path;

    public IReadOnlyList<DirectoryEntry> List(string path)
    {
        var call = new FileCall(FileOperation.List, path);
        Enter(call);
        var entries = new List<DirectoryEntry>();
        lock (disk.Gate)
        {
            if (disk.Find(path) is MemoryDirectory directory)
            {
                entries.AddRange(directory.SortedNames().Select(static entry => new DirectoryEntry(entry.Key, entry.Value is MemoryDirectory)));
                entries.AddRange(disk.Links.Keys.Where(link => Path.GetDirectoryName(link) == path)
                    .Select(static link => new DirectoryEntry(Path.GetFileName(link), IsDirectory: false, IsLink: true)));
            }
        }
        Leave(call);
        return entries;
    }

    public FileStatus? Stat(string path)
    {
        var call = new FileCall(FileOperation.Stat, path);
        Enter(call);
        FileStatus? status = Ask(path);
        Leave(call);
        return status;
    }

    public IDisposable Lock(string path)
    {
        var call = new FileCall(FileOperation.Lock, path);
        Enter(call);
        lock (disk.Gate)
        {
            if (!disk.TryLock(path, this))
            {
                throw new DirectoryLockedException(path, "another process");
            }
            if (disk.Find(path) is { } there)
            {
                there.ModifiedTime = disk.Now; // the real one writes the holder's process id
            }
            else
            {
                (MemoryDirectory directory, string name) = disk.Parent(path);
                disk.Create(directory, name, static (inode, birth) => new MemoryContent(inode, birth));
            }
        }
        Leave(call);
        return new HeldLock(this, path);
    }

    /// <summary>The file system that a path is said to be on; null for the disk's own.</summary>
    public Func<string, string?>? MountOf { get; set; }

    /// <summary>What <see cref="FreeHandles"/> says without a file open.</summary>
    public int HandlesMax { get; set; } = int.MaxValue;

    public int FreeHandles()
    {
        RequireAlive();
        lock (disk.Gate)
        {
            return Math.Max(0, HandlesMax - _open.Count);
        }
    }

    public long FreeBytes(string path)
    {
        RequireAlive();
        return Math.Max(0, disk.Capacity - disk.UsedBytes);
    }

    public long TotalBytes(string path)
    {
        RequireAlive();
        return disk.Capacity;
    }

    internal void RequireAlive()
    {
        if (_death is not null)
        {
            throw _death();
        }
    }

    internal void Enter(FileCall call)
    {
        RequireAlive();
        Before?.Invoke(call);
        RequireAlive();
    }

    internal void Leave(FileCall call)
    {
        After?.Invoke(call);
        RequireAlive();
    }

    /// <summary>One of this process's files is closed; the caller holds the disk's lock.</summary>
    internal void Closed(MemoryContent content)
    {
        _open.Remove(content);
        content.Handles--;
        disk.Release(content);
    }

    internal FileStatus StatusOf(MemoryNode node, string path)
    {
        lock (disk.Gate)
        {
            return new FileStatus(
                MountOf?.Invoke(path) ?? disk.Name,
                node.Inode,
                node.BirthTime,
                node is MemoryContent content ? content.Length : 0,
                node.ModifiedTime,
                node.Kind,
                (uint)node.Links);
        }
    }

    private FileStatus? Ask(string path)
    {
        RequireAlive();
        lock (disk.Gate)
        {
            return disk.Find(path) is not { } node ? null
                : StatusOf(node, path);
        }
    }

    private void Empty(MemoryDirectory directory)
    {
        foreach ((string name, MemoryNode node) in directory.SortedNames())
        {
            if (node is MemoryDirectory inner)
            {
                Empty(inner);
            }
            disk.Remove(directory, name);
        }
    }

    private sealed class HeldLock(MemoryFileSystem owner, string path) : IDisposable
    {
        private bool _released;

        public void Dispose()
        {
            if (!_released && owner.IsAlive)
            {
                lock (owner.Disk.Gate)
                {
                    owner.Disk.Unlock(path);
                }
            }
            _released = true;
        }
    }
}
