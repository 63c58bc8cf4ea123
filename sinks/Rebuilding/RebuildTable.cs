using System.Text.Json;
using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Parsing;
using LogPipeline.Sinks.Postgres;
using LogPipeline.Sinks.Rows;
using Npgsql;

namespace LogPipeline.Sinks.Rebuilding;

/// <summary>The rebuilds of one sink, in <c>logpipe_rebuilds</c> of its own database; the first request makes the table. At most one is under way.</summary>
public sealed class RebuildTable : IAsyncDisposable
{
    /// <summary>A name gets <c>_rebuild12_rows_time</c> behind it, and PostgreSQL cuts names behind 63 bytes.</summary>
    private const int NameBytesMax = 36;

    private const string Columns = "id, sink, table_name, stage, parser, from_offset, from_time, leaves_older, coalesce(first_offsets, 0), requested, requested_by, note, keeps_other";

    private const string Create = """
        CREATE TABLE IF NOT EXISTS logpipe_rebuilds (
            id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, sink text NOT NULL, table_name text NOT NULL, stage text NOT NULL,
            parser text NOT NULL, config_hash text NOT NULL, old_parser text, old_config_hash text,
            from_offset bigint, from_time timestamptz, leaves_older boolean NOT NULL, first_offsets bigint,
            requested timestamptz NOT NULL, requested_by text NOT NULL, changed timestamptz NOT NULL, note text, keeps_other boolean NOT NULL);
        CREATE UNIQUE INDEX IF NOT EXISTS logpipe_rebuilds_one ON logpipe_rebuilds (sink) WHERE stage NOT IN ('Swapped', 'Aborted', 'RolledBack');
        """;

    private readonly SinkOptions _options;
    private readonly NpgsqlDataSource _source;
    private readonly string _server;

    /// <exception cref="SinkConfigurationException">The sink's rows cannot be rebuilt: says why.</exception>
    public RebuildTable(SinkOptions options)
    {
        options.Validate();
        if (options.Postgres is not { } postgres)
        {
            throw new SinkConfigurationException(options.Files is not null
                ? $"sink {options.Name} writes files, which are not swapped in one step under their readers: give a sink another name and `files: directory`, and it writes all of the topic anew"
                : $"sink {options.Name} writes to SQLite, whose tables are not rebuilt while they serve: give a sink another name and `table`, and it stores all of the topic anew");
        }
        _options = options;
        NpgsqlConnectionStringBuilder settings = PostgresConnection.Settings(postgres.Connection, "");
        settings.ApplicationName = $"logpipe rebuild {options.Name}"; // not the sink's own: a claim would end it
        _server = $"{settings.Host}:{settings.Port}";
        _source = NpgsqlDataSource.Create(settings.ConnectionString);
    }

    /// <summary>Asks the running sink for a rebuild.</summary>
    /// <exception cref="RebuildRefusedException">It cannot be: says why.</exception>
    public Task<Rebuild> RequestAsync(RebuildRequest request, CancellationToken cancellation) => GuardAsync(async () =>
    {
        ILineParser parser = LineParsers.Named(request.Parser);
        await using NpgsqlConnection connection = await OpenAsync(cancellation);
        await using NpgsqlTransaction transaction = await connection.BeginTransactionAsync(cancellation);
        await connection.ExecuteAsync($"SELECT pg_advisory_xact_lock({PostgresSchema.CreationLock})", cancellation);
        if (!await IsThereAsync(connection, cancellation))
        {
            await connection.ExecuteAsync(Create, cancellation);
        }
        await RequireAsync(connection, cancellation);
        await using var insert = new NpgsqlCommand($"""
            INSERT INTO logpipe_rebuilds (sink, table_name, stage, parser, config_hash, from_offset, from_time, leaves_older, requested, requested_by, changed, keeps_other)
            VALUES ($1, $2, 'Requested', $3, $4, $5, $6, $7, now(), $8, now(), false) RETURNING {Columns}
            """, connection)
        {
            Parameters =
            {
                new() { Value = _options.Name }, new() { Value = _options.Table.ToString() }, new() { Value = JsonSerializer.Serialize(request.Parser) },
                new() { Value = RowColumns.ConfigHash(parser) }, new() { Value = (object?)request.FromOffset ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Bigint },
                new() { Value = (object?)request.FromTime?.UtcDateTime ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.TimestampTz },
                new() { Value = request.LeavesOlder }, new() { Value = request.By },
            },
        };
        Rebuild rebuild = (await ReadAsync(insert, cancellation))!;
        await transaction.CommitAsync(CancellationToken.None);
        return rebuild;
    });

