using System.Data;
using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Postgres.Partitions;
using LogPipeline.Sinks.Rows;
using Npgsql;

namespace LogPipeline.Sinks.Postgres.Indexes;

/// <summary>
/// Makes the indexes that the configuration names, beside flushes and queries: of the empty parent at once, of each partition concurrently, then
/// attached. New partitions get theirs as they are made. One on trigrams would slow storing down many times, so a partition gets it when its
/// days are over. What a kill or a failure left half made is dropped and made again; an index that is no longer named stays.
/// </summary>
internal sealed class TableIndexes(TableName table, IReadOnlyList<RowIndex> wanted, TimeProvider time)
{
    /// <summary>What waits behind the lock of a statement, flushes above all, waits no longer; upkeep tries again.</summary>
    private const string LockTimeout = "2s";

    /// <summary>
    /// What else the view reads of a row to count it. With these columns the index alone answers a histogram, and is a fiftieth of the table: rows of
    /// one moment, log and file share an entry. PostgreSQL before 18 also fetches <c>source</c>, though a count joins no sources.
    /// </summary>
    private const string CountedToo = ", log, part, source";

    /// <param name="connection">Does the work.</param>
    /// <param name="guard">Holds a lock meanwhile: workers that make an index of one partition at the same time would wait for each other for ever.</param>
    /// <param name="cancellation">Ends the work, and may leave half an index.</param>
    /// <exception cref="StoreRefusedException">An index cannot be made: says why.</exception>
    public async Task RunAsync(NpgsqlConnection connection, NpgsqlConnection guard, CancellationToken cancellation)
    {
        await RequireRightAsync(connection, cancellation);
        // Of a transaction, so that it is one's own behind a pooler too.
        await using NpgsqlTransaction turn = await guard.BeginTransactionAsync(IsolationLevel.ReadCommitted, cancellation);
        if (await guard.ScalarAsync($"SELECT pg_try_advisory_xact_lock(hashtextextended({SqlLiteral.Of($"logpipe indexes of {table.Rows}")}, 0))", cancellation) is not true)
        {
            return; // another worker is at it
        }
        // This statement also lets go of the one before, whose snapshot concurrent work would wait for.
        await guard.ExecuteAsync("SET LOCAL idle_in_transaction_session_timeout = 0", cancellation);
        bool isPartitioned = await PartitionCatalog.IsPartitionedAsync(connection, table, cancellation);
        foreach (RowIndex index in wanted)
        {
            string method = await MethodAsync(connection, index, cancellation);
            string? parent = isPartitioned && index.Kind != RowIndexKind.Trigram ? table.With(index.Suffix) : null;
            if (parent is not null && await connection.ScalarAsync($"SELECT to_regclass({SqlLiteral.Of(parent)})::text", cancellation) is null)
            {
                await LockedAsync(connection, $"CREATE INDEX IF NOT EXISTS {table.Local(index.Suffix)} ON ONLY {table.Rows} {method}", cancellation);
            }
            foreach (Part part in await LackingAsync(connection, index, parent, cancellation))
            {
                await MakeAsync(connection, part, method, parent, cancellation);
            }
        }
    }

