namespace LogPipeline.Testing.Files;

/// <summary>
/// A disk in memory that forgets what was not flushed when its power fails. Processes use it through a
/// <see cref="MemoryFileSystem"/> each. The lock guards the whole tree. What happens depends only on the calls and on the
/// <see cref="Random"/> given.
/// </summary>
public sealed class MemoryDisk
{
    // A change of names that reaches the disk whole or not at all; a rename changes two.
    private readonly record struct NameChange(MemoryDirectory Directory, string Name, MemoryNode? Node, NameChangeRest? Rest);

    private sealed record NameChangeRest(MemoryDirectory Directory, string Name, MemoryNode? Node);

    private readonly TimeProvider _time;
    private readonly List<NameChange> _pending = [];
    private readonly SortedSet<ulong> _freeInodes = [];
    private readonly Dictionary<string, MemoryFileSystem> _locks = new(StringComparer.Ordinal);
    private readonly MemoryDirectory _root = new(2, 0);
    private ulong _nextInode = 12;

    /// <param name="time">For birth and modification times.</param>
    /// <param name="name">Identity of the file system in <see cref="LogPipeline.Files.FileStatus.FileSystem"/>.</param>
    public MemoryDisk(TimeProvider time, string name = "memory")
    {
        _time = time;
        Name = name;
        _root.Links = 1;
    }

    public string Name { get; set; }

    /// <summary>Bytes that files may hold together; may shrink below what they hold, then nothing grows.</summary>
    public long Capacity { get; set; } = long.MaxValue;

    /// <summary>Bytes that files hold.</summary>
    public long UsedBytes { get; internal set; }

    /// <summary>Symbolic links to files, and the absolute paths that they lead to; what these name need not be there. They are changed here, and are durable.</summary>
    public IDictionary<string, string> Links { get; } = new SortedDictionary<string, string>(StringComparer.Ordinal);

    internal Lock Gate { get; } = new();

