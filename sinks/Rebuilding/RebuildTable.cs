using System.Data.Common;
using System.Text.Json;
using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Parsing;
using LogPipeline.Sinks.Query;
using LogPipeline.Sinks.Query.Live;
using LogPipeline.Sinks.Rows;

namespace LogPipeline.Sinks.Rebuilding;

/// <summary>The rebuilds of one sink, in <c>logpipe_rebuilds</c> of its own database; the first request makes the table. At most one is under way.</summary>
public sealed class RebuildTable : IAsyncDisposable
{
    /// <summary>A name gets <c>_rebuild12_rows_time</c> behind it, and PostgreSQL cuts names behind 63 bytes.</summary>
    private const int NameBytesMax = 36;

    private const string Columns = "id, sink, table_name, stage, parser, from_offset, from_time, leaves_older, coalesce(first_offsets, 0), requested, requested_by, note, keeps_other";

    private readonly SinkOptions _options;
    private readonly TimeProvider _time;

    /// <exception cref="SinkConfigurationException">The sink's rows cannot be rebuilt: says why.</exception>
    public RebuildTable(SinkOptions options, TimeProvider? time = null)
    {
        options.Validate();
        (_options, _time) = (options, time ?? TimeProvider.System);
        Database = options switch
        {
            { Postgres: { } postgres } => new PostgresRebuildDatabase(options.Name, postgres, _time),
            { Sqlite: { } sqlite } => new SqliteRebuildDatabase(sqlite, _time),
            _ => throw new SinkConfigurationException(
                $"sink {options.Name} writes files, which are not swapped in one step under their readers: give a sink another name and `files: directory`, and it writes all of the topic anew"),
        };
    }

    internal IRebuildDatabase Database { get; }

    private ISqlDialect Dialect => Database.Dialect;

    private object Now => Dialect.TimeParameter(_time.GetUtcNow());

    private string Create => $"""
        CREATE TABLE IF NOT EXISTS logpipe_rebuilds (
            id {Dialect.NewId}, sink text NOT NULL, table_name text NOT NULL, stage text NOT NULL,
            parser text NOT NULL, config_hash text NOT NULL, old_parser text, old_config_hash text,
            from_offset bigint, from_time {Dialect.TimeType}, leaves_older boolean NOT NULL, first_offsets bigint,
            requested {Dialect.TimeType} NOT NULL, requested_by text NOT NULL, changed {Dialect.TimeType} NOT NULL, note text, keeps_other boolean NOT NULL);
        CREATE UNIQUE INDEX IF NOT EXISTS logpipe_rebuilds_one ON logpipe_rebuilds (sink) WHERE stage NOT IN ('Swapped', 'Aborted', 'RolledBack');
        """;

    /// <summary>Asks the running sink for a rebuild.</summary>
    /// <exception cref="RebuildRefusedException">It cannot be: says why.</exception>
    public Task<Rebuild> RequestAsync(RebuildRequest request, CancellationToken cancellation) => GuardAsync(async () =>
    {
        ILineParser parser = LineParsers.Named(request.Parser);
        SinkFilter.Of(parser);
        await using DbConnection connection = await Database.OpenAsync(cancellation);
        await using DbTransaction transaction = await Database.BeginAsync(connection, 0, cancellation);
        await Database.HoldNamesAsync(connection, cancellation);
        if (!await HasRebuildsAsync(connection, cancellation))
        {
            await connection.ExecuteAsync(Create, cancellation);
        }
        await RequireAsync(connection, cancellation);
        Rebuild rebuild = (await ReadAsync(connection, $"""
            INSERT INTO logpipe_rebuilds (sink, table_name, stage, parser, config_hash, from_offset, from_time, leaves_older, requested, requested_by, changed, keeps_other)
            VALUES (@p0, @p1, 'Requested', @p2, @p3, @p4, @p5, @p6, @p7, @p8, @p7, false) RETURNING {Columns}
            """, cancellation, _options.Name, _options.Table.ToString(), JsonSerializer.Serialize(request.Parser), RowColumns.ConfigHash(parser), request.FromOffset,
            request.FromTime is { } time ? Dialect.TimeParameter(time) : null, request.LeavesOlder, Now, request.By))!;
        await transaction.CommitAsync(CancellationToken.None);
        return rebuild;
    });

    /// <summary>The sink's newest rebuild, or the one of an id; null when there is none.</summary>
    public Task<Rebuild?> FindAsync(int? id, CancellationToken cancellation) => GuardAsync(async () =>
    {
        await using DbConnection? connection = await OpenIfAnyAsync(cancellation);
        return connection is null ? null : await FindAsync(connection, id is null ? $"sink = {SqlLiteral.Of(_options.Name)}" : $"id = {id}", cancellation);
    });

