using LogPipeline.Agent.State;
using LogPipeline.Files;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Agent.Tailing;

/// <summary>
/// Finds files that were rotated and compressed while the agent was away. What of one was not read is unpacked into the state directory, at the
/// positions that it had, and read there like any rotated file; the unpacked file goes when it is read and acked. One that is still being written,
/// by its compressor or by what copies it, is waited for.
/// </summary>
internal sealed class Archives(IFileSystem files, FileProbe probe, AgentOptions options, TimeProvider time, ILogger logger)
{
    private const int BlockBytes = 64 << 10;

    /// <summary>The archives of each directory.</summary>
    private readonly Dictionary<string, List<ArchiveHead>> _heads = new(StringComparer.Ordinal);

    /// <summary>Archives that cannot be unpacked, each told once.</summary>
    private readonly HashSet<string> _unread = new(StringComparer.Ordinal);

    /// <summary>Archives that end before what they hold does, and that nobody writes to.</summary>
    private readonly HashSet<string> _cut = new(StringComparer.Ordinal);

    /// <summary>Archives that a start found for a generation, each for one of a topic: of files that begin alike, and were not read, nothing else tells which is whose.</summary>
    private readonly HashSet<(FileIdentity Archive, string Topic)> _given = [];

    private readonly RestFolder _folder = new(files, options.StateDirectory, "unpacked");

    /// <summary>Where archives are looked for too, besides the directory of the file: those in which files are followed, as a rotation may move them there.</summary>
    public IReadOnlyCollection<string> Places { get; set; } = [];

