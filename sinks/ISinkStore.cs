using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Parsing;
using LogPipeline.Sinks.Rows;

namespace LogPipeline.Sinks;

/// <summary>
/// The seam between a sink and its database: ledger and rows in one place, so that both move in one transaction. PostgreSQL,
/// SQLite, files and the simulator's database implement it, and all keep the same contract.
/// </summary>
/// <remarks>
/// Every call may throw <see cref="StoreUnavailableException"/> (wait, then go on), or <see cref="StoreRefusedException"/> (a
/// person must act); a claim <see cref="TableReplacedException"/> (open another store). Flushes of different logs may run beside each other.
/// Nothing is changed outside a flush but by
/// <see cref="OpenAsync"/>, <see cref="CreateAsync"/>, <see cref="ClaimAsync"/>, <see cref="PrepareAsync"/> and <see cref="Chores"/>, each in
/// transactions of its own.
/// </remarks>
public interface ISinkStore : IAsyncDisposable
{
    /// <summary>For people: <c>postgres</c>, <c>sqlite</c>, <c>files</c>.</summary>
    string Kind { get; }

    /// <summary>Finds the columns that the store has: rows are parsed by it before they come, outside of any transaction.</summary>
    ILineParser Parser { get; }

    /// <summary>
    /// Creates the tables or checks that they are the ones expected, and gives the ledger's id: random, made with the ledger, so
    /// that another database is told from this one.
    /// </summary>
    ValueTask<Guid> OpenAsync(CancellationToken cancellation);

    /// <summary>All of this sink's ledger rows, ordered by id.</summary>
    ValueTask<IReadOnlyList<LedgerEntry>> ReadLedgerAsync(CancellationToken cancellation);

    /// <summary>Adds ledger rows; those that are there already stay as they are.</summary>
    ValueTask CreateAsync(IReadOnlyList<LedgerStart> starts, CancellationToken cancellation);

    /// <summary>
    /// Writes the owner into a log's ledger row and reads the row; null when there is none. When another owner holds the row's
    /// lock for 5 s, its backend is ended.
    /// </summary>
    ValueTask<LedgerEntry?> ClaimAsync(LogIdentity log, OwnerToken owner, CancellationToken cancellation);

    /// <summary>
    /// Makes what a flush of these rows needs and what no flush makes, such as a day's partition. Called before the flush begins, which then
    /// waits for nothing but its rows.
    /// </summary>
    ValueTask PrepareAsync(RowBatch rows, CancellationToken cancellation) => ValueTask.CompletedTask;

    /// <summary>Work beside the flushes, once the store is open: makes what lines will need soon, removes what is too old to be kept.</summary>
    IReadOnlyList<Chore> Chores => [];

    /// <summary>Begins a transaction.</summary>
    ValueTask<ISinkFlush> BeginAsync(CancellationToken cancellation);
}
