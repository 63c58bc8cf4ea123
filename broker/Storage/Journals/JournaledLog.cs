namespace LogPipeline.Storage.Journals;

/// <summary>What the commit journal keeps of one log. The journal's lock guards it.</summary>
internal sealed class JournaledLog(PartitionLog log)
{
    public PartitionLog Log => log;

    /// <summary>The oldest commit with bytes of this log that its segment's file may not hold durably; 0 when there is none.</summary>
    public long UnsyncedSince { get; set; }

    /// <summary>Counts the appends, so that a sync can tell whether it covered the last one.</summary>
    public long Appends { get; set; }

    /// <summary>Whether it stands in the list of logs to be synced.</summary>
    public bool IsListed { get; set; }

    /// <summary>Its place in the commit that waits; valid while <see cref="PendingCommit"/> is that commit's number.</summary>
    public int PendingIndex { get; set; }

    public long PendingCommit { get; set; }
}
