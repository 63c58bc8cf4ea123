using LogPipeline.Agent.State;
using LogPipeline.Files;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Agent.Tailing;

/// <summary>What becomes of files that paths name and that are not followed: <see cref="Reconciler"/> decides, here it is done.</summary>
internal sealed class NewFiles(
    PathRules rules, FileProbe probe, FileTable table, FileHandles handles, FileBirths births, FileLives lives, FileCopies copies,
    Generations generations, AgentState state, AgentOptions options, TimeProvider time, AgentMetrics metrics, ILogger logger)
{
    private readonly Dictionary<(FileIdentity Identity, string Topic), LeftOutFile> _leftOut = [];

    /// <summary>Called for a file that is followed from now on, with what was seen of it.</summary>
    public Action<TailedFile, FileStatus>? Check { get; set; }

    /// <summary>A file that is not followed.</summary>
    public void See(Sighting sighting)
    {
        FileIdentity identity = FileIdentity.Of(sighting.Status);
        string topic = sighting.Input.Topic;
        if (FollowedAs(sighting, identity) is TailedFile followed)
        {
            copies.Release(identity, topic, followed.Handle);
            return;
        }
        if (_leftOut.TryGetValue((identity, topic), out LeftOutFile leftOut) && (leftOut.Path is null || leftOut.Path == sighting.Path))
        {
            _leftOut[(identity, topic)] = leftOut with { Look = table.Look };
            return;
        }
        using var path = new NewPath(sighting, rules, probe, table, handles, copies, generations);
        PathStep step = Reconciler.OfPath(path);
        if (step == PathStep.None)
        {
            return;
        }
        if (step == PathStep.Continue)
        {
            ContinueIn(path, path.Replaced!);
            return;
        }
        if (step == PathStep.Refuse)
        {
            Refuse(path);
            return;
        }
        if (sighting.Displaced is TailedFile displaced)
        {
            lives.MarkRotated(displaced);
            if (table.Holds(displaced) && handles.StatusOf(displaced) is FileStatus status)
            {
                Check?.Invoke(displaced, status); // what was written to it last comes before what the new file holds
            }
        }
        bool isCut = CutOriginals(path);
        if (table.With(identity, topic) is null)
        {
            Take(isCut ? Reconciler.OfPath(path) : step, path);
        }
        if (table.With(identity, topic) is TailedFile begun)
        {
            CheckNow(begun, sighting);
            table.Link(begun, probe.RealPath(sighting.Path));
        }
        probe.Succeeded(sighting.Path);
    }

    /// <summary>
    /// An original that was cut and has grown again shows only now, and the new file may be its copy, or one of what came since. True when there was one.
    /// </summary>
    private bool CutOriginals(NewPath path)
    {
        bool isCut = false;
        foreach (TailedFile original in path.Originals)
        {
            if (handles.Of(original) is IFile handle && !ContentCheck.Holds(handle, original.Generation))
            {
                lives.Cut(original);
                isCut = true;
            }
        }
        return isCut;
    }

    private void Take(PathStep step, NewPath path)
    {
        Sighting sighting = path.Sighting;
        InputOptions input = sighting.Input;
        switch (step)
        {
            case PathStep.LeaveOut:
                _leftOut[(path.Identity, input.Topic)] = new LeftOutFile(table.Look, Path: null);
                metrics.LeftOutFiles.Add(1);
                logger.Compressed(sighting.Path);
                break;
            case PathStep.Resume:
                Generation last = path.Away!;
                last.Path = sighting.Path;
                lives.Enter(last, GenerationPhase.Live);
                TailedFile resumed = births.Follow(last, input);
                handles.Give(resumed, path.Take());
                resumed.Predecessor = sighting.Displaced ?? resumed.Predecessor;
                break;
            case PathStep.Wait:
                path.Wait();
                break;
            case PathStep.Begin:
                bool fromEnd = input.ReadFrom == ReadFrom.End && !rules.KeysOf(sighting.Path, input).Any(state.Registry.InputsStarted.Contains);
                long begin = fromEnd ? LastLineEnd.In(path.File, input) : 0;
                TailedFile? before = sighting.Displaced ?? LastOf(sighting.Path, path.Topic);
                GenerationPhase phase = sighting.Status.Links > 0 ? GenerationPhase.Live : GenerationPhase.Rotated;
                TailedFile begun = births.Begin(sighting.Path, input, path.Take(), begin, phase);
                begun.Predecessor = before ?? begun.Predecessor;
                if (before is null)
                {
                    table.NoteFirst(begun);
                }
                break;
            default:
                break;
        }
    }

    /// <summary>The file that a path named before, if it was rotated, as while the agent was away, and is not yet read to its end.</summary>
    private TailedFile? LastOf(string path, string topic) =>
        generations.LatestAt(path, topic) is { Phase: GenerationPhase.Rotated } last ? table.With(last.Identity, topic) : null;

    /// <summary>The followed file that a sighting is of, by way of its own input or of another one that gives it the same topic.</summary>
    private TailedFile? FollowedAs(Sighting sighting, FileIdentity identity)
    {
        InputOptions input = sighting.Input;
        TailedFile? own = table.With(identity, input.Topic);
        if (own is not null || !TopicTemplate.IsTemplate(input.Topic))
        {
            return own;
        }
        return rules.TopicOf(sighting.Path, input) is string topic ? table.With(identity, topic) : null;
    }

    /// <summary>No topic can have the name that the template gives: it is told, and asked for again under another path.</summary>
    private void Refuse(NewPath path)
    {
        _leftOut[(path.Identity, path.Sighting.Input.Topic)] = new LeftOutFile(table.Look, path.Sighting.Path);
        path.Take().Dispose(); // it may have waited as a copy
        probe.Refuse(path.Sighting.Path, path.TopicProblem!);
    }

    private void ContinueIn(NewPath path, Generation replaced)
    {
        TailedFile file = table.With(replaced.Identity, replaced.Topic) is TailedFile followed && followed.Generation == replaced
            ? followed : births.Follow(replaced, path.Sighting.Input);
        lives.ContinueIn(path.Take(), file);
        CheckNow(file, path.Sighting);
    }

    /// <summary>
    /// Holds the file as it is now against what was read of it: what the look saw may be older than what was decided from the content. A copy
    /// that was being written then was shorter than what is read of its original. Of a file that is new from its first byte nothing is read, and one
    /// that waits for a handle is not opened for this.
    /// </summary>
    private void CheckNow(TailedFile file, in Sighting sighting) =>
        Check?.Invoke(file, file.Generation.Read.Position > 0 && file.Handle is IFile held ? held.Status() : sighting.Status);

    /// <summary>A copy that waits: its path names it still, or it is told by its handle.</summary>
    public void LookAt(WaitingCopy copy)
    {
        bool isNamed = probe.Stat(copy.Path) is FileStatus there && FileIdentity.Of(there) == copy.Identity;
        FileStatus status = copy.File.Status();
        if (!isNamed && status.Links > 0 && time.GetElapsedTime(copy.GrownAt) < options.CopyWait)
        {
            return; // it has another name, which the next look at all files finds
        }
        See(new Sighting(copy.Path, copy.Input, status, isNamed ? table.At(copy.Path, copy.Input.Topic) : null, copy.File) { IsNamed = isNamed });
    }

    /// <summary>A look at all files is over: what it did not see of the files that are left out is gone.</summary>
    public void ForgetUnseen()
    {
        foreach ((FileIdentity, string) gone in _leftOut.Where(file => file.Value.Look != table.Look).Select(static file => file.Key).ToList())
        {
            _leftOut.Remove(gone);
        }
    }

    /// <summary>A file that is compressed, or can have no topic.</summary>
    /// <param name="Look">The look that saw it last.</param>
    /// <param name="Path">The path for which that holds; null = whatever its name is.</param>
    private readonly record struct LeftOutFile(long Look, string? Path);
}
