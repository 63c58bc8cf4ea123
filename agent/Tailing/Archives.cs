using LogPipeline.Agent.State;
using LogPipeline.Files;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Agent.Tailing;

/// <summary>
/// Finds files that were rotated and compressed while the agent was away. What of one was not read is unpacked into the state directory, at the
/// positions that it had, and read there like any rotated file; the unpacked file goes when it is read and acked.
/// </summary>
internal sealed class Archives(IFileSystem files, FileProbe probe, AgentOptions options, ILogger logger)
{
    private const int BlockBytes = 64 << 10;

    /// <summary>What each archive of a directory begins with, unpacked: up to a whole fingerprint.</summary>
    private readonly Dictionary<string, List<(string Path, byte[] Head)>> _heads = new(StringComparer.Ordinal);

    /// <summary>Archives that cannot be unpacked, each told once.</summary>
    private readonly HashSet<string> _unread = new(StringComparer.Ordinal);

    private readonly RestFolder _folder = new(files, options.StateDirectory, "unpacked");

    /// <summary>The archive that holds all that was read of a generation whose file is gone, and what follows; null when there is none.</summary>
    /// <param name="generation">The generation.</param>
    /// <param name="holdsKept">Whether a file holds the records that are kept of it: asked where its head is known only as far as it was acked.</param>
    /// <exception cref="UnpackRefusedException">The state directory's disk refuses, as when it is full: to be tried again.</exception>
    public Archived? Find(Generation generation, Func<IFile, bool> holdsKept)
    {
        if (generation.Read.Position == 0)
        {
            return null;
        }
        string directory = FileProbe.DirectoryOf(generation.Path);
        string real = FileProbe.DirectoryOf(probe.RealPath(generation.Path));
        foreach (string place in real == directory ? [directory] : new[] { directory, real })
        {
            foreach ((string path, byte[] head) in HeadsIn(place))
            {
                if (head.Length >= generation.Head.Length && Fingerprint.Of(head.AsSpan(0, generation.Head.Length)) == generation.Head
                    && Try(path, archive => Unpack(path, archive, generation, holdsKept)) is Archived found)
                {
                    return found;
                }
            }
        }
        return null;
    }

    /// <summary>Unpacks a whole archive. Durable on return; null when it cannot be unpacked, which is told.</summary>
    /// <param name="path">The archive.</param>
    /// <param name="before">A generation of the path that the archive's file had: its id is part of the unpacked file's name.</param>
    /// <exception cref="UnpackRefusedException">The state directory's disk refuses, as when it is full: to be tried again.</exception>
    public OpenCopy? UnpackAll(string path, Generation before)
    {
        string target = $"{_folder.PathOf(before)}-{Path.GetFileName(path)}";
        OpenCopy? whole = Try(path, archive => new Archived(path, Unpack(archive, target, 0, static (_, _) => true)))?.Rest;
        if (whole is null)
        {
            TellUnread(path, "it is neither gzip nor zstd");
        }
        return whole;
    }

    /// <summary>A start has found all generations again: deletes what was unpacked for others, or before a crash.</summary>
    public void ForgetBut(IReadOnlySet<string> inUse)
    {
        _heads.Clear();
        _folder.ForgetBut(inUse);
    }

    /// <summary>Whether a file was unpacked here.</summary>
    public bool Holds(string path) => _folder.Holds(path);

    /// <summary>Deletes what was unpacked and is read; other files stay.</summary>
    public void Forget(string path) => _folder.Forget(path);

    private List<(string Path, byte[] Head)> HeadsIn(string directory)
    {
        if (_heads.TryGetValue(directory, out List<(string Path, byte[] Head)>? known))
        {
            return known;
        }
        _heads[directory] = known = [];
        foreach (DirectoryEntry entry in probe.List(directory).Where(static entry => !entry.IsDirectory && ArchiveStream.IsNamedSo(entry.Name)))
        {
            string path = Path.Combine(directory, entry.Name);
            byte[]? head = Try(path, static archive =>
            {
                byte[] begin = new byte[Fingerprint.LengthMax];
                return begin[..archive.ReadAtLeast(begin, begin.Length, throwOnEndOfStream: false)];
            });
            if (head is not null)
            {
                known.Add((path, head));
            }
        }
        return known;
    }