    private async Task RequireRightAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        string? remedy = await connection.ScalarAsync($"""
            SELECT format('GRANT %I TO %I, which makes it an owner of %s too', pg_get_userbyid(relowner), current_user, oid::regclass)
            FROM pg_class WHERE oid = to_regclass({table.RowsLiteral}) AND NOT pg_has_role(relowner, 'USAGE')
            """, cancellation) as string;
        if (remedy is not null)
        {
            throw new StoreRefusedException($"the sink's user may not make the indexes that `indexes` names: {remedy}; or leave `indexes` out.");
        }
    }

    private static async Task<string> MethodAsync(NpgsqlConnection connection, RowIndex index, CancellationToken cancellation)
    {
        if (index.Kind != RowIndexKind.Trigram)
        {
            return index.Kind == RowIndexKind.Btree ? $"USING btree ({index.Column}{(index.Column == "time" ? CountedToo : "")})" : $"USING brin ({index.Column} text_bloom_ops) WITH (autosummarize = on)";
        }
        const string schema = "SELECT quote_ident(nspname) FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE extname = 'pg_trgm'";
        return await connection.ScalarAsync(schema, cancellation) is string found ? $"USING gin ({index.Column} {found}.gin_trgm_ops)"
            : throw new StoreRefusedException($"an index on the trigrams of {index.Column} needs an extension: CREATE EXTENSION pg_trgm, as the database's owner; or take it out of `indexes`.");
    }

    /// <summary>The partitions, or the table of an earlier version, that have no such index, or half of one.</summary>
    private async Task<List<Part>> LackingAsync(NpgsqlConnection connection, RowIndex index, string? parent, CancellationToken cancellation)
    {
        string isAttached = parent is null ? "i.indisvalid" : $"""
            EXISTS (SELECT FROM pg_index own JOIN pg_inherits h ON h.inhrelid = own.indexrelid WHERE own.indrelid = p.oid AND h.inhparent = to_regclass({SqlLiteral.Of(parent)}))
            """;
        string isOver = index.Kind == RowIndexKind.Trigram ? $"AND (p.to_time IS NULL OR p.to_time <= {PartitionPlan.Microseconds(time.GetUtcNow().UtcDateTime)})" : "";
        await using var command = new NpgsqlCommand($"""
            {PartitionCatalog.Bounds(table)},
            parts AS (
                SELECT c.oid, c.relname, c.relnamespace, b.to_time FROM pg_inherits h JOIN pg_class c ON c.oid = h.inhrelid LEFT JOIN bounds b ON b.oid = c.oid
                WHERE h.inhparent = to_regclass({table.RowsLiteral}) AND NOT h.inhdetachpending AND c.relkind = 'r'
                UNION ALL SELECT oid, relname, relnamespace, NULL FROM pg_class WHERE oid = to_regclass({table.RowsLiteral}) AND relkind = 'r'),
            named AS (SELECT *, (CASE WHEN octet_length(relname) <= 50 THEN relname ELSE left(relname, 8) || left(md5(relname), 8) END || '{index.Suffix}')::name AS index_name FROM parts)
            SELECT format('%I.%I', n.nspname, p.relname), format('%I', p.index_name), format('%I.%I', n.nspname, p.index_name), i.indisvalid
            FROM named p JOIN pg_namespace n ON n.oid = p.relnamespace
                LEFT JOIN pg_class c ON c.relname = p.index_name AND c.relnamespace = p.relnamespace LEFT JOIN pg_index i ON i.indexrelid = c.oid
            WHERE ({isAttached}) IS NOT TRUE {isOver} ORDER BY p.to_time DESC NULLS LAST
            """, connection);
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync(cancellation);
        var lacking = new List<Part>();
        while (await reader.ReadAsync(cancellation))
        {
            lacking.Add(new Part(reader.GetString(0), reader.GetString(1), reader.GetString(2), reader.GetFieldValue<bool?>(3)));
        }
        return lacking;
    }

    private static async Task MakeAsync(NpgsqlConnection connection, Part part, string method, string? parent, CancellationToken cancellation)
    {
        if (part.IsValid == false && !await TryDropAsync(connection, part, cancellation))
        {
            return;
        }
        try
        {
            if (part.IsValid != true)
            {
                await using var command = new NpgsqlCommand($"CREATE INDEX CONCURRENTLY IF NOT EXISTS {part.IndexName} ON {part.Table} {method}", connection) { CommandTimeout = 0 };
                await command.ExecuteNonQueryAsync(cancellation);
            }
            if (parent is not null)
            {
                await LockedAsync(connection, $"ALTER INDEX {parent} ATTACH PARTITION {part.Index}", cancellation);
            }
        }
        catch (PostgresException error) when (error.SqlState is PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.UndefinedObject or PostgresErrorCodes.ObjectNotInPrerequisiteState)
        {
            // Retention took the partition meanwhile, or another worker attached its index.
        }
    }

    /// <summary>Drops half an index; false where it is still being made, or was made meanwhile.</summary>
    private static async Task<bool> TryDropAsync(NpgsqlConnection connection, Part part, CancellationToken cancellation)
    {
        await using NpgsqlTransaction transaction = await connection.BeginTransactionAsync(IsolationLevel.ReadCommitted, cancellation);
        await connection.ExecuteAsync($"SET LOCAL lock_timeout = '{LockTimeout}'", cancellation);
        try
        {
            // The one who makes it holds this lock, from begin to end.
            await connection.ExecuteAsync($"LOCK TABLE ONLY {part.Table} IN SHARE UPDATE EXCLUSIVE MODE", cancellation);
            if (await connection.ScalarAsync($"SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass({SqlLiteral.Of(part.Index)})", cancellation) is not false)
            {
                return false;
            }
            await connection.ExecuteAsync($"DROP INDEX {part.Index}", cancellation);
            await transaction.CommitAsync(cancellation);
            return true;
        }
        catch (PostgresException error) when (error.SqlState is PostgresErrorCodes.LockNotAvailable or PostgresErrorCodes.UndefinedTable)
        {
            return false;
        }
    }

    private static async Task LockedAsync(NpgsqlConnection connection, string sql, CancellationToken cancellation)
    {
        await using NpgsqlTransaction transaction = await connection.BeginTransactionAsync(IsolationLevel.ReadCommitted, cancellation);
        await connection.ExecuteAsync($"SET LOCAL lock_timeout = '{LockTimeout}'", cancellation);
        await connection.ExecuteAsync(sql, cancellation);
        await transaction.CommitAsync(cancellation);
    }

    /// <param name="Table">The partition, with its schema.</param>
    /// <param name="IndexName">Without schema, as CREATE INDEX takes it.</param>
    /// <param name="Index">With its schema.</param>
    /// <param name="IsValid">Null where it is missing.</param>
    private sealed record Part(string Table, string IndexName, string Index, bool? IsValid);
}