    internal long Now => (_time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks * 100;

    /// <summary>
    /// Power fails and comes back. Of bytes and names that were not flushed any part may be gone. Kill the processes that use the
    /// disk first: their open files point nowhere afterwards.
    /// </summary>
    public void LosePower(Random random)
    {
        ArgumentNullException.ThrowIfNull(random);
        lock (Gate)
        {
            int certain = random.Next(3) == 0 ? random.Next(_pending.Count + 1) : 0;
            bool[] isKept = [.. _pending.Select((_, i) => i < certain || random.Next(2) == 0)];
            KeepNames(isKept);
            isKept.AsSpan(0, DeletionsBeforeReuse()).Fill(true);
            KeepNames(isKept);
            _pending.Clear();
            _locks.Clear();
            UsedBytes = 0;
            var taken = new HashSet<ulong>();
            Restore(_root, random, taken);
            _freeInodes.Clear();
            for (ulong i = 12; i < _nextInode; i++)
            {
                if (!taken.Contains(i))
                {
                    _freeInodes.Add(i);
                }
            }
        }
    }

    /// <summary>Flips bits of a file, as a failing disk does.</summary>
    public void Corrupt(string path, long position, byte mask)
    {
        lock (Gate)
        {
            ((MemoryContent)Find(path)!).Corrupt(position, mask);
        }
    }

    /// <summary>Gives a file another time of its last write, as gzip does with what it makes.</summary>
    /// <param name="path">The file.</param>
    /// <param name="modifiedTime">Nanoseconds since 1970.</param>
    public void SetModifiedTime(string path, long modifiedTime)
    {
        lock (Gate)
        {
            Find(path)!.ModifiedTime = modifiedTime;
        }
    }

    /// <summary>A second disk with the same content as processes see it now, all of it durable: a copied machine or a backup.</summary>
    public MemoryDisk Copy(TimeProvider time, string name)
    {
        lock (Gate)
        {
            var copy = new MemoryDisk(time, name) { _nextInode = _nextInode, UsedBytes = UsedBytes };
            copy._freeInodes.UnionWith(_freeInodes);
            CopyNames(_root, copy._root);
            return copy;
        }
    }

    /// <summary>The node at a path; null when a name on the way is missing.</summary>
    internal MemoryNode? Find(ReadOnlySpan<char> path)
    {
        MemoryNode node = _root;
        path = Links.Count > 0 && Links.TryGetValue(path.ToString(), out string? target) ? target : path;
        foreach (Range part in path.Split('/'))
        {
            ReadOnlySpan<char> name = path[part];
            if (name.IsEmpty || name is ".")
            {
                continue;
            }
            if (node is not MemoryDirectory directory ||
                !directory.Names.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(name, out node!))
            {
                return null;
            }
        }
        return node;
    }

    /// <summary>The directory that holds a path's last name.</summary>
    internal (MemoryDirectory Directory, string Name) Parent(string path)
    {
        string trimmed = path.TrimEnd('/');
        int slash = trimmed.LastIndexOf('/');
        return Find(trimmed.AsSpan(0, slash + 1)) is MemoryDirectory directory
            ? (directory, trimmed[(slash + 1)..])
            : throw new FileNotFoundException($"{path}: no such directory", path);
    }

    internal T Create<T>(MemoryDirectory directory, string name, Func<ulong, long, T> make) where T : MemoryNode
    {
        ulong inode = _nextInode;
        if (_freeInodes.Count > 0)
        {
            inode = _freeInodes.Min;
            _freeInodes.Remove(inode);
        }
        else
        {
            _nextInode++;
        }
        T node = make(inode, Now);
        Put(directory, name, node);
        _pending.Add(new NameChange(directory, name, node, null));
        return node;
    }

    internal void Remove(MemoryDirectory directory, string name)
    {
        Take(directory, name);
        _pending.Add(new NameChange(directory, name, null, null));
    }

    internal void Rename((MemoryDirectory Directory, string Name) from, (MemoryDirectory Directory, string Name) to)
    {
        MemoryNode node = from.Directory.Names[from.Name];
        from.Directory.Names.Remove(from.Name);
        if (to.Directory.Names.ContainsKey(to.Name))
        {
            Take(to.Directory, to.Name);
        }
        to.Directory.Names[to.Name] = node;
        _pending.Add(new NameChange(to.Directory, to.Name, node, new NameChangeRest(from.Directory, from.Name, null)));
    }

    /// <summary>Makes a directory's names durable, with a rename its other side, and with each name what was done to it before.</summary>
    internal void FlushNames(MemoryDirectory directory)
    {
        if (_pending.Count == 0)
        {
            return;
        }
        var kept = new List<NameChange>();
        var names = new HashSet<(MemoryDirectory, string)>();
        for (int i = _pending.Count - 1; i >= 0; i--)
        {
            NameChange change = _pending[i];
            (MemoryDirectory, string) name = (change.Directory, change.Name);
            (MemoryDirectory, string)? rest = change.Rest is { } other ? (other.Directory, other.Name) : null;
            if (change.Directory == directory || change.Rest?.Directory == directory || names.Contains(name) || (rest is { } second && names.Contains(second)))
            {
                names.Add(name);
                names.Add(rest ?? name);
                kept.Add(change);
                _pending.RemoveAt(i);
            }
        }
        kept.Reverse();
        kept.ForEach(Keep);
    }

    /// <summary>Makes all bytes and names durable.</summary>
    internal void FlushAll()
    {
        _pending.ForEach(Keep);
        _pending.Clear();
        FlushContents(_root);
    }

    internal bool TryLock(string path, MemoryFileSystem owner) => _locks.TryAdd(path, owner);

    internal void Unlock(string path) => _locks.Remove(path);

    internal void UnlockAll(MemoryFileSystem owner)
    {
        foreach (string path in _locks.Where(entry => entry.Value == owner).Select(entry => entry.Key).ToList())
        {
            _locks.Remove(path);
        }
    }

    /// <summary>Gives space and inode number back once nothing uses the node.</summary>
    internal void Release(MemoryNode node)
    {
        if (node is { Links: 0, Handles: 0 })
        {
            UsedBytes -= node is MemoryContent content ? content.Length : 0;
            _freeInodes.Add(node.Inode);
        }
    }

    private static void Put(MemoryDirectory directory, string name, MemoryNode node)
    {
        directory.Names[name] = node;
        node.Links++;
    }

    private void Take(MemoryDirectory directory, string name)
    {
        MemoryNode node = directory.Names[name];
        directory.Names.Remove(name);
        node.Links--;
        Release(node);
    }

    private static void Keep(NameChange change)
    {
        KeepName(change.Directory, change.Name, change.Node);
        if (change.Rest is { } rest)
        {
            KeepName(rest.Directory, rest.Name, rest.Node);
        }
    }

    private static void KeepName(MemoryDirectory directory, string name, MemoryNode? node)
    {
        if (node is null)
        {
            directory.DurableNames.Remove(name);
        }
        else
        {
            directory.DurableNames[name] = node;
        }
    }

    private void KeepNames(bool[] isKept)
    {
        for (int i = 0; i < isKept.Length; i++)
        {
            if (isKept[i])
            {
                Keep(_pending[i]);
            }
        }
    }

    /// <summary>
    /// A file takes a deleted one's inode number after the deletion, and journals of file systems (ext4, XFS) keep that order:
    /// where the disk has the new file, it has the deletion. Returns how many changes, from the first on, that makes certain.
    /// </summary>
    private int DeletionsBeforeReuse()
    {
        var owners = new Dictionary<ulong, MemoryNode>();
        var deleted = new HashSet<MemoryNode>();
        Visit(_root);
        return 1 + _pending.FindLastIndex(change => Holds(change.Directory, change.Name) ||
            (change.Rest is { } rest && Holds(rest.Directory, rest.Name)));

        void Visit(MemoryDirectory directory)
        {
            foreach (MemoryNode node in directory.DurableNames.Values)
            {
                if (!owners.TryAdd(node.Inode, node) && owners[node.Inode] != node)
                {
                    deleted.Add(node.Links == 0 ? node : owners[node.Inode]);
                }
                if (node is MemoryDirectory inner)
                {
                    Visit(inner);
                }
            }
        }

        bool Holds(MemoryDirectory directory, string name) =>
            directory.DurableNames.TryGetValue(name, out MemoryNode? node) && deleted.Contains(node);
    }

    private void Restore(MemoryDirectory directory, Random random, HashSet<ulong> taken)
    {
        directory.Handles = 0;
        directory.Names.Clear();
        foreach ((string name, MemoryNode node) in directory.DurableNames)
        {
            directory.Names[name] = node;
        }
        foreach ((_, MemoryNode node) in directory.SortedNames())
        {
            if (!taken.Add(node.Inode))
            {
                // Of two renames of a file only the second is there: so are the first name and the last.
                node.Links++;
                continue;
            }
            node.Links = 1;
            if (node is MemoryDirectory inner)
            {
                Restore(inner, random, taken);
            }
            else if (node is MemoryContent content)
            {
                content.LosePower(random);
                UsedBytes += content.Length;
            }
        }
    }

    private static void FlushContents(MemoryDirectory directory)
    {
        foreach (MemoryNode node in directory.Names.Values)
        {
            if (node is MemoryDirectory inner)
            {
                FlushContents(inner);
            }
            else if (node is MemoryContent content)
            {
                content.Flush(content.Mark());
            }
        }
    }

    private static void CopyNames(MemoryDirectory from, MemoryDirectory to)
    {
        foreach ((string name, MemoryNode node) in from.SortedNames())
        {
            MemoryNode copy;
            if (node is MemoryDirectory inner)
            {
                var directory = new MemoryDirectory(node.Inode, node.BirthTime) { ModifiedTime = node.ModifiedTime };
                CopyNames(inner, directory);
                copy = directory;
            }
            else
            {
                copy = ((MemoryContent)node).Copy();
            }
            Put(to, name, copy);
            to.DurableNames[name] = copy;
        }
    }
}