    private T? Try<T>(string path, Func<Stream, T?> read)
        where T : class
    {
        try
        {
            using IFile? file = probe.Open(path);
            using Stream? archive = file is null ? null : ArchiveStream.Open(file);
            return archive is null ? null : read(archive);
        }
        catch (Exception damaged) when (damaged is not UnpackRefusedException && ArchiveStream.IsDamage(damaged))
        {
            TellUnread(path, damaged.Message);
            return null;
        }
    }

    private void TellUnread(string path, string reason)
    {
        if (_unread.Add(path))
        {
            logger.ArchiveUnread(path, reason);
        }
    }

    /// <summary>Unpacks what follows the read position, and the bytes before it that prove the file; null when the archive is not the generation's.</summary>
    private Archived? Unpack(string path, Stream archive, Generation generation, Func<IFile, bool> holdsKept)
    {
        bool isHeadKnown = generation.Head.Length == Math.Min(generation.Read.Position, Fingerprint.LengthMax);
        bool isIts = false;
        OpenCopy? rest = Unpack(archive, _folder.PathOf(generation), isHeadKnown ? generation.Read.Position - generation.ReadTail.Length : 0, (file, length) =>
        {
            isIts = ContentCheck.Continues(file, generation, () => holdsKept(file));
            return isIts && length > generation.Read.Position;
        });
        return isIts ? new Archived(path, rest) : null;
    }

    /// <summary>Writes a file of the state directory. Durable on return: the registry will name it.</summary>
    /// <param name="archive">What is unpacked.</param>
    /// <param name="target">The file.</param>
    /// <param name="from">What lies before, behind the head, stays a hole.</param>
    /// <param name="isKept">Given the file and its length, whether it is needed; null is returned where it is not.</param>
    private OpenCopy? Unpack(Stream archive, string target, long from, Func<IFile, long, bool> isKept)
    {
        IFile file = OnStateDisk(() => _folder.Create(target));
        OpenCopy? kept = null;
        try
        {
            if (isKept(file, Copy(archive, file, from)))
            {
                OnStateDisk(() =>
                {
                    file.Flush();
                    _folder.Flush();
                    files.FlushDirectory(options.StateDirectory);
                });
                kept = new OpenCopy(target, file, FileIdentity.Of(file.Status()));
            }
            return kept;
        }
        finally
        {
            if (kept is null)
            {
                file.Dispose();
                files.Delete(target);
            }
        }
    }

    /// <summary>Copies the head, and all from <paramref name="from"/> on; what lies between stays a hole. Returns the length of the unpacked file.</summary>
    private static long Copy(Stream archive, IFile file, long from)
    {
        byte[] block = new byte[BlockBytes];
        long position = 0;
        while (true)
        {
            int read = archive.ReadAtLeast(block, block.Length, throwOnEndOfStream: false);
            if (read == 0)
            {
                return position;
            }
            if (position == 0 || position + read > from)
            {
                OnStateDisk(() => file.Write(block.AsSpan(0, read), position));
            }
            position += read;
        }
    }

    private static void OnStateDisk(Action write) => OnStateDisk(() =>
    {
        write();
        return true;
    });

    private static T OnStateDisk<T>(Func<T> write)
    {
        try
        {
            return write();
        }
        catch (IOException refused)
        {
            throw new UnpackRefusedException(refused);
        }
    }
}

/// <summary>The state directory's disk does not take what an archive holds.</summary>
internal sealed class UnpackRefusedException(IOException refused) : IOException($"what is in an archive cannot be unpacked: {refused.Message}", refused);

/// <summary>A generation's file as it was found, compressed.</summary>
/// <param name="Path">The archive.</param>
/// <param name="Rest">The file that holds what was not read; null when all was.</param>
internal sealed record Archived(string Path, OpenCopy? Rest);
