using LogPipeline.Sinks.Ledger;

namespace LogPipeline.Simulation.Database;

/// <summary>One backend and its transaction: what it will change when it commits.</summary>
internal sealed class Session
{
    /// <summary>Null while it lives.</summary>
    public string? EndedBecause { get; set; }

    public List<TableRow> Rows { get; } = [];

    public List<LedgerUpdate> Updates { get; } = [];

    public List<SourceRow> Sources { get; } = [];

    public List<DeadLetter> DeadLetters { get; } = [];

    /// <summary>Dead letters that it removes.</summary>
    public List<DeadLetter> TakenLetters { get; } = [];

    public List<LedgerGap> Gaps { get; } = [];

    /// <summary>Whether its client began it although it knew that the sink was paused.</summary>
    public bool BeganPaused { get; init; }
}

/// <summary>A statement at the server: tried until the locks it needs are free, then answered.</summary>
internal sealed class Operation(Session session, TimeSpan patience, bool terminatesHolder)
{
    public Session Session => session;

    /// <summary>How long it waits for a lock.</summary>
    public TimeSpan Patience => patience;

    /// <summary>Whether, out of patience, it ends the session that holds the lock.</summary>
    public bool TerminatesHolder => terminatesHolder;

    /// <summary>The row whose lock is missing.</summary>
    public object? BlockedOn { get; set; }

    /// <summary>Runs it; false while it is blocked.</summary>
    public required Func<bool> Try { get; init; }

    /// <summary>Told how it ended; null = done.</summary>
    public required Action<Exception?> Answer { get; init; }
}