    /// <summary>The sink's newest rebuild, or the one of an id; null when there is none.</summary>
    public Task<Rebuild?> FindAsync(int? id, CancellationToken cancellation) => GuardAsync(async () =>
    {
        await using NpgsqlConnection connection = await OpenAsync(cancellation);
        return await IsThereAsync(connection, cancellation) ? await FindAsync(connection, id is null ? $"sink = {SqlLiteral.Of(_options.Name)}" : $"id = {id}", cancellation) : null;
    });

    public Task<RebuildProgress> ProgressAsync(Rebuild rebuild, CancellationToken cancellation) => GuardAsync(async () =>
    {
        await using NpgsqlConnection connection = await OpenAsync(cancellation);
        await using var command = new NpgsqlCommand($"""
            SELECT (SELECT coalesce(sum(next_offset), 0)::bigint FROM logpipe_logs WHERE sink = $2),
                coalesce(sum(greatest(0, live.next_offset - shadow.next_offset)), 0)::bigint FROM {Pairs}
            """, connection) { Parameters = { new() { Value = rebuild.Sink }, new() { Value = rebuild.Shadow.Sink } } };
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync(cancellation);
        await reader.ReadAsync(cancellation);
        return new RebuildProgress(Math.Max(0, reader.GetInt64(0) - rebuild.FirstOffsets), reader.GetInt64(1));
    });

    public ValueTask DisposeAsync() => _source.DisposeAsync();

    /// <summary>The ledger rows of two sinks that are of the same log; <c>$1</c> and <c>$2</c> are the sinks' names.</summary>
    internal const string Pairs = """
        logpipe_logs live JOIN logpipe_logs shadow ON (live.cluster_id, live.topic_id, live.topic, live.partition) = (shadow.cluster_id, shadow.topic_id, shadow.topic, shadow.partition)
            AND live.sink = $1 AND shadow.sink = $2
        """;

    internal ValueTask<NpgsqlConnection> OpenAsync(CancellationToken cancellation) => _source.OpenConnectionAsync(cancellation);

    /// <summary>Where the live table and the shadow end in each log that both have.</summary>
    internal Task<IReadOnlyList<(int Log, long Live, long Shadow)>> OffsetsAsync(Rebuild rebuild, CancellationToken cancellation) => GuardAsync(async () =>
    {
        await using NpgsqlConnection connection = await OpenAsync(cancellation);
        await using var command = new NpgsqlCommand($"SELECT live.id, live.next_offset, shadow.next_offset FROM {Pairs}", connection)
        {
            Parameters = { new() { Value = rebuild.Sink }, new() { Value = rebuild.Shadow.Sink } },
        };
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync(cancellation);
        var offsets = new List<(int, long, long)>();
        while (await reader.ReadAsync(cancellation))
        {
            offsets.Add((reader.GetInt32(0), reader.GetInt64(1), reader.GetInt64(2)));
        }
        return (IReadOnlyList<(int, long, long)>)offsets;
    });

    /// <summary>Returns the row locked, in the caller's transaction.</summary>
    private static async Task<Rebuild> LockAsync(NpgsqlConnection connection, int id, CancellationToken cancellation) =>
        await FindAsync(connection, $"id = {id}", cancellation, " FOR UPDATE") ?? throw new RebuildRefusedException($"rebuild {id} is gone from logpipe_rebuilds");

    /// <summary>Takes a rebuild from one stage to the next, in the caller's transaction, which holds its row.</summary>
    internal static async Task MoveAsync(NpgsqlConnection connection, Rebuild rebuild, RebuildStage to, bool keepsOther, string? note, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("UPDATE logpipe_rebuilds SET stage = $1, keeps_other = $2, note = $3, changed = now() WHERE id = $4", connection)
        {
            Parameters = { new() { Value = to.ToString() }, new() { Value = keepsOther }, new() { Value = (object?)note ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Text }, new() { Value = rebuild.Id } },
        };
        await command.ExecuteNonQueryAsync(cancellation);
    }

    /// <summary>Notes what a rebuild waits for.</summary>
    internal Task NoteAsync(Rebuild rebuild, string? note, CancellationToken cancellation) => GuardAsync(async () =>
    {
        await using NpgsqlConnection connection = await OpenAsync(cancellation);
        await using var command = new NpgsqlCommand("UPDATE logpipe_rebuilds SET note = $1 WHERE id = $2 AND stage = $3 AND note IS DISTINCT FROM $1", connection)
        {
            Parameters = { new() { Value = (object?)note ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Text }, new() { Value = rebuild.Id }, new() { Value = rebuild.Stage.ToString() } },
        };
        return await command.ExecuteNonQueryAsync(cancellation);
    });

