using LogPipeline.Agent.State;

namespace LogPipeline.Agent.Tailing;

/// <summary>What is to be done about a followed file.</summary>
internal enum FileStep
{
    None,

    /// <summary>It may have something to read.</summary>
    Read,

    /// <summary>It was finished and has grown: it is read on.</summary>
    Revive,

    /// <summary>It does not hold what was read of it.</summary>
    Cut,

    /// <summary>It is rotated and quiet: what follows its last line feed is taken as it is.</summary>
    TakeRest,

    /// <summary>It is rotated, read to its end, acked and quiet.</summary>
    Finish,
}

/// <summary>What is to be done about a path that names a file which is not followed.</summary>
internal enum PathStep
{
    /// <summary>It cannot be read, or has another name by now: the next look tells.</summary>
    None,

    /// <summary>It is compressed: its lines were read before it was, or are older than the agent.</summary>
    LeaveOut,

    /// <summary>A generation that was over goes on in it: it was away, as while its volume was not mounted.</summary>
    Resume,

    /// <summary>It takes the place of a file that is gone, and begins with all that was read of that: the generation goes on in it.</summary>
    Continue,

    /// <summary>It may be the copy that copytruncate makes of a followed file: that file's next state tells.</summary>
    Wait,

    /// <summary>It is a file of its own.</summary>
    Begin,

    /// <summary>It is a file of its own, and no topic can have the name that its path gives.</summary>
    Refuse,
}

/// <summary>One look at a followed file beside what was known of it.</summary>
/// <param name="Phase">The generation's phase.</param>
/// <param name="Read">How far it was read; what lies before is in batches.</param>
/// <param name="Acked">How far it is acked.</param>
/// <param name="Length">Its length now.</param>
/// <param name="IsChanged">Whether length or time of modification are others than at the last look.</param>
/// <param name="IsQuiet">Whether it has not changed for as long as a rotated file is waited for.</param>
/// <param name="IsScanned">Whether all of it was searched for line feeds.</param>
internal readonly record struct FileFacts(GenerationPhase Phase, long Read, long Acked, long Length, bool IsChanged, bool IsQuiet, bool IsScanned);

/// <summary>What is known of a path's new file. Each answer may cost a read of the disk, so they are asked for in turn.</summary>
internal interface IPathFacts
{
    /// <summary>Whether the file could be opened, and is the one that was seen.</summary>
    bool IsReadable { get; }

    bool IsCompressed { get; }

    /// <summary>Whether a generation that is over was this file, and the file holds what was read of it.</summary>
    bool WasAway { get; }

    /// <summary>Whether the file that the path named before is gone, and this one begins with all that was read of it.</summary>
    bool ReplacesOneThatIsGone { get; }

    /// <summary>Whether it is the begin of a followed file that still holds what was read, and is not waited for too long.</summary>
    bool MayBeCopy { get; }

    /// <summary>Whether there can be a topic of the name that its path gives.</summary>
    bool HasTopic { get; }
}

/// <summary>
/// Decides what becomes of files: facts in, a step out, nothing read or changed here. A look brings the facts, <see cref="FileLives"/> takes
/// the steps.
/// </summary>
internal static class Reconciler
{
    /// <param name="facts">The look.</param>
    /// <param name="holdsTail">
    /// Whether the file has before its read position what was read there, or its first bytes as they were seen; asked only where nothing else tells.
    /// </param>
    public static FileStep OfFile(in FileFacts facts, Func<bool> holdsTail)
    {
        // That a file was cut and has grown again its reader finds. One of which nothing was read may wait long for that, and its copy be gone.
        if (facts.Length < facts.Read || (facts.IsChanged && (facts.Length == facts.Read || facts.Read == 0) && !holdsTail()))
        {
            return FileStep.Cut;
        }
        if (facts.Length == facts.Read)
        {
            return FileStep.None;
        }
        return facts.Phase == GenerationPhase.Finished ? FileStep.Revive : FileStep.Read;
    }

    /// <summary>A file whose path names another file, or none.</summary>
    public static FileStep OfRotated(in FileFacts facts) =>
        facts.Phase != GenerationPhase.Rotated || !facts.IsQuiet ? FileStep.None
        : facts.Length > facts.Read ? facts.IsScanned ? FileStep.TakeRest : FileStep.Read
        : facts.Acked == facts.Read ? FileStep.Finish : FileStep.None;

    public static PathStep OfPath(IPathFacts facts) =>
        !facts.IsReadable ? PathStep.None
        : facts.IsCompressed ? PathStep.LeaveOut
        : facts.WasAway ? PathStep.Resume
        : facts.ReplacesOneThatIsGone ? PathStep.Continue
        : facts.MayBeCopy ? PathStep.Wait
        : facts.HasTopic ? PathStep.Begin
        : PathStep.Refuse;
}
