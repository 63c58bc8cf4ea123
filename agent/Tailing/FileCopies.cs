using LogPipeline.Agent.State;
using LogPipeline.Files;

namespace LogPipeline.Agent.Tailing;

/// <summary>
/// The copies of followed files, as copytruncate makes them just before it cuts the original. What a copy is, its bytes tell:
/// <code>
///   while the original holds what was read, and the copy is its begin:   the copy waits, held open; CopyWait after it last grew, or when
///                                                                        it vanishes, it is a file of its own
///   once the original is cut, gone, or unlinked and read to its end:
///     a copy that holds all that was read                                the generation goes on in it
///     a copy all of whose bytes were read                                it is followed from its end on
///     after a crash of the host, a copy of what the crash left           it is followed from the first line on that was not read
///     anything else                                                      a new file
/// </code>
/// A copy lies in the original's directory under a name that a rotation gives (<see cref="CopyNames"/>), or anywhere if its first KiB is the
/// original's. None of it is durable by itself: until the registry has the outcome, a restart finds original and copy as they were and
/// decides the same; only the wait begins anew. A copy waits under any name: it is known by its inode.
/// </summary>
internal sealed class FileCopies(
    FileProbe probe, FileTable table, FileHandles handles, FileBirths births, Generations generations, AgentOptions options, TimeProvider time)
{
    private readonly OrderedDictionary<(FileIdentity Identity, string Topic), WaitingCopy> _waiting = [];

    /// <summary>The copies that wait.</summary>
    public IReadOnlyList<WaitingCopy> Waiting => [.. _waiting.Values];

    /// <summary>The followed files that a new one may be a copy of.</summary>
    /// <param name="path">Where the new one is, or was.</param>
    /// <param name="isNamed">Whether it is there still: then a followed file that had this path is not its original.</param>
    /// <param name="inputTopic">Its input's topic as that is written.</param>
    /// <param name="topic">The topic that it gets as a file of its own.</param>
    /// <param name="head">The fingerprint of the new one's first bytes.</param>
    public List<TailedFile> OriginalsOf(string path, bool isNamed, string inputTopic, string topic, in Fingerprint head)
    {
        string[] topics = inputTopic == topic ? [topic] : [inputTopic, topic];
        List<TailedFile> originals = [];
        string directory = FileProbe.DirectoryOf(path);
        foreach (string of in topics)
        {
            foreach (string name in CopyNames.OriginalsOf(Path.GetFileName(path)))
            {
                originals.AddRange(table.Named(name, of).Where(file => DirectoriesOf(file.Generation).Contains(directory)));
            }
        }
        if (head.Length == Fingerprint.LengthMax)
        {
            foreach (string of in topics)
            {
                originals.AddRange(table.WithHead(head, of));
            }
        }
        return originals.Count == 0 ? originals : [.. originals.Where(file => !isNamed || (file.Generation.Path != path && file.Generation.FirstPath != path)).Distinct()];
    }

    /// <summary>Whether a new file is the begin of one of its originals, which hold what was read of them, and has not waited too long.</summary>
    public bool MayWait(NewPath path)
    {
        IFile copy = path.File;
        if (!path.Originals.Exists(original => MayBeCopyOf(copy, original)))
        {
            return false;
        }
        return !_waiting.TryGetValue((path.Identity, path.Sighting.Input.Topic), out WaitingCopy? waiting) || copy.Length > waiting.Length
            || time.GetElapsedTime(waiting.GrownAt) < options.CopyWait;
    }

    /// <summary>Holds a copy until its original tells what it is.</summary>
    public void Hold(NewPath path)
    {
        (IFile copy, FileIdentity identity, InputOptions input) = (path.File, path.Identity, path.Sighting.Input);
        if (!_waiting.TryGetValue((identity, input.Topic), out WaitingCopy? waiting))
        {
            _waiting.Add((identity, input.Topic), new WaitingCopy(path.Sighting.Path, path.Topic, input, copy, identity) { GrownAt = time.GetTimestamp(), Length = copy.Length });
            return;
        }
        (waiting.Path, waiting.Topic) = (path.Sighting.Path, path.Topic);
        if (copy.Length > waiting.Length)
        {
            (waiting.Length, waiting.GrownAt) = (copy.Length, time.GetTimestamp());
        }
        if (copy != waiting.File)
        {
            copy.Dispose();
        }
    }

    /// <summary>It waits no longer, since it is followed by way of <paramref name="file"/>.</summary>
    public void Release(in FileIdentity identity, string topic, IFile? file)
    {
        if (_waiting.Remove((identity, topic), out WaitingCopy? waiting) && waiting.File != file)
        {
            waiting.File.Dispose();
        }
    }

    /// <summary>
    /// The original will hold no more of what was read. Takes its copies for what they are; returns the one that the generation
    /// goes on in, open, if there is one.
    /// </summary>
    /// <param name="original">The file whose copies are sought.</param>
    /// <param name="kept">What was read of it recently, byte for byte.</param>
    /// <param name="hostCrashed">Whether original and copies may have lost their end.</param>
    /// <param name="left">The original, where a crash cut it and it goes on: a copy of that waits on, as the next generation's.</param>
    public OpenCopy? Resolve(TailedFile original, Lazy<List<InflightEntry>> kept, bool hostCrashed, IFile? left = null)
    {
        Generation generation = original.Generation;
        string topic = original.Input.Topic;
        OpenCopy? heir = null;
        if (generation.IsUnknown)
        {
            return null;
        }
        foreach ((string path, FileIdentity identity, IFile? opened) in CandidatesOf(original))
        {
            if (opened is not IFile copy)
            {
                continue;
            }
            if (copy.Length == 0 || (left is not null && ContentCheck.IsBeginOf(copy, left)))
            {
                LetWait(copy, identity, topic);
            }
            else if (heir is null && (generation.Read.Position == 0 ? IsOfUnread(copy, identity, original) : HoldsAll(copy, generation, kept))
                && !IsRatherOfAnother(copy, path, original))
            {
                heir = new OpenCopy(path, copy, identity);
                _waiting.Remove((identity, topic));
            }
            else if ((hostCrashed || copy.Length < generation.Read.Position)
                && CrashCut.GoOnInCopy(generations.LivesOf(generation), copy, kept.Value, hostCrashed) is long begin)
            {
                _waiting.Remove((identity, topic));
                births.Begin(path, original.Input, copy, begin, GenerationPhase.Rotated, original);
            }
            else
            {
                LetWait(copy, identity, topic);
            }
        }
        return heir;
    }

    public void CloseAll()
    {
        foreach (WaitingCopy waiting in _waiting.Values)
        {
            waiting.File.Dispose();
        }
        _waiting.Clear();
    }

    /// <summary>Closes a candidate, unless it is held because it waits.</summary>
    private void LetWait(IFile copy, in FileIdentity identity, string topic)
    {
        if (!_waiting.TryGetValue((identity, topic), out WaitingCopy? waiting) || waiting.File != copy)
        {
            copy.Dispose();
        }
    }

    /// <summary>Whether a copy holds all that was read of a generation, and that is enough to tell it from any other file.</summary>
    private bool HoldsAll(IFile copy, Generation generation, Lazy<List<InflightEntry>> kept) =>
        ContentCheck.Holds(copy, generation)
        && ContentCheck.Suffices(copy, generation)
        // The tail alone may lie within a line that others have too.
        && (ContentCheck.IsHeadKnown(generation) || CrashCut.IsSame(generations.LivesOf(generation), copy, kept.Value));

    /// <summary>
    /// Whether a file is the copy of one of which nothing was read: it begins with what was seen of that, was written since, or not long before, and was never
    /// followed. An earlier copy may begin with the same lines.
    /// </summary>
    private bool IsOfUnread(IFile copy, in FileIdentity identity, TailedFile original) =>
        ContentCheck.BeginsWith(copy, original.Generation.Seen)
        && copy.Status().ModifiedTime >= (original.Generation.PhaseSince - (long)options.CopyWait.TotalMilliseconds) * 1_000_000
        && generations.LastOf(identity, original.Generation.Topic) is null;

    /// <summary>Whether more speaks for another original: it begins with all of the copy, and that is more than was read of this one.</summary>
    private bool IsRatherOfAnother(IFile copy, string path, TailedFile original) =>
        copy.Length > original.Generation.Read.Position
        && OriginalsOf(path, isNamed: true, original.Input.Topic, original.Generation.Topic, ContentCheck.HeadOf(copy)).Exists(
            o => o != original && handles.Of(o) is IFile handle && ContentCheck.IsBeginOf(copy, handle));

    private bool MayBeCopyOf(IFile copy, TailedFile original) =>
        copy.Length == 0
            // Its maker has just begun.
            ? original.Generation.Phase == GenerationPhase.Live
            // An original that cannot be opened now tells nothing: the next look does.
            : handles.Of(original) is not IFile handle || ContentCheck.IsBeginOf(copy, handle);

    /// <summary>The files that are not followed and may be copies: those that wait, under whatever name, and those beside the original.</summary>
    private IEnumerable<(string Path, FileIdentity Identity, IFile? File)> CandidatesOf(TailedFile original)
    {
        Generation generation = original.Generation;
        string topic = original.Input.Topic;
        HashSet<FileIdentity> told = [];
        foreach (WaitingCopy waiting in Waiting)
        {
            // The original itself may have the copy's name by now.
            if (waiting.Input.Topic == topic && OriginalsOf(waiting.Path, isNamed: false, topic, generation.Topic, ContentCheck.HeadOf(waiting.File)).Contains(original))
            {
                told.Add(waiting.Identity);
                yield return (waiting.Path, waiting.Identity, waiting.File);
            }
        }
        foreach (string path in DirectoriesOf(generation).SelectMany(directory => CopiesIn(directory, generation)))
        {
            if (probe.Stat(path) is not FileStatus { Kind: FileKind.Regular } status)
            {
                continue;
            }
            FileIdentity identity = FileIdentity.Of(status);
            if (table.With(identity, generation.Topic) is null && told.Add(identity))
            {
                yield return (path, identity, _waiting.TryGetValue((identity, topic), out WaitingCopy? held) ? held.File : probe.Open(path));
            }
        }
    }

    private IEnumerable<string> CopiesIn(string directory, Generation generation) =>
        probe.List(directory).Where(static entry => !entry.IsDirectory)
            .Where(entry => CopyNames.IsCopyOf(entry.Name, Path.GetFileName(generation.Path)) || CopyNames.IsCopyOf(entry.Name, Path.GetFileName(generation.FirstPath)))
            .Select(entry => Path.Combine(directory, entry.Name)).Where(path => path != generation.FirstPath && path != generation.Path);

    /// <summary>Where a copy may lie that was made under the name that it has now, or had first.</summary>
    private static IEnumerable<string> DirectoriesOf(Generation generation) =>
        new[] { FileProbe.DirectoryOf(generation.Path), FileProbe.DirectoryOf(generation.FirstPath) }.Distinct();
}

/// <summary>A file that may be the copy of a followed one, held open so that it can be read though its name goes.</summary>
internal sealed class WaitingCopy(string path, string topic, InputOptions input, IFile file, FileIdentity identity)
{
    public string Path { get; set; } = path;

    /// <summary>The topic that it gets if it proves to be a file of its own.</summary>
    public string Topic { get; set; } = topic;

    public InputOptions Input => input;

    public IFile File => file;

    public FileIdentity Identity => identity;

    public long Length { get; set; }

    /// <summary>When it was last seen to grow: a timestamp.</summary>
    public long GrownAt { get; set; }
}

/// <summary>A copy that a generation goes on in.</summary>
internal readonly record struct OpenCopy(string Path, IFile File, FileIdentity Identity);
