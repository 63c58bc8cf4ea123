namespace LogPipeline.Storage;

/// <summary>
/// How far a log is durable, from the two ways a batch gets there. The end needs every earlier byte: what is in a durable commit of the
/// journal counts only when the last batch that is not in the journal was synced in its segment. The partition's lock guards all but
/// <see cref="End"/>.
/// </summary>
/// <remarks>
/// <code>
///   0 ......... synced ............ direct end ............ journaled ...... log end offset
///     in the segments' files        last batch that is      in a durable     written
///                                   not in the journal      commit
/// </code>
/// </remarks>
internal sealed class DurableEnd(LogEnd start)
{
    private LogEnd _end = start;
    private LogEnd _journaled = start;
    private long _directEnd = start.Offset;

    /// <summary>All below outlives a power cut. May be read without the lock.</summary>
    public LogEnd End => Volatile.Read(ref _end);

    /// <summary>All below is durable in the segments' files.</summary>
    public LogEnd Synced { get; private set; } = start;

    /// <summary>Whether the journal has all that is not in the segments' files: then no ack waits for their sync.</summary>
    public bool IsJournaledBeyondSynced => Synced.Offset >= _directEnd;

    /// <summary>What was written up to here is not all in the journal.</summary>
    public void WrittenDirectly(long endOffset) => _directEnd = endOffset;

    /// <summary>The segments' files are durable up to here.</summary>
    public void SyncedTo(LogEnd end)
    {
        if (end.Offset > Synced.Offset)
        {
            Synced = end;
            Advance();
        }
    }

    /// <summary>What is in the journal up to here is in a durable commit.</summary>
    public void JournaledTo(LogEnd end)
    {
        if (end.Offset > _journaled.Offset)
        {
            _journaled = end;
            Advance();
        }
    }

    /// <summary>The same offset at the begin of a new segment; all before it is synced.</summary>
    public void Rolled(LogEnd end)
    {
        Synced = end;
        Volatile.Write(ref _end, end);
    }

    /// <summary>The log was cut and ends here; all of it is synced.</summary>
    public void CutTo(LogEnd end)
    {
        (_journaled, _directEnd) = (end, end.Offset);
        Rolled(end);
    }

    private void Advance()
    {
        LogEnd end = Synced.Offset >= _directEnd && _journaled.Offset > Synced.Offset ? _journaled : Synced;
        if (end.Offset > _end.Offset)
        {
            Volatile.Write(ref _end, end);
        }
    }
}
