namespace LogPipeline.Files.Journals;

/// <summary>
/// What a <see cref="Journal"/> tells its owner, one call at a time and outside any lock, on the thread that flushed or that asked for
/// the commit. The next commit may be under way already, the one after it waits for the call, which must be short and not throw.
/// </summary>
public interface IJournalOwner
{
    /// <summary>A commit, and every one before it, is durable.</summary>
    void Committed(JournalCommit commit);

    /// <summary>
    /// The next commit finds no file whose content is safe elsewhere. It waits until <see cref="Journal.Trim"/> frees one;
    /// <paramref name="lastCommit"/> is the newest durable commit, so trimming up to it always helps.
    /// </summary>
    void SpaceNeeded(long lastCommit);

    /// <summary>
    /// The disk refused a commit: nothing in it is durable. It stays at the head of the queue, and the next
    /// <see cref="Journal.Commit"/> writes the same bytes to the same place again.
    /// </summary>
    void Failed(Exception cause);
}

/// <summary>A durable commit.</summary>
/// <param name="Number">Rises by one with each commit, over all lives of the journal; the first is 1.</param>
/// <param name="File">Index of the file it is in.</param>
public readonly record struct JournalCommit(long Number, int File);
