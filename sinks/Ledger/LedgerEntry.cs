namespace LogPipeline.Sinks.Ledger;

/// <summary>A row of <c>logpipe_logs</c>.</summary>
/// <param name="Id">What rows carry in their column <c>log</c>.</param>
/// <param name="NextOffset">The first offset that is not yet in the table; control batches, fences and holes are counted.</param>
/// <param name="LeaderEpoch">The leader epoch of the last batch consumed; -1 before the first.</param>
public sealed record LedgerEntry(int Id, LogIdentity Log, long NextOffset, int LeaderEpoch, OwnerToken Owner);

/// <summary>Where a log begins for a sink that has not seen it.</summary>
public readonly record struct LedgerStart(LogIdentity Log, long Offset)
{
    /// <summary>The first offset that is there and is not stored, and why: noted as a gap; null where the log begins at <see cref="Offset"/>.</summary>
    public (long From, string Reason)? LeftOut { get; init; }
}

/// <summary>A conditional advance: it takes effect only where owner and expected offset are as the writer believes.</summary>
public readonly record struct LedgerUpdate(int LogId, OwnerToken Owner, long Expected, long Next, int LeaderEpoch);

/// <summary>Offsets that the log no longer had when the sink came for them, or that it was told to leave out.</summary>
public readonly record struct LedgerGap(int LogId, long From, long To, DateTimeOffset Found, string Reason)
{
    /// <summary>The reason of what a rebuild leaves out.</summary>
    public const string LeftOut = "left out by a rebuild";

    /// <summary>The reason of what was there before a sink that begins at the end.</summary>
    public const string BeforeStart = "before the sink's first start (start_from: latest)";
}
