using LogPipeline.Agent.State;
using LogPipeline.Files;

namespace LogPipeline.Agent.Tailing;

/// <summary>A file that a path names and that is not followed, open, and what can be told of it.</summary>
internal sealed class NewPath : IPathFacts, IDisposable
{
    private readonly PathRules _rules;
    private readonly FileTable _table;
    private readonly FileHandles _handles;
    private readonly FileCopies _copies;
    private readonly Generations _generations;
    private IFile? _file;
    private bool? _isReadable;
    private (Fingerprint Head, bool IsCompressed)? _begin;

    public NewPath(Sighting sighting, PathRules rules, FileProbe probe, FileTable table, FileHandles handles, FileCopies copies, Generations generations)
    {
        (_rules, _table, _handles, _copies, _generations, Sighting) = (rules, table, handles, copies, generations, sighting);
        Topic = rules.TopicOf(sighting.Path, sighting.Input) ?? sighting.Input.Topic;
        _file = sighting.Held ?? probe.Open(sighting.NameNow ?? sighting.Path);
    }

    public Sighting Sighting { get; }

    public FileIdentity Identity => FileIdentity.Of(Sighting.Status);

    /// <summary>The topic that it gets as a file of its own.</summary>
    public string Topic { get; }

    /// <summary>Why there can be no such topic; null when there can.</summary>
    public string? TopicProblem => _rules.ProblemOf(Topic, Sighting.Input);

    public bool HasTopic => TopicProblem is null;

    public IFile File => _file!;

    public bool IsReadable => _isReadable ??= _file is not null && FileIdentity.Of(_file.Status()) == Identity;

    public bool IsCompressed => Sighting.Input.Source is null && Begin.IsCompressed;

    /// <summary>The followed files that it may be a copy of.</summary>
    public List<TailedFile> Originals => _copies.OriginalsOf(Sighting.Path, Sighting.IsNamed, Sighting.Input.Topic, Topic, Begin.Head);

    /// <summary>What its first bytes tell, read once.</summary>
    private (Fingerprint Head, bool IsCompressed) Begin => _begin ??= ContentCheck.BeginOf(File);

    /// <summary>The last generation that the file was, if it is over and the file holds what was read of it.</summary>
    public Generation? Away =>
        _generations.LastOf(Identity, generation => _rules.Gives(Sighting.Input, generation) && (Sighting.Input.Source is null || generation.Path == Sighting.Path)) is Generation last
        // Without a time of birth the inode may be another file's by now: then a whole fingerprint must prove it.
        && last.Read.Position >= (last.Identity.BirthTime == 0 ? Fingerprint.LengthMax : 1) && ContentCheck.Holds(File, last) ? last : null;

    public bool WasAway => Away is not null;

    /// <summary>
    /// The generation of the file that the path named before, if that file is gone and this one begins with all that was read of it; or if it is the same file,
    /// as its handle shows, under another identity: an overlay gives one when it copies a file up to be written to.
    /// </summary>
    public Generation? Replaced
    {
        get
        {
            Generation? before = _table.At(Sighting.Path, Sighting.Input.Topic)?.Generation
                ?? _generations.LatestAt(Sighting.Path, Topic);
            return before is { Phase: GenerationPhase.Live or GenerationPhase.Gone or GenerationPhase.Rotated } && before.Path == Sighting.Path
                && (HasBecomeThis(before) || (IsGone(before) && ContentCheck.Continues(File, before))) ? before : null;
        }
    }

    public bool ReplacesOneThatIsGone => Replaced is not null;

    public bool MayBeCopy => Sighting.Input.Source is null && _copies.MayWait(this);

    /// <summary>Hands the open file over to the generation that follows it; it waits as a copy no longer.</summary>
    public IFile Take()
    {
        IFile file = File;
        _file = null;
        _copies.Release(Identity, Sighting.Input.Topic, file);
        return file;
    }

    /// <summary>Leaves the open file with those that wait as copies.</summary>
    public void Wait()
    {
        _copies.Hold(this);
        _file = null;
    }

    public void Dispose()
    {
        if (_file is not null && _file != Sighting.Held)
        {
            _file.Dispose();
        }
    }

    private bool HasBecomeThis(Generation before) =>
        _table.With(before.Identity, before.Topic) is { Handle: IFile handle } followed && followed.Generation == before && FileIdentity.Of(handle.Status()) == Identity;

    private bool IsGone(Generation before) =>
        _table.With(before.Identity, before.Topic) is not TailedFile followed || followed.Generation != before
            ? before.Phase == GenerationPhase.Gone
            : followed.Handle is IFile handle ? handle.Status().Links == 0 : _handles.NamedStatusOf(followed) is null;
}

/// <summary>What a path names or named a moment ago, where that is not the file that it named before.</summary>
/// <param name="Path">The path.</param>
/// <param name="Input">The input that wants it.</param>
/// <param name="Status">What was seen there.</param>
/// <param name="Displaced">The followed file that the path named before.</param>
/// <param name="Held">The file, where it was held open as a copy that waits; its owner closes it.</param>
/// <param name="NameNow">The name that the file has by now; null where the path names it still.</param>
internal sealed record Sighting(
    string Path, InputOptions Input, FileStatus Status, TailedFile? Displaced, IFile? Held = null, string? NameNow = null)
{
    /// <summary>False for a file that is held and that its path names no more: another file may be there, even the original that it is a copy of.</summary>
    public bool IsNamed { get; init; } = true;
}
