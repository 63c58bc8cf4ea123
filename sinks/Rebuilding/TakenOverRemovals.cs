using System.Data.Common;
using LogPipeline.Sinks.Ledger;

namespace LogPipeline.Sinks.Rebuilding;

/// <summary>What people removed from one table for good, and noted in <c>logpipe_repairs</c>, is removed from the one that takes its place too.</summary>
internal static class TakenOverRemovals
{
    /// <param name="connection">In a transaction, which the caller commits.</param>
    /// <param name="from">The sink of the table from which they were removed.</param>
    /// <param name="to">What they are removed from now, up to where it ends.</param>
    /// <param name="cancellation">Ends it; the caller rolls back then.</param>
    public static async Task TakeAsync(DbConnection connection, string from, SinkTable to, CancellationToken cancellation)
    {
        string fresh = $"""
            WITH noted AS (
                SELECT DISTINCT shadow.id AS log, p.from_offset, CASE WHEN p.to_offset < shadow.next_offset THEN p.to_offset ELSE shadow.next_offset END AS to_offset
                FROM {RebuildTable.Pairs(from, to.Sink)} JOIN logpipe_repairs p ON p.log = live.id WHERE p.from_offset < shadow.next_offset),
            fresh AS MATERIALIZED (
                SELECT log, from_offset, to_offset FROM noted n
                WHERE NOT EXISTS (SELECT 1 FROM logpipe_repairs q WHERE (q.log, q.from_offset, q.to_offset) = (n.log, n.from_offset, n.to_offset)))
            """;
        if (await connection.ScalarAsync($"{fresh} SELECT 1 FROM fresh LIMIT 1", cancellation) is null)
        {
            return;
        }
        foreach (string table in new[] { to.Table.Rows, "logpipe_dead_letters" })
        {
            await using DbCommand delete = connection.Command(
                $"{fresh} DELETE FROM {table} AS r WHERE EXISTS (SELECT 1 FROM fresh p WHERE p.log = r.log AND r.log_offset >= p.from_offset AND r.log_offset < p.to_offset)");
            delete.CommandTimeout = 0;
            await delete.ExecuteNonQueryAsync(cancellation);
        }
        await connection.ExecuteAsync($"{fresh} INSERT INTO logpipe_repairs (log, from_offset, to_offset) SELECT log, from_offset, to_offset FROM fresh", cancellation);
    }

    /// <summary>How many records were removed that the other table does not have yet: a sink that goes on in it stores them.</summary>
    public static async Task<long> CountBehindAsync(DbConnection connection, string from, string to, CancellationToken cancellation) => (long)(await connection.ScalarAsync($"""
        SELECT CAST(coalesce(sum(to_offset - CASE WHEN from_offset > ending THEN from_offset ELSE ending END), 0) AS bigint)
        FROM (SELECT DISTINCT live.id, p.from_offset, p.to_offset, coalesce(shadow.next_offset, 0) AS ending
            FROM {RebuildTable.Pairs(from, to, "LEFT JOIN")} JOIN logpipe_repairs p ON p.log = live.id) AS noted
        WHERE to_offset > ending
        """, cancellation))!;
}
