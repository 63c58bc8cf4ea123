using LogPipeline.Client.Metadata;

namespace LogPipeline.Client.Consuming.Fetching;

/// <summary>One owned partition. All fields are guarded by its table's lock.</summary>
internal sealed class PartitionState(TopicPartition partition)
{
    public TopicPartition Partition { get; } = partition;

    /// <summary>The next offset that a poll returns; -1 while it must be looked up.</summary>
    public long Position { get; set; } = -1;

    /// <summary>The next offset to fetch: the position and what waits to be polled.</summary>
    public long FetchOffset { get; set; } = -1;

    /// <summary>Counts seeks: what was asked for under an older count is dropped.</summary>
    public int Version { get; set; }

    /// <summary>The version under which a lookup of the position is under way; -1 for none.</summary>
    public int LookupVersion { get; set; } = -1;

    public bool IsPaused { get; set; }

    public bool IsFetching { get; set; }

    /// <summary>Of the record before the position; -1 unknown.</summary>
    public int PositionEpoch { get; set; } = -1;

    /// <summary>Of the record before the fetch offset; -1 unknown.</summary>
    public int FetchedEpoch { get; set; } = -1;

    /// <summary>The leader's, as it was when last fetched from; -1 unknown.</summary>
    public int LeaderEpoch { get; set; } = -1;

    /// <summary>The log may have been cut below the position: ask the leader before fetching on.</summary>
    public bool NeedsEpochCheck { get; set; }

    /// <summary>The leader says that the fetch offset is outside the log.</summary>
    public bool IsOutOfRange { get; set; }

    /// <summary>What the poll is to throw.</summary>
    public Exception? Failure { get; set; }

    public long HighWatermark { get; set; } = -1;

    public long LogStartOffset { get; set; } = -1;

    /// <summary>Fetched bytes that wait to be polled.</summary>
    public int BufferedBytes { get; set; }

    public bool IsFetchable => Position >= 0 && !IsPaused && !IsFetching && !NeedsEpochCheck && !IsOutOfRange && Failure is null;

    /// <summary>Whether a lookup is to begin. One that failed for a while begins again though its failure was not told yet: others' data comes first.</summary>
    public bool NeedsLookup => !IsPaused && LookupVersion != Version && (Failure is null || DeadlineRetry.IsTransient(Failure))
        && (Position < 0 || NeedsEpochCheck || IsOutOfRange && BufferedBytes == 0);

    /// <summary>Whether what was fetched may not be polled now: the caller paused it, or the log may have been cut below it.</summary>
    public bool IsHeld => IsPaused || NeedsEpochCheck;

    public void MoveTo(long offset, int epoch)
    {
        Version++;
        (Position, FetchOffset) = (offset, offset);
        (PositionEpoch, FetchedEpoch) = (epoch, epoch);
        NeedsEpochCheck = epoch >= 0;
        IsOutOfRange = false;
        Failure = null;
    }
}
