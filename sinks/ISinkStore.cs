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

/// <summary>One transaction. Disposed without a commit it leaves nothing behind.</summary>
public interface ISinkFlush : IAsyncDisposable
{
    /// <summary>Reads the rows of these sources, adding those that are missing; the result is in the order asked for.</summary>
    /// <param name="sources">Sorted by key, each once.</param>
    ValueTask<IReadOnlyList<SourceState>> ReadSourcesAsync(IReadOnlyList<Source> sources, CancellationToken cancellation);

    /// <summary>
    /// Stores the rows of the batch, which is parsed, that are <see cref="RowState.Store"/>. A row that the table refuses for its data is marked
    /// <see cref="RowState.Refused"/> and named in <see cref="RowBatch.Refusals"/>; the others are stored.
    /// </summary>
    /// <param name="sourceIds">The id of each of the batch's sources, by index.</param>
    ValueTask CopyRowsAsync(int logId, RowBatch rows, IReadOnlyList<int> sourceIds, CancellationToken cancellation);

    /// <summary>Advances a ledger row where owner and expected offset hold; gives the rows affected: 1, or 0.</summary>
    ValueTask<int> UpdateLedgerAsync(LedgerUpdate update, CancellationToken cancellation);

    /// <summary>Writes ranges in key order where the version is as read; gives the rows affected.</summary>
    ValueTask<int> UpdateSourcesAsync(IReadOnlyList<SourceState> sources, CancellationToken cancellation);

    ValueTask WriteDeadLettersAsync(IReadOnlyList<DeadLetter> letters, CancellationToken cancellation);

    ValueTask WriteGapAsync(LedgerGap gap, CancellationToken cancellation);

    /// <summary>Makes all of it durable at once. When it throws, the outcome is unknown: claim again and read the ledger.</summary>
    ValueTask CommitAsync(CancellationToken cancellation);

    ValueTask RollbackAsync(CancellationToken cancellation);
}

/// <summary>A transaction of a store whose dead letters can be tried again.</summary>
public interface IDeadLetterFlush : ISinkFlush
{
    /// <summary>Removes dead letters that have a place and returns them, by log and offset.</summary>
    /// <param name="condition">On the columns of <c>logpipe_dead_letters</c>.</param>
    /// <param name="after">Only letters behind this log and offset.</param>
    /// <param name="atMost">How many at most.</param>
    ValueTask<IReadOnlyList<DeadLetter>> TakeDeadLettersAsync(string condition, (int Log, long Offset) after, int atMost, CancellationToken cancellation);
}

/// <summary>The database cannot be reached or is not able to work now; trying later helps.</summary>
public sealed class StoreUnavailableException(string message, Exception? cause = null) : Exception(message, cause);

/// <summary>Another table has taken the place of the one that the store opened, as after a rebuild: a store that is opened now goes on in it.</summary>
public sealed class TableReplacedException(string message) : Exception(message);

/// <summary>The database is not the one expected or refuses for a reason that waiting does not mend. Says what to do.</summary>
public sealed class StoreRefusedException(string message, Exception? cause = null) : Exception(message, cause)
{
    /// <summary>Says that the ledger has no row of a topic of which lines are stored: read from its begin they would be stored once more.</summary>
    internal static StoreRefusedException LostLedgerRows(string sink, string topic) => new(
        $"sink {sink}: the ledger has lost its rows of topic {topic} (logpipe_logs), and logpipe_sources says that lines of it are stored, which would be stored once more: "
        + "restore logpipe_logs from a backup, or give the sink a new name and table, which are filled from the topic.");

    /// <summary>Says that the rows there are another sink's: beside them this one would store each line once more.</summary>
    /// <param name="place">Such as <c>table web_log_rows</c>.</param>
    /// <param name="setting">What names the place in the configuration.</param>
    internal static StoreRefusedException HoldsRowsOf(string other, string sink, string place, string setting) => new(
        $"sink {sink}: {place} holds rows of sink {other}, and would hold each line twice. If this sink was renamed, give it the name {other} back; else give it another `{setting}`.");

    /// <summary>Says that the sink's rows are made with another configuration than this process has, and that this one does not change that.</summary>
    /// <param name="place">Such as <c>table web_log_rows</c>.</param>
    /// <param name="theirs">The configuration hash that the ledger has.</param>
    /// <param name="mine">The one of this process.</param>
    internal static StoreRefusedException WrittenOtherwise(string sink, string place, string theirs, string mine)
    {
        (string their, string my) = (RowColumns.ParserOf(theirs), RowColumns.ParserOf(mine));
        return new StoreRefusedException(
            $"sink {sink}: {place} is written with parser {their}{(their == my ? " and other settings or columns" : "")} by now, and this process has parser {my}, from before or from another configuration. "
            + "Give all processes of the sink the same one, and start this process again.");
    }
}
