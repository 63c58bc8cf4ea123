using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Rows;
using Npgsql;
using NpgsqlTypes;

namespace LogPipeline.Sinks.Postgres.Partitions;

/// <summary>
/// What retention is about to take and what it took, in two tables of the ledger: <c>logpipe_retention</c> has a row for each partition, written
/// before it is touched and done in the transaction that drops it, which writes what was in it, by log, into <c>logpipe_expired</c>. So rows are
/// in the table, or in a partition that is noted, or in the totals, whatever crashes.
/// </summary>
internal static class ExpiryNotes
{
    public const string Tables = """
        CREATE TABLE IF NOT EXISTS logpipe_retention (
            id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            table_identity text NOT NULL, partition text NOT NULL, from_time timestamptz NOT NULL, to_time timestamptz NOT NULL,
            begun timestamptz NOT NULL, done timestamptz);
        CREATE UNIQUE INDEX IF NOT EXISTS logpipe_retention_begun ON logpipe_retention (table_identity, partition) WHERE done IS NULL;
        CREATE TABLE IF NOT EXISTS logpipe_expired (
            retention int NOT NULL, log int NOT NULL, rows bigint NOT NULL, bytes bigint NOT NULL, offsets int8multirange NOT NULL,
            PRIMARY KEY (retention, log));
        """;

    /// <summary>What is in a partition, by log; streamed, since it may be large.</summary>
    public static async Task<Dictionary<int, ExpiredRows>> CountAsync(NpgsqlConnection connection, string partition, int? onlyLog, CancellationToken cancellation)
    {
        var logs = new Dictionary<int, ExpiredRows>();
        string where = onlyLog is { } log ? $" WHERE log = {log}" : "";
        await using var command = new NpgsqlCommand($"SELECT log, log_offset, coalesce(octet_length(raw), octet_length(line)) FROM {partition}{where}", connection) { CommandTimeout = 0 };
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync(cancellation);
        while (await reader.ReadAsync(cancellation))
        {
            int id = reader.GetInt32(0);
            if (!logs.TryGetValue(id, out ExpiredRows? rows))
            {
                logs.Add(id, rows = new ExpiredRows(new StoredRanges(), 0, 0));
            }
            rows.Add(reader.GetInt64(1), reader.GetInt32(2));
        }
        return logs;
    }

    public static async Task WriteAsync(NpgsqlTransaction transaction, int retention, Dictionary<int, ExpiredRows> logs, CancellationToken cancellation)
    {
        foreach ((int log, ExpiredRows rows) in logs)
        {
            await using var command = new NpgsqlCommand("INSERT INTO logpipe_expired (retention, log, rows, bytes, offsets) VALUES ($1, $2, $3, $4, $5)", transaction.Connection, transaction)
            {
                Parameters =
                {
                    new() { Value = retention }, new() { Value = log }, new() { Value = rows.Rows }, new() { Value = rows.Bytes },
                    new() { Value = rows.Offsets.Ranges.Select(r => new NpgsqlRange<long>(r.Begin, true, r.End, false)).ToArray(), NpgsqlDbType = NpgsqlDbType.BigIntMultirange },
                },
            };
            await command.ExecuteNonQueryAsync(cancellation);
        }
    }

    /// <summary>
    /// What retention took of a log, also out of partitions that it has begun with: those rows may still be in the table, or no longer.
    /// </summary>
    public static async Task<ExpiredRows> OfLogAsync(NpgsqlConnection connection, TableName table, int log, CancellationToken cancellation)
    {
        var total = new ExpiredRows(new StoredRanges(), 0, 0);
        if (await connection.ScalarAsync("SELECT to_regclass('logpipe_retention') IS NULL OR to_regclass('logpipe_expired') IS NULL", cancellation) is true)
        {
            return total;
        }
        foreach (string partition in await BegunAsync(connection, table, cancellation))
        {
            if (await PartitionAsync(connection, partition, log, cancellation) is { } rows)
            {
                total.Add(rows);
            }
        }
        // Read last: a partition that was dropped meanwhile is here.
        await using var command = new NpgsqlCommand("SELECT rows, bytes, offsets FROM logpipe_expired WHERE log = $1", connection) { Parameters = { new() { Value = log } } };
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync(cancellation);
        while (await reader.ReadAsync(cancellation))
        {
            NpgsqlRange<long>[] ranges = reader.GetFieldValue<NpgsqlRange<long>[]>(2);
            total.Add(new ExpiredRows(new StoredRanges(ranges.Select(r => new FileRange(r.LowerBound, r.UpperBound))), reader.GetInt64(0), reader.GetInt64(1)));
        }
        return total;
    }

    private static async Task<List<string>> BegunAsync(NpgsqlConnection connection, TableName table, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand($"""
            SELECT partition FROM logpipe_retention r WHERE done IS NULL AND to_regclass(partition) IS NOT NULL
                AND NOT EXISTS (SELECT FROM pg_inherits i WHERE i.inhrelid = to_regclass(r.partition) AND i.inhparent = to_regclass({table.RowsLiteral}) AND NOT i.inhdetachpending)
            """, connection);
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync(cancellation);
        var begun = new List<string>();
        while (await reader.ReadAsync(cancellation))
        {
            begun.Add(reader.GetString(0));
        }
        return begun;
    }

    /// <summary>Null when it was dropped meanwhile: then the totals have it. It may be large, so no time bounds the statement.</summary>
    private static async Task<ExpiredRows?> PartitionAsync(NpgsqlConnection connection, string partition, int log, CancellationToken cancellation)
    {
        await using NpgsqlTransaction transaction = await connection.BeginTransactionAsync(cancellation);
        await connection.ExecuteAsync("SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0", cancellation);
        try
        {
            return (await CountAsync(connection, partition, log, cancellation)).GetValueOrDefault(log);
        }
        catch (PostgresException error) when (error.SqlState == PostgresErrorCodes.UndefinedTable)
        {
            return null;
        }
    }
}
