using LogPipeline.Agent.Shipping;
using LogPipeline.Agent.State;
using LogPipeline.Files;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Agent.Tailing;

/// <summary>
/// Begins generations: of a new file, of one that was cut, of one that a crash of the host cut. Holds back a new file that
/// equals one already followed: it may be the copy that copytruncate makes just before it cuts the original.
/// </summary>
internal sealed class FileBirths(
    IFileSystem files, FileBook book, AgentState state, Generations generations, AgentOptions options, TimeProvider time,
    AgentMetrics metrics, ILogger logger)
{
    private readonly Dictionary<(string Path, string Topic), (long Since, Generation Original)> _copies = [];

    /// <summary>Partition counts of the topics known so far.</summary>
    public Dictionary<string, int> PartitionCounts { get; } = [];

    /// <summary>Whether a generation began since this was last cleared; the registry must know it before it is read.</summary>
    public bool HasBegun { get; set; }

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>A path names a file that is not followed.</summary>
    public void Found(string path, InputOptions input, in FileStatus status, bool firstStart)
    {
        TailedFile? displaced = book.At(path, input.Topic);
        using IFile? probe = book.Open(path);
        if (probe is null || FileIdentity.Of(probe.Status()) != FileIdentity.Of(status))
        {
            return;
        }
        if (displaced is null && IsHeldBack(path, input, probe))
        {
            return;
        }
        if (displaced is not null)
        {
            MarkRotated(displaced);
        }
        long begin = firstStart && input.ReadFrom == ReadFrom.End ? FileProof.LastLineEnd(probe, input.MaxLineBytes) : 0;
        Begin(path, input, probe, begin, GenerationPhase.Live, displaced);
    }

    /// <summary>
    /// A followed file does not hold what was read from it. Its generation goes on in the copy that was made of it, if there is
    /// one, and what the file holds now is a generation of its own.
    /// </summary>
    public void Cut(TailedFile file, CutFound when)
    {
        Generation generation = file.Generation;
        string path = generation.Path;
        using IFile? probe = book.Open(path);
        if (probe is null || FileIdentity.Of(probe.Status()) != generation.Identity)
        {
            End(file);
            return;
        }
        if (generation.Read.Position == generation.Begin && generation.Begin == 0)
        {
            // Nothing was read yet: it is simply another begin.
            (generation.Head, generation.ReadTail, file.ScannedUntil) = (default, default, 0);
            file.Size = probe.Length;
            return;
        }
        metrics.Truncations.Add(1);
        GenerationPhase phase = generation.Phase == GenerationPhase.Live ? GenerationPhase.Live : GenerationPhase.Rotated;
        long position = generation.Read.Position;
        List<InflightEntry> kept = [.. when == CutFound.Running ? file.Log?.Kept() ?? [] : state.FoundWhole];
        if (when == CutFound.AtBoot && CrashCut.FirstDifference(LivesOf(generation), probe, kept) is long different)
        {
            logger.CutByCrash(path, different);
            End(file);
            Begin(path, file.Input, probe, different, phase, null);
            return;
        }
        if (FindCopy(file) is (string copyPath, IFile copy, FileIdentity identity))
        {
            logger.Truncated(path, position, $"the rest is read from its copy {copyPath}");
            book.Move(file, identity, copyPath, copy);
            file.Size = copy.Length;
            MarkRotated(file);
            Begin(path, file.Input, probe, 0, phase, file);
            return;
        }
        if (BeginShortCopy(file, kept) is string shortCopy)
        {
            logger.Truncated(path, position, $"its copy {shortCopy} holds nothing that is not read");
            End(file);
            Begin(path, file.Input, probe, 0, phase, null);
            return;
        }
        long unread = Math.Max(0, file.Size - position);
        generation.TruncatedBytes += unread;
        logger.Truncated(path, position, unread == 0 ? "all that was seen of it is read" : $"{unread} bytes seen behind it are gone");
        End(file);
        Begin(path, file.Input, probe, 0, phase, null);
    }

    /// <summary>The file is no longer what its path names; it is read to its end.</summary>
    public void MarkRotated(TailedFile file)
    {
        if (file.Generation.Phase == GenerationPhase.Live)
        {
            book.HandleOf(file);
            Enter(file.Generation, GenerationPhase.Rotated);
            file.ChangedAt = Now;
        }
        book.Unname(file);
    }

    /// <summary>Nothing more can be read of it.</summary>
    public void End(TailedFile file)
    {
        Enter(file.Generation, GenerationPhase.Gone);
        file.ScannedUntil = file.Size = file.Generation.Read.Position;
        book.Remove(file);
    }

    public void Enter(Generation generation, GenerationPhase phase)
    {
        generation.Phase = phase;
        generation.PhaseSince = Now;
        state.IsDirty = true;
    }

    /// <summary>Gives partitions to the generations of a topic that had none.</summary>
    public void AssignPartitions(string topic, int count)
    {
        PartitionCounts[topic] = count;
        foreach (TailedFile file in book.Files)
        {
            if (file.Generation.Topic == topic && file.Generation.Partition < 0)
            {
                file.Generation.Partition = PartitionOf(file.Generation, file.Input);
                HasBegun = true;
            }
        }
    }

    private void Begin(string path, InputOptions input, IFile probe, long begin, GenerationPhase phase, TailedFile? predecessor)
    {
        var generation = new Generation
        {
            Id = state.NewGenerationId(),
            Topic = input.Topic,
            FirstPath = path,
            Path = path,
            Identity = FileIdentity.Of(probe.Status()),
            Head = FileProof.HeadOf(probe, (int)Math.Min(begin, Fingerprint.LengthMax)),
            Begin = begin,
            Acked = Progress.At(begin),
            AckedTail = TailBefore(probe, begin),
            Phase = phase,
            PhaseSince = Now,
        };
        (generation.Read, generation.ReadTail) = (generation.Acked, generation.AckedTail);
        generation.Partition = PartitionOf(generation, input);
        generations.Add(generation);
        TailedFile file = book.Add(generation, input);
        file.ChangedAt = Now;
        file.Predecessor = predecessor;
        file.WasSeen = true;
        HasBegun = true;
        metrics.GenerationsBegun.Add(1);
        logger.Following(path, begin, input.Topic);
    }

    /// <summary>The partition that the path was given before, so that added partitions never reorder a file; else by hash.</summary>
    private int PartitionOf(Generation generation, InputOptions input)
    {
        Generation? earlier = generations.LatestAt(generation.FirstPath, generation.Topic);
        return earlier is not null && earlier.Partition >= 0 ? earlier.Partition
            : PartitionCounts.TryGetValue(generation.Topic, out int count)
                ? Partitioning.Choose(input.Partition, options.Host, generation.FirstPath, count)
                : -1;
    }

    private static Fingerprint TailBefore(IFile file, long position)
    {
        Span<byte> bytes = stackalloc byte[(int)Math.Min(position, Fingerprint.LengthMax)];
        return file.ReadFully(bytes, position - bytes.Length) == bytes.Length ? Fingerprint.Of(bytes) : default;
    }

    /// <summary>Whether a new file is to wait, since it equals a followed one of like name in its directory.</summary>
    private bool IsHeldBack(string path, InputOptions input, IFile probe)
    {
        (string, string) key = (path, input.Topic);
        Generation? original = book.Files.Select(f => f.Generation).FirstOrDefault(g => IsCopyOf(g, path, input, probe));
        if (_copies.TryGetValue(key, out (long Since, Generation Original) held))
        {
            // A copy does not cease to be one because its original was cut and has grown again: its reader will find that.
            original ??= held.Original.IsOver ? null : held.Original;
        }
        if (original is null)
        {
            _copies.Remove(key);
            return false;
        }
        long since = held.Original == original ? held.Since : Now;
        _copies[key] = (since, original);
        return Now - since < (long)options.CopyWait.TotalMilliseconds;
    }

    /// <summary>Whether a new file equals the begin of a followed one, or what was read of one that was cut since.</summary>
    private bool IsCopyOf(Generation generation, string path, InputOptions input, IFile probe) =>
        !generation.IsOver
        && generation.Topic == input.Topic
        && IsLike(path, generation.Path)
        && book.With(generation.Identity, generation.Topic) is TailedFile file
        && ((generation.Phase == GenerationPhase.Live && book.HandleOf(file) is IFile handle && FileProof.IsBeginOf(probe, handle))
            || (generation.Read.Position > 0 && FileProof.Holds(probe, generation.Head, generation.Read.Position, generation.ReadTail)));

    /// <summary>Same directory, and the names agree up to the first dot of the original's.</summary>
    private static bool IsLike(string path, string original)
    {
        string name = Path.GetFileName(original);
        int dot = name.IndexOf('.', 1);
        string stem = dot < 0 ? name : name[..dot];
        return path != original
            && Path.GetDirectoryName(path) == Path.GetDirectoryName(original)
            && Path.GetFileName(path).StartsWith(stem, StringComparison.Ordinal);
    }

    /// <summary>A copy that holds all that was read, and perhaps more.</summary>
    private (string Path, IFile File, FileIdentity Identity)? FindCopy(TailedFile file)
    {
        Generation generation = file.Generation;
        foreach ((string path, FileStatus status) in Unfollowed(file))
        {
            if (status.Length < generation.Read.Position)
            {
                continue;
            }
            FileIdentity identity = FileIdentity.Of(status);
            IFile? copy = book.Open(path);
            if (copy is not null && FileProof.Holds(copy, generation.Head, generation.Read.Position, generation.ReadTail))
            {
                return (path, copy, identity);
            }
            copy?.Dispose();
        }
        return null;
    }

    /// <summary>
    /// A copy made before the last lines were read, all of whose bytes were read from the original: it is followed from its end on.
    /// </summary>
    private string? BeginShortCopy(TailedFile file, List<InflightEntry> kept)
    {
        Generation generation = file.Generation;
        foreach ((string path, FileStatus status) in Unfollowed(file))
        {
            if (status.Length == 0 || status.Length >= generation.Read.Position || !IsLike(path, generation.Path))
            {
                continue;
            }
            using IFile? copy = book.Open(path);
            if (copy is not null && CrashCut.FirstDifference(LivesOf(generation), copy, kept) == copy.Length)
            {
                _copies.Remove((path, generation.Topic));
                Begin(path, file.Input, copy, copy.Length, GenerationPhase.Rotated, null);
                return path;
            }
        }
        return null;
    }

    /// <summary>The generations that a file has been, oldest first, up to one.</summary>
    private List<Generation> LivesOf(Generation last) =>
        [.. generations.All.Where(g => g != last && g.Identity == last.Identity && g.Topic == last.Topic), last];

    /// <summary>The files beside one that are not followed.</summary>
    private IEnumerable<(string Path, FileStatus Status)> Unfollowed(TailedFile file)
    {
        Generation generation = file.Generation;
        string directory = Path.GetDirectoryName(generation.Path) ?? "/";
        foreach (DirectoryEntry entry in files.List(directory))
        {
            string path = Path.Combine(directory, entry.Name);
            if (!entry.IsDirectory && path != generation.Path && book.Stat(path) is FileStatus status
                && FileIdentity.Of(status) != generation.Identity && book.With(FileIdentity.Of(status), generation.Topic) is null)
            {
                yield return (path, status);
            }
        }
    }
}

/// <summary>When it was seen that a file is cut.</summary>
internal enum CutFound
{
    Running,

    /// <summary>At a start of the agent; the host ran on.</summary>
    AtStart,

    /// <summary>At the first start after the host crashed or was stopped.</summary>
    AtBoot,
}