    public async Task<RebuildProgress> ProgressAsync(Rebuild rebuild, CancellationToken cancellation)
    {
        long left = (await OffsetsAsync(rebuild, cancellation)).Sum(at => Math.Max(0, at.Live - at.Shadow));
        return await GuardAsync(async () =>
        {
            await using DbConnection connection = await Database.OpenAsync(cancellation);
            object? reached = await connection.ScalarAsync("SELECT CAST(coalesce(sum(next_offset), 0) AS bigint) FROM logpipe_logs WHERE sink = @p0", cancellation, rebuild.Shadow.Sink);
            return new RebuildProgress(Math.Max(0, (long)reached! - rebuild.FirstOffsets), left);
        });
    }

    public ValueTask DisposeAsync() => Database.DisposeAsync();

    /// <summary>The ledger rows <c>live</c> and <c>shadow</c> that are of the same log.</summary>
    internal static string Pairs(Rebuild rebuild) => Pairs(rebuild.Sink, rebuild.Shadow.Sink);

    /// <param name="live">A sink.</param>
    /// <param name="shadow">Another one.</param>
    /// <param name="join">LEFT JOIN for those too that only the first has.</param>
    internal static string Pairs(string live, string shadow, string join = "JOIN") => $"""
        (SELECT * FROM logpipe_logs WHERE sink = {SqlLiteral.Of(live)}) AS live {join} (SELECT * FROM logpipe_logs WHERE sink = {SqlLiteral.Of(shadow)}) AS shadow
            ON (live.cluster_id, live.topic_id, live.topic, live.partition) = (shadow.cluster_id, shadow.topic_id, shadow.topic, shadow.partition)
        """;

    /// <summary>A connection, when the sink's database is there and had a rebuild.</summary>
    internal async Task<DbConnection?> OpenIfAnyAsync(CancellationToken cancellation)
    {
        if (!Database.IsThere)
        {
            return null;
        }
        DbConnection connection = await Database.OpenAsync(cancellation);
        if (await HasRebuildsAsync(connection, cancellation))
        {
            return connection;
        }
        await connection.DisposeAsync();
        return null;
    }

    /// <summary>The ledger rows of a sink, in the caller's transaction where there is one.</summary>
    internal static Task<IReadOnlyList<LedgerEnd>> EndsAsync(DbConnection connection, string sink, CancellationToken cancellation) => connection.ListAsync(
        "SELECT id, cluster_id, CAST(topic_id AS text), topic, partition, next_offset FROM logpipe_logs WHERE sink = @p0 ORDER BY id", LedgerEnds.Read, cancellation, sink);

    /// <summary>Where the live table and the shadow end in each log that both have.</summary>
    internal Task<IReadOnlyList<(int Log, long Live, long Shadow)>> OffsetsAsync(Rebuild rebuild, CancellationToken cancellation) => GuardAsync(async () =>
    {
        await using DbConnection connection = await Database.OpenAsync(cancellation);
        return await connection.ListAsync($"SELECT live.id, live.next_offset, shadow.next_offset FROM {Pairs(rebuild)}",
            reader => (reader.GetInt32(0), reader.GetInt64(1), reader.GetInt64(2)), cancellation);
    });

    /// <summary>Takes a rebuild from one stage to the next, in the caller's transaction, which holds its row.</summary>
    internal Task MoveAsync(DbConnection connection, Rebuild rebuild, RebuildStage to, bool keepsOther, string? note, CancellationToken cancellation) => connection.ExecuteAsync(
        "UPDATE logpipe_rebuilds SET stage = @p0, keeps_other = @p1, note = @p2, changed = @p3 WHERE id = @p4", cancellation, to.ToString(), keepsOther, note, Now, rebuild.Id);

    /// <summary>Notes what a rebuild waits for.</summary>
    internal Task NoteAsync(Rebuild rebuild, string? note, CancellationToken cancellation) => GuardAsync(async () =>
    {
        await using DbConnection connection = await Database.OpenAsync(cancellation);
        return await connection.ExecuteAsync($"UPDATE logpipe_rebuilds SET note = @p0 WHERE id = @p1 AND stage = @p2 AND note {Dialect.IsNot} @p0", cancellation, note, rebuild.Id, rebuild.Stage.ToString());
    });

