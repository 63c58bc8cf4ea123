using LogPipeline.Agent.State;
using LogPipeline.Files;

namespace LogPipeline.Agent.Tailing;

/// <summary>
/// The copies of followed files, as copytruncate makes them just before it cuts the original. What a copy is, its bytes tell:
/// <code>
///   while the original holds what was read, and the copy is its begin:   the copy waits, CopyWait at most, then it is a file of its own
///   once the original is cut, gone, or unlinked and read to its end:
///     a copy that holds all that was read                                the generation goes on in it
///     a copy all of whose bytes were read                                it is followed from its end on
///     after a crash of the host, a copy of what the crash left           it is followed from the first line on that was not read
///     anything else                                                      a new file
/// </code>
/// None of it is durable by itself: until the registry has the outcome, a restart finds original and copy as they were and
/// decides the same; only the wait begins anew. A copy waits under any name: it is known by its inode.
/// </summary>
internal sealed class FileCopies(FileBook book, FileBirths births, Generations generations, AgentOptions options, TimeProvider time)
{
    private readonly Dictionary<(FileIdentity Identity, string Topic), long> _waiting = [];

    /// <summary>The followed files that a new one may be a copy of: of like name, in its directory.</summary>
    public List<TailedFile> OriginalsOf(string path, string topic) =>
    [
        .. book.Files.Where(f => f.Generation is { IsOver: false } g && g.Topic == topic && IsLike(path, g)),
    ];

    /// <summary>Whether a new file is to wait, since it is the begin of one of its originals, which hold what was read of them.</summary>
    public bool IsWaiting(IFile probe, in FileIdentity identity, string path, string topic)
    {
        (FileIdentity, string) key = (identity, topic);
        if (!OriginalsOf(path, topic).Exists(o => MayBeCopyOf(probe, o)))
        {
            _waiting.Remove(key);
            return false;
        }
        if (!_waiting.TryGetValue(key, out long since))
        {
            Prune();
            _waiting[key] = since = time.GetTimestamp();
        }
        return time.GetElapsedTime(since) < options.CopyWait;
    }

    /// <summary>
    /// The original will hold no more of what was read. Takes its copies for what they are; gives the one that the generation
    /// goes on in, open, if there is one.
    /// </summary>
    /// <param name="original">The file whose copies are sought.</param>
    /// <param name="kept">What was read of it recently, byte for byte.</param>
    /// <param name="hostCrashed">Whether original and copies may have lost their end.</param>
    /// <param name="left">The original, where a crash cut it and it goes on: a copy of that waits on, as the next generation's.</param>
    public OpenCopy? Resolve(TailedFile original, Lazy<List<InflightEntry>> kept, bool hostCrashed, IFile? left = null)
    {
        Generation generation = original.Generation;
        OpenCopy? heir = null;
        if (generation.Read.Position == 0)
        {
            return null;
        }
        foreach ((string path, FileStatus status) in Unfollowed(generation))
        {
            IFile? copy = status.Length == 0 ? null : book.Open(path);
            if (copy is not null && left is not null && FileProof.IsBeginOf(copy, left))
            {
                copy.Dispose();
                continue;
            }
            FileIdentity identity = FileIdentity.Of(status);
            if (copy is not null && heir is null && HoldsAll(copy, generation, kept) && !IsRatherOfAnother(copy, path, original))
            {
                heir = new OpenCopy(path, copy, identity);
                _waiting.Remove((identity, generation.Topic));
                continue;
            }
            using (copy)
            {
                if (copy is not null && (hostCrashed || copy.Length < generation.Read.Position)
                    && CrashCut.GoOnInCopy(generations.LivesOf(generation), copy, kept.Value, hostCrashed) is long begin)
                {
                    births.Begin(path, original.Input, copy, begin, GenerationPhase.Rotated);
                    _waiting.Remove((identity, generation.Topic));
                }
            }
        }
        return heir;
    }

    /// <summary>Whether a copy holds all that was read of a generation, and that is enough to tell it from any other file.</summary>
    private bool HoldsAll(IFile copy, Generation generation, Lazy<List<InflightEntry>> kept) =>
        FileProof.Holds(copy, generation)
        && FileProof.Suffices(copy, generation)
        // A start knows the head as far as it was acked; the tail alone may lie within a line that others have too.
        && (generation.Head.Length >= Math.Min(generation.Read.Position, Fingerprint.LengthMax)
            || CrashCut.IsSame(generations.LivesOf(generation), copy, kept.Value));

    /// <summary>Whether more speaks for another original: it begins with all of the copy, and that is more than was read of this one.</summary>
    private bool IsRatherOfAnother(IFile copy, string path, TailedFile original) =>
        copy.Length > original.Generation.Read.Position
        && OriginalsOf(path, original.Generation.Topic).Exists(
            o => o != original && book.HandleOf(o) is IFile handle && FileProof.IsBeginOf(copy, handle));

    private bool MayBeCopyOf(IFile probe, TailedFile original) =>
        probe.Length == 0
            // Its maker has just begun.
            ? original.Generation.Phase == GenerationPhase.Live
            // An original that cannot be opened now tells nothing: the next look does.
            : book.HandleOf(original) is not IFile handle || FileProof.IsBeginOf(probe, handle);

    /// <summary>
    /// Same directory, and the names agree up to the first dot of the original's. What has the name that the original had at first
    /// is no copy: it is what its application writes to since it was renamed.
    /// </summary>
    private static bool IsLike(string path, Generation original)
    {
        string name = Path.GetFileName(original.Path);
        int dot = name.IndexOf('.', 1);
        string stem = dot < 0 ? name : name[..dot];
        return path != original.Path
            && path != original.FirstPath
            && Path.GetDirectoryName(path) == Path.GetDirectoryName(original.Path)
            && Path.GetFileName(path).StartsWith(stem, StringComparison.Ordinal);
    }

    /// <summary>The files like one that are not followed.</summary>
    private IEnumerable<(string Path, FileStatus Status)> Unfollowed(Generation generation)
    {
        string directory = Path.GetDirectoryName(generation.Path) ?? "/";
        foreach (DirectoryEntry entry in book.List(directory))
        {
            string path = Path.Combine(directory, entry.Name);
            if (!entry.IsDirectory && IsLike(path, generation) && book.Stat(path) is FileStatus status
                && book.With(FileIdentity.Of(status), generation.Topic) is null)
            {
                yield return (path, status);
            }
        }
    }

    /// <summary>Copies that vanished while they waited.</summary>
    private void Prune()
    {
        foreach ((FileIdentity, string) gone in _waiting.Where(w => time.GetElapsedTime(w.Value) > 2 * options.CopyWait).Select(w => w.Key).ToList())
        {
            _waiting.Remove(gone);
        }
    }
}

/// <summary>A copy that a generation goes on in.</summary>
internal readonly record struct OpenCopy(string Path, IFile File, FileIdentity Identity);
