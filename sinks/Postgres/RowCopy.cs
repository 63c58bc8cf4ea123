using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Parsing;
using LogPipeline.Sinks.Postgres.Partitions;
using LogPipeline.Sinks.Rows;
using Npgsql;

namespace LogPipeline.Sinks.Postgres;

/// <summary>
/// Copies the rows of one flush into the table, within the flush's transaction. All at once; where the server refuses a row for its data,
/// halves the stretch until the bad rows stand alone: about 2·log₂(n) further copies for one of them. Where many are refused the rest is moved
/// row by row at the server, to which a subtransaction costs microseconds. So it is done at once where the table has triggers, which may keep a row
/// out without an error: a copy says nothing of it. Every savepoint is released again: what stays open holds locks.
/// </summary>
internal sealed class RowCopy(
    NpgsqlConnection connection, NpgsqlTransaction transaction, TableName table, RowsPartitions partitions, ILineParser parser, CopyEncoder encoder)
{
    private const int ChunkBytes = 192 << 10;

    /// <summary>So many refused copies, about five bad rows, are cheaper than the move.</summary>
    private const int RefusedCopiesMax = 64;

    private const string Savepoint = "rows";

    /// <summary>For fewer rows the question whether the partition takes them costs more than the server saves.</summary>
    private const int StraightMin = 128;

    /// <summary>An enabled trigger that runs before each row is inserted, which is three bits of its type: 1 for each row, 2 before, 4 insert.</summary>
    private const string MayKeepOut = "NOT tgisinternal AND tgenabled <> 'D' AND tgtype & 7 = 7";

    private bool _hasTriggers; // found behind a copy

    private string Columns => string.Join(", ", RowColumns.Of(parser));

    /// <summary>
    /// Copies all rows into the partition that has their times, which costs the server a quarter less than to find it for each row. The copy's
    /// lock keeps the partition where it is until the flush ends; whether it still was the table's is asked behind it.
    /// </summary>
    /// <returns>False when that cannot be, or a row is refused: nothing is copied, and the table is to be asked.</returns>
    public async Task<bool> TryStraightAsync(string partition, int logId, RowBatch rows, IReadOnlyList<int> sourceIds, CancellationToken cancellation)
    {
        if (rows.Count < StraightMin)
        {
            return false;
        }
        rows.RequireParsed(parser.Columns.Count);
        bool isTaken = false;
        PostgresException? refusal = await TryAsync(
            async () =>
            {
                await CopyAsync(partition, logId, rows, sourceIds, (0, rows.Count), cancellation);
                return isTaken = await TakesRowsAsync(partition, cancellation);
            },
            static error => PostgresErrors.IsRowsFault(error) || RefusesStraight(error), cancellation);
        if (!isTaken && (refusal is null || RefusesStraight(refusal)))
        {
            partitions.GoByTable(); // where a row is refused, the table finds it
        }
        return isTaken;
    }

    private static bool RefusesStraight(PostgresException error) =>
        error.SqlState is PostgresErrorCodes.InsufficientPrivilege or PostgresErrorCodes.UndefinedTable || PostgresErrors.LacksPartition(error);

    /// <exception cref="StoreRefusedException">The table is not as it was made.</exception>
    public async Task StoreAsync(int logId, RowBatch rows, IReadOnlyList<int> sourceIds, CancellationToken cancellation)
    {
        rows.RequireParsed(parser.Columns.Count);
        var stretches = new Stack<(int From, int To)>();
        stretches.Push((0, rows.Count));
        int refused = 0;
        while (stretches.TryPop(out (int From, int To) stretch))
        {
            if (refused == RefusedCopiesMax && await TryMoveAsync(logId, rows, sourceIds, stretch.From, cancellation))
            {
                return;
            }
            if (await TryStoreAsync(logId, rows, sourceIds, stretch, cancellation) is not { } error)
            {
                continue;
            }
            if (refused++ == 0)
            {
                await new TableShape(table, parser).CheckAsync(connection, cancellation);
            }
            if (stretch.To - stretch.From == 1)
            {
                rows.Refuse(stretch.From, error.SqlState, error.MessageText);
                continue;
            }
            int middle = stretch.From + (stretch.To - stretch.From) / 2;
            stretches.Push((middle, stretch.To));
            stretches.Push((stretch.From, middle));
        }
    }

    /// <summary>
    /// Copies rows, or moves them where the table has triggers that may keep rows out. That is asked behind the copy, whose lock lets nobody make one any more.
    /// </summary>
    /// <returns>The row's fault that took it back; null when all are stored.</returns>
    /// <exception cref="StoreRefusedException">The sink's user may not make the temporary table that would tell which rows are kept out.</exception>
    private async Task<PostgresException?> TryStoreAsync(int logId, RowBatch rows, IReadOnlyList<int> sourceIds, (int From, int To) stretch, CancellationToken cancellation)
    {
        if (!_hasTriggers)
        {
            PostgresException? refusal = await TryAsync(
                async () =>
                {
                    await CopyAsync(table.Rows, logId, rows, sourceIds, stretch, cancellation);
                    _hasTriggers = await HasTriggersAsync(cancellation);
                    return !_hasTriggers;
                },
                PostgresErrors.IsRowsFault, cancellation);
            if (!_hasTriggers)
            {
                return refusal;
            }
        }
        return await MayMoveAsync(cancellation) ? await TryAsync(() => MoveAsync(logId, rows, sourceIds, stretch, cancellation), cancellation) : throw new StoreRefusedException(
            $"table {table.Rows} has a trigger that may keep rows out in silence, and which ones is told by a temporary table, which the sink's user may not make: "
            + $"GRANT TEMP ON DATABASE {connection.Database} TO the sink's user, or drop the trigger; until then the sink waits.");
    }

    /// <summary>A partition that is being detached, or whose table does more with a row than to store it, takes none.</summary>
    private async Task<bool> TakesRowsAsync(string partition, CancellationToken cancellation) => await connection.ScalarAsync($"""
        SELECT NOT (i.inhdetachpending OR c.relhastriggers OR c.relhasrules OR c.relrowsecurity OR EXISTS (SELECT FROM pg_trigger WHERE tgrelid = i.inhrelid AND {MayKeepOut}))
        FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhparent WHERE i.inhrelid = to_regclass({SqlLiteral.Of(partition)}) AND i.inhparent = to_regclass({table.RowsLiteral})
        """, cancellation) is true;

    /// <summary>Whether the table or a partition has triggers that may keep a row out.</summary>
    private async Task<bool> HasTriggersAsync(CancellationToken cancellation) => await connection.ScalarAsync($"""
        SELECT EXISTS (SELECT FROM pg_trigger WHERE {MayKeepOut} AND (tgrelid = to_regclass({table.RowsLiteral}) OR tgrelid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = to_regclass({table.RowsLiteral}))))
        """, cancellation) is true;

    /// <summary>Runs work under a savepoint; returns the row's fault that took it back, null when it is done.</summary>
    private Task<PostgresException?> TryAsync(Func<Task> work, CancellationToken cancellation) => TryAsync(
        async () =>
        {
            await work();
            return true;
        },
        PostgresErrors.IsRowsFault, cancellation);

    /// <summary>Runs work under a savepoint, which takes it back when it returns false or is refused; returns the refusal.</summary>
    private async Task<PostgresException?> TryAsync(Func<Task<bool>> work, Func<PostgresException, bool> isRefusal, CancellationToken cancellation)
    {
        await transaction.SaveAsync(Savepoint, cancellation);
        PostgresException? refusal = null;
        bool isKept = false;
        try
        {
            isKept = await work();
        }
        catch (PostgresException error) when (isRefusal(error))
        {
            refusal = error;
        }
        if (!isKept)
        {
            await transaction.RollbackAsync(Savepoint, cancellation);
        }
        await transaction.ReleaseAsync(Savepoint, cancellation);
        return refusal;
    }

    private async Task CopyAsync(string into, int logId, RowBatch rows, IReadOnlyList<int> sourceIds, (int From, int To) stretch, CancellationToken cancellation)
    {
        await using NpgsqlRawCopyStream copy = await connection.BeginRawBinaryCopyAsync($"COPY {into} ({Columns}) FROM STDIN (FORMAT binary)", cancellation);
        encoder.Begin();
        for (int next = stretch.From; next < stretch.To;)
        {
            next = Encode(logId, rows, sourceIds, next, stretch.To);
            await copy.WriteAsync(encoder.Pending, cancellation);
            encoder.Drained();
        }
        encoder.End();
        await copy.WriteAsync(encoder.Pending, cancellation);
    }

    /// <summary>Encodes rows until a chunk is full; gives the next row's index.</summary>
    private int Encode(int logId, RowBatch rows, IReadOnlyList<int> sourceIds, int next, int end)
    {
        Span<Row> all = rows.Rows;
        for (; next < end && encoder.Pending.Length < ChunkBytes; next++)
        {
            ref readonly Row row = ref all[next];
            if (row.State == RowState.Store)
            {
                encoder.Append(logId, rows, next, row.Source < 0 ? 0 : sourceIds[row.Source]);
            }
        }
        return next;
    }

    private async Task<bool> MayMoveAsync(CancellationToken cancellation) =>
        await connection.ScalarAsync("SELECT has_database_privilege(current_database(), 'TEMP')", cancellation) is true;

    /// <summary>Moves the rows from an index on. Returns false where that cannot be: no right to make temporary tables, or a row that even that table refuses.</summary>
    private async Task<bool> TryMoveAsync(int logId, RowBatch rows, IReadOnlyList<int> sourceIds, int from, CancellationToken cancellation) =>
        await MayMoveAsync(cancellation) && await TryAsync(() => MoveAsync(logId, rows, sourceIds, (from, rows.Count), cancellation), cancellation) is null;

    /// <summary>Copies rows into a temporary table without constraints, has the server insert them one by one, and notes those that the table does not take.</summary>
    private async Task MoveAsync(int logId, RowBatch rows, IReadOnlyList<int> sourceIds, (int From, int To) stretch, CancellationToken cancellation)
    {
        await connection.ExecuteAsync($"""
            CREATE TEMP TABLE logpipe_suspects ON COMMIT DROP AS SELECT {Columns} FROM {table.Rows} WITH NO DATA;
            CREATE TEMP TABLE logpipe_refused (log_offset bigint, state text, reason text) ON COMMIT DROP;
            """, cancellation);
        await CopyAsync("pg_temp.logpipe_suspects", logId, rows, sourceIds, stretch, cancellation);
        await connection.ExecuteAsync(MoveSql(), cancellation);
        IReadOnlyList<(long Offset, string State, string Reason)> refusals = await connection.ListAsync(
            "SELECT log_offset, state, reason FROM pg_temp.logpipe_refused ORDER BY log_offset", r => (r.GetInt64(0), r.GetString(1), r.GetString(2)), cancellation);
        await connection.ExecuteAsync("DROP TABLE pg_temp.logpipe_suspects, pg_temp.logpipe_refused", cancellation);
        int index = stretch.From;
        foreach ((long offset, string state, string reason) in refusals)
        {
            while (rows.Rows[index].Offset != offset)
            {
                index++;
            }
            rows.Refuse(index++, state, reason);
        }
    }

    private string MoveSql() => $"""
        DO $body$
        DECLARE
            suspect record;
            broken text;
        BEGIN
            FOR suspect IN SELECT * FROM pg_temp.logpipe_suspects ORDER BY log_offset LOOP
                BEGIN
                    INSERT INTO {table.Rows} ({Columns}) VALUES ({string.Join(", ", RowColumns.Of(parser).Select(name => $"suspect.{name}"))});
                    IF NOT FOUND THEN
                        INSERT INTO pg_temp.logpipe_refused VALUES (suspect.log_offset, '{PostgresErrorCodes.NoData}', 'a trigger or rule of the table keeps the row out');
                    END IF;
                EXCEPTION WHEN OTHERS OR assert_failure THEN
                    GET STACKED DIAGNOSTICS broken = CONSTRAINT_NAME;
                    IF NOT ({PostgresErrors.IsRowsFaultSql("broken")}) THEN
                        RAISE;
                    END IF;
                    INSERT INTO pg_temp.logpipe_refused VALUES (suspect.log_offset, SQLSTATE, SQLERRM);
                END;
            END LOOP;
        END $body$
        """;
}