    /// <summary>Runs work in a transaction that holds a rebuild's row, and commits it where the work returns true.</summary>
    /// <param name="id">The rebuild's.</param>
    /// <param name="work">Is given the rebuild as it is now.</param>
    /// <param name="cancellation">Ends it, undone.</param>
    /// <param name="lockSeconds">How long each lock is waited for, that of the rebuild's row too; 0 = as the database says.</param>
    /// <returns>What the work returned.</returns>
    internal Task<bool> InTransactionAsync(
        int id, Func<NpgsqlConnection, Rebuild, Task<bool>> work, CancellationToken cancellation, int lockSeconds = 0) => GuardAsync(async () =>
    {
        await using NpgsqlConnection connection = await OpenAsync(cancellation);
        await using NpgsqlTransaction transaction = await connection.BeginTransactionAsync(cancellation);
        string locks = lockSeconds > 0 ? $"; SET LOCAL lock_timeout = '{lockSeconds}s'" : "";
        await connection.ExecuteAsync($"SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0{locks}", cancellation);
        bool isDone = await work(connection, await LockAsync(connection, id, cancellation));
        if (isDone)
        {
            await transaction.CommitAsync(CancellationToken.None);
        }
        return isDone;
    });

    /// <summary>Runs a piece of work and turns what Npgsql throws into the seam's exceptions.</summary>
    internal async Task<T> GuardAsync<T>(Func<Task<T>> work)
    {
        try
        {
            return await work();
        }
        catch (Exception error) when (PostgresErrors.Translate(error, _server) is { } translated)
        {
            throw translated;
        }
    }

    private static async Task<bool> IsThereAsync(NpgsqlConnection connection, CancellationToken cancellation) =>
        await connection.ScalarAsync("SELECT to_regclass('logpipe_rebuilds') IS NOT NULL", cancellation) is true;

    private async Task RequireAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        TableName table = _options.Table;
        if (table.NameBytes > NameBytesMax)
        {
            throw new RebuildRefusedException($"table {table} has a name of {table.NameBytes} bytes: beside a longer one than {NameBytesMax} the shadow's would be cut. Give a sink another name and table, and it stores all of the topic anew.");
        }
        string? reason = await connection.ScalarAsync($"""
            SELECT CASE
                WHEN NOT EXISTS (SELECT FROM logpipe_logs WHERE sink = {SqlLiteral.Of(_options.Name)} AND table_name = {table.Literal}) THEN 'its ledger knows no such table: has the sink run?'
                WHEN EXISTS (SELECT FROM pg_class WHERE oid IN (to_regclass({table.Literal}), to_regclass({table.RowsLiteral})) AND NOT pg_has_role(relowner, 'USAGE'))
                    THEN format('user %I must own the view and the table {table.Rows}, to give the new ones their names: ALTER TABLE {table.Rows} OWNER TO %1$I; ALTER VIEW {table} OWNER TO %1$I', current_user)
                END
            """, cancellation) as string;
        if (reason is not null)
        {
            throw new RebuildRefusedException($"{table}: {reason}");
        }
        if (await FindAsync(connection, $"sink = {SqlLiteral.Of(_options.Name)}", cancellation) is { } last && (last.IsUnderWay || last.KeepsOther))
        {
            throw new RebuildRefusedException(last.IsUnderWay ? $"{last} is under way ({last.Stage})"
                : $"the other table of {last} is still there as {last.Other.Table}: `logpipe rebuild {table} --drop-old` removes it, --rollback swaps it back in");
        }
    }

    /// <summary>The newest of those that a condition holds for.</summary>
    private static async Task<Rebuild?> FindAsync(NpgsqlConnection connection, string condition, CancellationToken cancellation, string locking = "")
    {
        await using var command = new NpgsqlCommand($"SELECT {Columns} FROM logpipe_rebuilds WHERE {condition} ORDER BY id DESC LIMIT 1{locking}", connection);
        return await ReadAsync(command, cancellation);
    }

    private static async Task<Rebuild?> ReadAsync(NpgsqlCommand command, CancellationToken cancellation)
    {
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync(cancellation);
        return !await reader.ReadAsync(cancellation) ? null : new Rebuild
        {
            Id = reader.GetInt32(0),
            Sink = reader.GetString(1),
            Table = reader.GetString(2),
            Stage = Enum.Parse<RebuildStage>(reader.GetString(3)),
            Parser = JsonSerializer.Deserialize<ParserOptions>(reader.GetString(4))!,
            FromOffset = reader.GetFieldValue<long?>(5),
            FromTime = reader.GetFieldValue<DateTimeOffset?>(6),
            LeavesOlder = reader.GetBoolean(7),
            FirstOffsets = reader.GetInt64(8),
            Requested = reader.GetFieldValue<DateTimeOffset>(9),
            RequestedBy = reader.GetString(10),
            Note = await reader.IsDBNullAsync(11, cancellation) ? null : reader.GetString(11),
            KeepsOther = reader.GetBoolean(12),
        };
    }
}