    /// <summary>The archive that holds all that was read of a generation whose file is gone, and what follows; null when there is none.</summary>
    /// <param name="generation">The generation.</param>
    /// <param name="isIts">Whether an unpacked file, of the archive of a path, is the generation's, by its content.</param>
    /// <exception cref="UnpackRefusedException">The state directory's disk refuses, as when it is full: to be tried again.</exception>
    /// <exception cref="ArchiveGrowsException">An archive that may be it is still being written: to be tried again.</exception>
    public Archived? Find(Generation generation, Func<IFile, string, bool> isIts)
    {
        if (generation.IsUnknown)
        {
            return null;
        }
        string directory = FileProbe.DirectoryOf(generation.Path);
        string real = FileProbe.DirectoryOf(probe.RealPath(generation.Path));
        foreach (string place in new[] { directory, real }.Concat(Places).Distinct())
        {
            bool isBeside = place == directory || place == real;
            foreach (ArchiveHead archive in HeadsIn(place))
            {
                if (IsGiven(archive.Identity, generation.Topic))
                {
                    continue;
                }
                if (isBeside && archive.IsCut && archive.Bytes.Length < ArchiveHead.KnownOf(generation).Length)
                {
                    EndsEarly(archive.Path);
                }
                else if (archive.IsOf(generation) && Try(archive.Path, content => Unpack(archive, content, generation, isIts)) is Archived found)
                {
                    _given.Add((archive.Identity, generation.Topic));
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
    /// <exception cref="ArchiveGrowsException">An archive that may be it is still being written: to be tried again.</exception>
    public OpenCopy? UnpackAll(string path, Generation before)
    {
        string target = $"{_folder.PathOf(before)}-{Path.GetFileName(path)}";
        OpenCopy? whole = Try(path, archive => new Archived(path, default, Unpack(path, archive, target, 0, static (_, _) => true)))?.Rest;
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
        _given.Clear();
        _folder.ForgetBut(inUse);
    }

    /// <summary>Whether a start found an archive for a generation of a topic.</summary>
    public bool IsGiven(in FileIdentity archive, string topic) => _given.Contains((archive, topic));

    /// <summary>Whether an archive begins as a generation's file, of whose begin something is known.</summary>
    public bool BeginsAs(string path, Generation generation) =>
        ArchiveHead.KnownOf(generation).Length > 0 && probe.Stat(path) is FileStatus status && HeadOf(path, status)?.IsOf(generation) is true;

    /// <summary>Whether an archive that was unpacked ends before what it holds does.</summary>
    public bool IsCut(string path) => _cut.Contains(path);

    /// <summary>Whether a file was unpacked here.</summary>
    public bool Holds(string path) => _folder.Holds(path);

    /// <summary>Deletes what was unpacked and is read; other files stay.</summary>
    public void Forget(string path) => _folder.Forget(path);

    private List<ArchiveHead> HeadsIn(string directory)
    {
        if (_heads.TryGetValue(directory, out List<ArchiveHead>? known))
        {
            return known;
        }
        known = [];
        foreach (DirectoryEntry entry in probe.List(directory).Where(static entry => !entry.IsDirectory && ArchiveStream.IsNamedSo(entry.Name)))
        {
            string path = Path.Combine(directory, entry.Name);
            if (probe.Stat(path) is FileStatus status && HeadOf(path, status) is ArchiveHead head)
            {
                known.Add(head);
            }
        }
        return _heads[directory] = known;
    }

    private ArchiveHead? HeadOf(string path, in FileStatus status)
    {
        FileIdentity identity = FileIdentity.Of(status);
        return status.Length == 0 ? new ArchiveHead(path, identity, [], IsCut: true) : Try(path, archive =>
        {
            byte[] begin = new byte[Fingerprint.LengthMax];
            int length = ArchiveStream.Read(archive, begin, out bool isCut);
            return new ArchiveHead(path, identity, begin[..length], isCut);
        });
    }

    /// <summary>An archive ends before what it holds does: it is still being written, or cut for good, which is told.</summary>
    /// <exception cref="ArchiveGrowsException">It was written to just now.</exception>
    private void EndsEarly(string path)
    {
        if (probe.Stat(path) is FileStatus status && time.GetUtcNow() - DateTimeOffset.UnixEpoch - TimeSpan.FromTicks(status.ModifiedTime / 100) is TimeSpan age
            && age.Duration() < options.CopyWait)
        {
            _heads.Clear();
            throw new ArchiveGrowsException(path);
        }
        if (_cut.Add(path))
        {
            logger.ArchiveCut(path);
        }
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
    private Archived? Unpack(ArchiveHead head, Stream archive, Generation generation, Func<IFile, string, bool> isIts)
    {
        bool isFound = false;
        long from = ContentCheck.IsHeadKnown(generation) ? generation.Read.Position - generation.ReadTail.Length : 0;
        OpenCopy? rest = Unpack(head.Path, archive, _folder.PathOf(generation), from, (file, length) =>
        {
            isFound = isIts(file, head.Path);
            return isFound && length > generation.Read.Position;
        });
        return isFound ? new Archived(head.Path, head.Identity, rest) : null;
    }

    /// <summary>Writes a file of the state directory. Durable on return: the registry will name it.</summary>
    /// <param name="path">The archive.</param>
    /// <param name="archive">What it holds.</param>
    /// <param name="target">The file.</param>
    /// <param name="from">What lies before, behind the head, stays a hole.</param>
    /// <param name="isKept">Given the file and its length, whether it is needed; null is returned where it is not.</param>
    private OpenCopy? Unpack(string path, Stream archive, string target, long from, Func<IFile, long, bool> isKept)
    {
        IFile file = OnStateDisk(() => _folder.Create(target));
        OpenCopy? kept = null;
        try
        {
            long length = Copy(archive, file, from, out bool isCut);
            if (isCut)
            {
                EndsEarly(path);
            }
            if (isKept(file, length))
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
    private long Copy(Stream archive, IFile file, long from, out bool isCut)
    {
        byte[] block = new byte[BlockBytes];
        long position = 0;
        while (true)
        {
            int read = ArchiveStream.Read(archive, block, out isCut);
            if (read > 0 && (position == 0 || position + read > from))
            {
                OnStateDisk(() => file.Write(block.AsSpan(0, read), position));
            }
            position += read;
            if (read < block.Length)
            {
                return position;
            }
        }
    }

    private void OnStateDisk(Action write) => OnStateDisk(() =>
    {
        write();
        return true;
    });

    private T OnStateDisk<T>(Func<T> write)
    {
        try
        {
            return write();
        }
        catch (IOException refused)
        {
            _heads.Clear(); // a rotation may give the archives other names until there is room
            throw new UnpackRefusedException(refused);
        }
    }
}

/// <summary>The state directory's disk does not take what an archive holds.</summary>
internal sealed class UnpackRefusedException(IOException refused) : IOException($"what is in an archive cannot be unpacked: {refused.Message}", refused);

/// <summary>An archive is still being written.</summary>
internal sealed class ArchiveGrowsException(string path) : Exception($"{path} is still being written")
{
    public string Path => path;
}

/// <summary>What an archive begins with, unpacked.</summary>
/// <param name="Path">The archive.</param>
/// <param name="Identity">Its file, whatever its name is.</param>
/// <param name="Bytes">Up to a whole fingerprint.</param>
/// <param name="IsCut">Whether the file ends before these do.</param>
internal sealed record ArchiveHead(string Path, FileIdentity Identity, byte[] Bytes, bool IsCut)
{
    /// <summary>Whether it begins as a generation's file.</summary>
    public bool IsOf(Generation generation) => KnownOf(generation).IsBeginOf(Bytes);

    /// <summary>What is known of the begin of a generation's file.</summary>
    public static Fingerprint KnownOf(Generation generation) => generation.Seen.Length > generation.Head.Length ? generation.Seen : generation.Head;
}

/// <summary>A generation's file as it was found, compressed.</summary>
/// <param name="Path">The archive.</param>
/// <param name="Identity">Its file, whatever its name is.</param>
/// <param name="Rest">The file that holds what was not read; null when all was.</param>
internal sealed record Archived(string Path, FileIdentity Identity, OpenCopy? Rest);
