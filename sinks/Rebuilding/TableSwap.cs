using System.Data.Common;
using LogPipeline.Sinks.Ledger;

namespace LogPipeline.Sinks.Rebuilding;

/// <summary>
/// Puts another table in the live one's place, in the caller's transaction: names of tables, indexes and views, and the names of the sinks whose ledger rows
/// speak of them. Rows, offsets and source ranges stay as they are under their own ids, so the live sink goes on exactly where the
/// incoming table ends. The rows are taken from their owners: a worker that held a claim finds that it is gone, claims again, and finds another table.
/// </summary>
/// <param name="connection">In a transaction that holds the ledger rows of both sinks: no flush of either is under way.</param>
internal sealed class TableSwap(IRebuildDatabase database, DbConnection connection)
{
    /// <param name="live">What the names stand for from now on.</param>
    /// <param name="incoming">What takes them.</param>
    /// <param name="outgoing">What the table that had them is called from now on.</param>
    /// <param name="cancellation">Ends it; the caller rolls back then.</param>
    /// <exception cref="RebuildRefusedException">Something that people made would go on with the table that goes.</exception>
    public async Task RunAsync(SinkTable live, SinkTable incoming, SinkTable outgoing, CancellationToken cancellation)
    {
        await database.ExchangeNamesAsync(connection, live.Table, incoming.Table, outgoing.Table, cancellation);
        // Its text has the name in the ledger, not the view.
        await connection.ExecuteAsync($"DROP VIEW IF EXISTS {incoming.Table.DeadLetters}", cancellation);
        await MoveLedgerAsync(live, outgoing, cancellation);
        await MoveLedgerAsync(incoming, live, cancellation);
    }

    /// <summary>Drops a table that is not live with all that the ledger knows of it.</summary>
    public async Task DropAsync(SinkTable side, CancellationToken cancellation)
    {
        string ofSink = $"sink = {SqlLiteral.Of(side.Sink)}";
        string logs = $"IN (SELECT id FROM logpipe_logs WHERE {ofSink})";
        if (await connection.HoldsAsync(database.Dialect.HasTable("logpipe_expired"), cancellation))
        {
            await connection.ExecuteAsync($"DELETE FROM logpipe_expired WHERE log {logs}", cancellation);
        }
        if (await connection.HoldsAsync(database.Dialect.HasTable("logpipe_retention"), cancellation))
        {
            await connection.ExecuteAsync($"DELETE FROM logpipe_retention WHERE done IS NULL AND table_identity IN (SELECT table_identity FROM logpipe_logs WHERE {ofSink})", cancellation);
        }
        await connection.ExecuteAsync($"""
            DROP VIEW IF EXISTS {side.Table.DeadLetters}; DROP VIEW IF EXISTS {side.Table}; DROP TABLE IF EXISTS {side.Table.Rows};
            DELETE FROM logpipe_dead_letters WHERE log {logs}; DELETE FROM logpipe_gaps WHERE log {logs}; DELETE FROM logpipe_repairs WHERE log {logs};
            DELETE FROM logpipe_logs WHERE {ofSink}; DELETE FROM logpipe_sources WHERE {ofSink};
            """, cancellation);
    }

    private async Task MoveLedgerAsync(SinkTable from, SinkTable to, CancellationToken cancellation)
    {
        string names = $"sink = {SqlLiteral.Of(to.Sink)} WHERE sink = {SqlLiteral.Of(from.Sink)}";
        await connection.ExecuteAsync($"""
            UPDATE logpipe_logs SET owner = '{OwnerToken.Nobody.Value}', table_name = {to.Table.Literal}, {names};
            UPDATE logpipe_sources SET {names};
            """, cancellation);
    }
}
