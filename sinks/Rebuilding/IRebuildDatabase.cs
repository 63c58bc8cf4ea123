using System.Data.Common;
using LogPipeline.Sinks.Query;
using LogPipeline.Sinks.Rows;

namespace LogPipeline.Sinks.Rebuilding;

/// <summary>Where the databases differ for a rebuild: connections, what a transaction holds, and how tables change their names. All else is the same SQL in each.</summary>
internal interface IRebuildDatabase : IAsyncDisposable
{
    /// <summary>Types and tests that are written differently.</summary>
    ISqlDialect Dialect { get; }

    /// <summary>Whether there is a database: an SQLite file is made by the sink's first start.</summary>
    bool IsThere { get; }

    /// <summary>What makes a transaction hold a row that it reads: the end of the statement.</summary>
    string HoldingRow { get; }

    /// <summary>
    /// Whether a transaction holds rows of the ledger, and sinks whose rows it does not hold go on storing. Otherwise it holds the database, and nobody stores.
    /// </summary>
    bool HoldsRowsAlone { get; }

    ValueTask<DbConnection> OpenAsync(CancellationToken cancellation);

    /// <summary>Begins a transaction that may take as long as it does.</summary>
    /// <param name="lockSeconds">How long it waits for each lock; 0 = as the database says.</param>
    ValueTask<DbTransaction> BeginAsync(DbConnection connection, int lockSeconds, CancellationToken cancellation);

    /// <summary>Keeps stores from opening a table meanwhile, which takes its names and its ledger rows for one.</summary>
    Task HoldNamesAsync(DbConnection connection, CancellationToken cancellation);

    /// <summary>Holds the ledger rows of a sink: a flush under way ends first, and none begins.</summary>
    Task HoldLedgerAsync(DbConnection connection, string sink, CancellationToken cancellation);

    /// <summary>Why the table cannot be rebuilt by this user in this database, and what to do; null when it can.</summary>
    Task<string?> RefusalAsync(DbConnection connection, TableName table, CancellationToken cancellation);

    /// <summary>Renames tables, their indexes and views in the caller's transaction: what is called <paramref name="live"/> gets the name <paramref name="outgoing"/>.</summary>
    /// <param name="live">What the names stand for from now on.</param>
    /// <param name="incoming">What takes them.</param>
    /// <exception cref="RebuildRefusedException">Something that people made would go on with the table that goes.</exception>
    Task ExchangeNamesAsync(DbConnection connection, TableName live, TableName incoming, TableName outgoing, CancellationToken cancellation);

    /// <summary>One of the seam's exceptions; null when the error is not the database's.</summary>
    Exception? Translate(Exception error);
}
