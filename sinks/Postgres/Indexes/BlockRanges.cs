using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Rows;
using Npgsql;

namespace LogPipeline.Sinks.Postgres.Indexes;

/// <summary>
/// Has the server note what lies in the blocks that rows came to (BRIN), after many rows: until then a query reads all of those blocks. The server
/// does that by itself too, when its autovacuum comes to it. Partitions that did not grow are not looked at again.
/// </summary>
internal sealed class BlockRanges(TableName table)
{
    /// <summary>Some range of 128 blocks has been filled by then.</summary>
    private const long RowsMin = 20_000;

    private readonly Dictionary<string, long> _noted = []; // by index: the table's size then, in bytes
    private long _rows = RowsMin; // what was stored before the start may not be noted

    /// <summary>So many rows were stored. Any thread may tell.</summary>
    public void Stored(int rows) => Interlocked.Add(ref _rows, rows);

    /// <summary>Whether enough rows came since the last time.</summary>
    public bool IsDue => Interlocked.Read(ref _rows) >= RowsMin;

    public async Task NoteAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        Interlocked.Exchange(ref _rows, 0);
        foreach ((string index, long size) in await GrownAsync(connection, cancellation))
        {
            try
            {
                await using NpgsqlTransaction transaction = await connection.BeginTransactionAsync(cancellation);
                await connection.ExecuteAsync("SET LOCAL lock_timeout = '1s'; SET LOCAL statement_timeout = 0", cancellation);
                await using var command = new NpgsqlCommand($"SELECT brin_summarize_new_values('{index}'::oid::regclass)", connection, transaction) { CommandTimeout = 0 };
                await command.ExecuteNonQueryAsync(cancellation);
                await transaction.CommitAsync(cancellation);
                _noted[index] = size;
            }
            catch (PostgresException error) when (error.SqlState is PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.WrongObjectType or PostgresErrorCodes.LockNotAvailable)
            {
                // Retention took the partition meanwhile, or somebody works at it: the next time.
            }
        }
    }

    /// <summary>Indexes of the sink's user whose tables grew, with the tables' sizes. Only their owner may have them noted.</summary>
    private async Task<List<(string Index, long Size)>> GrownAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand($"""
            SELECT i.indexrelid::text, pg_relation_size(i.indrelid) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
            WHERE c.relam = (SELECT oid FROM pg_am WHERE amname = 'brin') AND c.relkind = 'i' AND i.indisvalid AND pg_has_role(c.relowner, 'USAGE')
                AND (i.indrelid = to_regclass({table.RowsLiteral})
                    OR i.indrelid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = to_regclass({table.RowsLiteral}) AND NOT inhdetachpending))
            """, connection);
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync(cancellation);
        var grown = new List<(string Index, long Size)>();
        while (await reader.ReadAsync(cancellation))
        {
            (string index, long size) = (reader.GetString(0), reader.GetInt64(1));
            if (_noted.GetValueOrDefault(index) != size)
            {
                grown.Add((index, size));
            }
        }
        return grown;
    }
}
