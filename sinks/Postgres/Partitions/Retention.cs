using System.Data;
using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Rows;
using Npgsql;

namespace LogPipeline.Sinks.Postgres.Partitions;

/// <summary>
/// Removes the partitions all of whose times are older than the sink keeps them. For each:
/// <list type="number">
/// <item>it is noted;</item>
/// <item>it is detached, without a lock that queries or flushes wait for: from then on nothing comes into it;</item>
/// <item>what it holds is counted and noted, and it is dropped, in one transaction.</item>
/// </list>
/// A start, or another worker of the sink, goes on where one was killed. What stands in a partition before 1990 is kept: nobody knows its time.
/// </summary>
internal sealed class Retention(TableName table, string identity, TimeSpan age, TimeProvider time)
{
    /// <summary>A detach waits for the queries that were there before it, and so for long ones; it is tried again later.</summary>
    private const int DetachSeconds = 30;

    /// <exception cref="StoreRefusedException">Notes cannot be made, or a partition is not the sink's to remove.</exception>
    public async Task<IReadOnlyList<ExpiredPart>> RunAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        var removed = new List<ExpiredPart>();
        await EnsureTablesAsync(connection, cancellation);
        foreach (Begun begun in await BegunAsync(connection, cancellation))
        {
            await FinishAsync(connection, begun, removed, cancellation);
        }
        long limit = await LimitAsync(connection, cancellation);
        foreach (Partition partition in await PartitionCatalog.ReadAsync(connection, table, cancellation))
        {
            if (partition.Range.To <= limit && partition.Range.From != long.MinValue && await NoteAsync(connection, partition, cancellation) is { } begun)
            {
                await FinishAsync(connection, begun, removed, cancellation);
            }
        }
        return removed;
    }

    /// <summary>What ends at or before this time, in microseconds since 1970, is too old by the sink's clock and by the server's.</summary>
    private async Task<long> LimitAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        var now = (DateTime)(await connection.ScalarAsync("SELECT now()", cancellation))!;
        DateTime ours = time.GetUtcNow().UtcDateTime;
        return PartitionPlan.Microseconds((now < ours ? now : ours) - age);
    }

    private async Task EnsureTablesAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        bool isMissing = await connection.ScalarAsync("SELECT to_regclass('logpipe_retention') IS NULL OR to_regclass('logpipe_expired') IS NULL", cancellation) is true;
        await RequireRightsAsync(connection, isMissing, cancellation);
        if (isMissing)
        {
            await using NpgsqlTransaction transaction = await connection.BeginTransactionAsync(cancellation);
            await connection.ExecuteAsync($"SELECT pg_advisory_xact_lock({PostgresSchema.CreationLock})", cancellation);
            await connection.ExecuteAsync(ExpiryNotes.Tables, cancellation);
            await transaction.CommitAsync(cancellation);
        }
    }

    private async Task RequireRightsAsync(NpgsqlConnection connection, bool makesTables, CancellationToken cancellation)
    {
        string needsSchema = makesTables ? "NOT has_schema_privilege(current_schema(), 'CREATE')" : "false";
        string? remedy = await connection.ScalarAsync($"""
            SELECT nullif(concat_ws('; ',
                CASE WHEN NOT pg_has_role(relowner, 'USAGE') THEN format('GRANT %I TO %I, which makes it an owner of %s too', pg_get_userbyid(relowner), current_user, oid::regclass) END,
                CASE WHEN {needsSchema} THEN format('GRANT CREATE ON SCHEMA %I TO %I, for logpipe_retention and logpipe_expired', current_schema(), current_user) END), '')
            FROM pg_class WHERE oid = to_regclass({table.RowsLiteral})
            """, cancellation) as string;
        if (remedy is not null)
        {
            throw new StoreRefusedException($"the sink's user may not remove partitions, as `retention` asks for: {remedy}.");
        }
    }

    private async Task<List<Begun>> BegunAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("SELECT id, partition, from_time, to_time FROM logpipe_retention WHERE table_identity = $1 AND done IS NULL ORDER BY id", connection)
        {
            Parameters = { new() { Value = identity } },
        };
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync(cancellation);
        var begun = new List<Begun>();
        while (await reader.ReadAsync(cancellation))
        {
            begun.Add(new Begun(reader.GetInt32(0), reader.GetString(1), reader.GetFieldValue<DateTimeOffset>(2), reader.GetFieldValue<DateTimeOffset>(3)));
        }
        return begun;
    }

    /// <summary>Null when another worker has noted it.</summary>
    private async Task<Begun?> NoteAsync(NpgsqlConnection connection, Partition partition, CancellationToken cancellation)
    {
        (DateTimeOffset from, DateTimeOffset to) = (Moment(partition.Range.From), Moment(partition.Range.To));
        await using var command = new NpgsqlCommand("""
            INSERT INTO logpipe_retention (table_identity, partition, from_time, to_time, begun) VALUES ($1, $2, $3, $4, now()) ON CONFLICT DO NOTHING RETURNING id
            """, connection)
        {
            Parameters = { new() { Value = identity }, new() { Value = partition.Name }, new() { Value = from }, new() { Value = to } },
        };
        return await command.ExecuteScalarAsync(cancellation) is int id ? new Begun(id, partition.Name, from, to) : null;
    }

    private async Task FinishAsync(NpgsqlConnection connection, Begun begun, List<ExpiredPart> removed, CancellationToken cancellation)
    {
        IReadOnlyList<Partition> partitions = await PartitionCatalog.ReadAsync(connection, table, cancellation);
        Partition? attached = partitions.FirstOrDefault(partition => partition.Name == begun.Partition);
        if (attached is not null && (Moment(attached.Range.From), Moment(attached.Range.To)) != (begun.From, begun.To))
        {
            throw new StoreRefusedException($"{begun.Partition} was to be removed by retention, and holds other times now: if it is to stay, DELETE FROM logpipe_retention WHERE id = {begun.Id}");
        }
        if (attached is not null && !await TryDetachAsync(connection, attached, cancellation))
        {
            return;
        }
        if (await DropAsync(connection, begun, cancellation) is { } rows)
        {
            removed.Add(new ExpiredPart(begun.Partition, begun.From, begun.To, rows));
        }
    }

    /// <summary>Returns false when that must be tried again later.</summary>
    private async Task<bool> TryDetachAsync(NpgsqlConnection connection, Partition partition, CancellationToken cancellation)
    {
        string how = partition.IsLeaving ? "FINALIZE" : "CONCURRENTLY";
        await using var command = new NpgsqlCommand($"ALTER TABLE {table.Rows} DETACH PARTITION {partition.Name} {how}", connection) { CommandTimeout = DetachSeconds };
        try
        {
            await command.ExecuteNonQueryAsync(cancellation);
            return true;
        }
        catch (PostgresException error) when (error.SqlState is PostgresErrorCodes.ObjectNotInPrerequisiteState or PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.WrongObjectType)
        {
            // Another worker is at it, or was. A default partition, which a person made, is in the way for good.
            return error.MessageText.Contains("default partition", StringComparison.Ordinal)
                ? throw new StoreRefusedException($"retention cannot detach {partition.Name}: {error.MessageText}. Drop the default partition of {table.Rows}; the sink makes what its lines need.") : false;
        }
        catch (NpgsqlException error) when (error.InnerException is TimeoutException)
        {
            return false;
        }
    }

    /// <summary>Returns how many rows went; null when another worker was faster, or a person dropped the table.</summary>
    private static async Task<long?> DropAsync(NpgsqlConnection connection, Begun begun, CancellationToken cancellation)
    {
        await using NpgsqlTransaction transaction = await connection.BeginTransactionAsync(IsolationLevel.ReadCommitted, cancellation);
        await connection.ExecuteAsync("SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL lock_timeout = '30s'", cancellation);
        if (await connection.ScalarAsync($"SELECT id FROM logpipe_retention WHERE id = {begun.Id} AND done IS NULL FOR UPDATE", cancellation) is null)
        {
            return null;
        }
        long? rows = null;
        if (await connection.ScalarAsync($"SELECT to_regclass({SqlLiteral.Of(begun.Partition)})::text", cancellation) is string)
        {
            await connection.ExecuteAsync($"LOCK TABLE {begun.Partition} IN ACCESS EXCLUSIVE MODE", cancellation);
            Dictionary<int, ExpiredRows> logs = await ExpiryNotes.CountAsync(connection, begun.Partition, null, cancellation);
            await ExpiryNotes.WriteAsync(transaction, begun.Id, logs, cancellation);
            await connection.ExecuteAsync($"DROP TABLE {begun.Partition}", cancellation);
            rows = logs.Values.Sum(log => log.Rows);
        }
        await connection.ExecuteAsync($"UPDATE logpipe_retention SET done = now() WHERE id = {begun.Id}", cancellation);
        await transaction.CommitAsync(CancellationToken.None);
        return rows;
    }

    private static DateTimeOffset Moment(long microseconds) => new(DateTime.UnixEpoch.AddTicks(microseconds * TimeSpan.TicksPerMicrosecond));

    /// <summary>A partition whose removal is noted and not done.</summary>
    private sealed record Begun(int Id, string Partition, DateTimeOffset From, DateTimeOffset To);
}