    /// <summary>Runs work in a transaction that holds a rebuild's row, and commits it where the work returns true.</summary>
    /// <param name="id">The rebuild's.</param>
    /// <param name="work">Is given the rebuild as it is now.</param>
    /// <param name="cancellation">Ends it, undone.</param>
    /// <param name="lockSeconds">How long each lock is waited for, that of the rebuild's row too; 0 = as the database says.</param>
    /// <returns>What the work returned.</returns>
    internal Task<bool> InTransactionAsync(
        int id, Func<DbConnection, Rebuild, Task<bool>> work, CancellationToken cancellation, int lockSeconds = 0) => GuardAsync(async () =>
    {
        await using DbConnection connection = await Database.OpenAsync(cancellation);
        await using DbTransaction transaction = await Database.BeginAsync(connection, lockSeconds, cancellation);
        Rebuild rebuild = await FindAsync(connection, $"id = {id}", cancellation, Database.HoldingRow)
            ?? throw new RebuildRefusedException($"rebuild {id} is gone from logpipe_rebuilds");
        bool isDone = await work(connection, rebuild);
        if (isDone)
        {
            await transaction.CommitAsync(CancellationToken.None);
        }
        return isDone;
    });

    /// <summary>Runs a piece of work and turns what the database's client throws into the seam's exceptions.</summary>
    internal async Task<T> GuardAsync<T>(Func<Task<T>> work)
    {
        try
        {
            return await work();
        }
        catch (Exception error) when (Database.Translate(error) is { } translated)
        {
            throw translated;
        }
    }

    private Task<bool> HasRebuildsAsync(DbConnection connection, CancellationToken cancellation) => connection.HoldsAsync(Dialect.HasTable("logpipe_rebuilds"), cancellation);

    private async Task RequireAsync(DbConnection connection, CancellationToken cancellation)
    {
        TableName table = _options.Table;
        if (table.NameBytes > NameBytesMax)
        {
            throw new RebuildRefusedException($"table {table} has a name of {table.NameBytes} bytes: beside a longer one than {NameBytesMax} the shadow's would be cut. Give a sink another name and table, and it stores all of the topic anew.");
        }
        bool isKnown = await connection.HoldsAsync(Dialect.HasTable("logpipe_logs"), cancellation)
            && await connection.HoldsAsync($"EXISTS (SELECT 1 FROM logpipe_logs WHERE sink = {SqlLiteral.Of(_options.Name)} AND table_name = {table.Literal})", cancellation);
        if ((isKnown ? await Database.RefusalAsync(connection, table, cancellation) : "its ledger knows no such table: has the sink run?") is { } reason)
        {
            throw new RebuildRefusedException($"{table}: {reason}");
        }
        if (await FindAsync(connection, $"sink = {SqlLiteral.Of(_options.Name)}", cancellation) is { } last && (last.IsUnderWay || last.KeepsOther))
        {
            throw new RebuildRefusedException(last.IsUnderWay ? $"{last} is under way ({last.Stage})"
                : $"the other table of {last} is still there as {last.Other.Table}: `logpipe rebuild {table} --drop-old` removes it{(last.Stage == RebuildStage.Swapped ? ", --rollback swaps it back in" : "")}");
        }
    }

    /// <summary>The newest of those that a condition holds for.</summary>
    private Task<Rebuild?> FindAsync(DbConnection connection, string condition, CancellationToken cancellation, string holding = "") =>
        ReadAsync(connection, $"SELECT {Columns} FROM logpipe_rebuilds WHERE {condition} ORDER BY id DESC LIMIT 1{holding}", cancellation);

    private async Task<Rebuild?> ReadAsync(DbConnection connection, string sql, CancellationToken cancellation, params object?[] values) =>
        (await connection.ListAsync(sql, ReadRow, cancellation, values)).SingleOrDefault();

    private Rebuild ReadRow(DbDataReader reader) => new()
    {
        Id = reader.GetInt32(0),
        Sink = reader.GetString(1),
        Table = reader.GetString(2),
        Stage = Enum.Parse<RebuildStage>(reader.GetString(3)),
        Parser = JsonSerializer.Deserialize<ParserOptions>(reader.GetString(4))!,
        FromOffset = reader.IsDBNull(5) ? null : reader.GetInt64(5),
        FromTime = reader.IsDBNull(6) ? null : Dialect.ReadTime(reader, 6),
        LeavesOlder = reader.GetBoolean(7),
        FirstOffsets = reader.GetInt64(8),
        Requested = Dialect.ReadTime(reader, 9),
        RequestedBy = reader.GetString(10),
        Note = reader.IsDBNull(11) ? null : reader.GetString(11),
        KeepsOther = reader.GetBoolean(12),
    };
}
