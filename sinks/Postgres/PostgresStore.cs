using LogPipeline.Sinks.Events;
using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Parsing;
using LogPipeline.Sinks.Postgres.Indexes;
using LogPipeline.Sinks.Postgres.Partitions;
using LogPipeline.Sinks.Rows;
using Npgsql;

namespace LogPipeline.Sinks.Postgres;

/// <summary>
/// Ledger and rows in PostgreSQL. Connections come from a small pool of their own; a connection whose transaction failed is
/// rolled back before it is used again. Encoders are lent to one flush at a time; the lock guards their stack alone.
/// </summary>
public sealed class PostgresStore : ISinkStore
{
    private readonly string _sink;
    private readonly TableName _table;
    private readonly ILineParser _parser;
    private readonly TimeProvider _time;
    private readonly Random _random;
    private readonly NpgsqlDataSource _source;
    private readonly NpgsqlDataSource _apart; // without a pool: waiting flushes may hold all connections of the other one
    private readonly LedgerLocks _locks;
    private readonly MigrationRight _migration;
    private readonly ISinkEvents _events;
    private readonly TimeSpan? _retention;
    private readonly RowsPartitions _partitions;
    private readonly BlockRanges _ranges;
    private readonly Stack<CopyEncoder> _encoders = new();
    private string _identity = ""; // the table's, once it is open

    /// <param name="migration">Whether the table may be taken over to the parser; null = a process's first store.</param>
    /// <param name="events">Takes what becomes of the table; null = nobody listens.</param>
    /// <exception cref="SinkConfigurationException">The connection string cannot be read.</exception>
    public PostgresStore(
        string sink, PostgresOptions options, ILineParser parser, TimeProvider time, Random random, MigrationRight? migration = null, ISinkEvents? events = null)
    {
        (_migration, _events) = (migration ?? new MigrationRight(), events ?? new SilentSinkEvents());
        (_sink, _table, _parser, _time, _random) = (sink, TableName.Parse(options.Table), parser, time, random);
        NpgsqlConnectionStringBuilder settings = PostgresConnection.Settings(options.Connection, $"logpipe sink {sink}");
        Server = $"{settings.Host}:{settings.Port}";
        _source = PostgresConnection.Source(settings);
        settings.Pooling = false;
        _apart = PostgresConnection.Source(settings);
        _locks = new LedgerLocks(_apart, settings.ApplicationName!, Server, time);
        _retention = options.Retention;
        _partitions = new RowsPartitions(_table, options.Retention, time, _apart);
        _ranges = new BlockRanges(_table);
        Chores = [.. ChoresOf(options)];
    }

    public string Kind => "postgres";

    public ILineParser Parser => _parser;

    public IReadOnlyList<Chore> Chores { get; }

    /// <summary>Host and port, for messages.</summary>
    internal string Server { get; }

    internal string Sink => _sink;

    internal RowsPartitions Partitions => _partitions;

    internal BlockRanges Ranges => _ranges;

    private IEnumerable<Chore> ChoresOf(PostgresOptions options)
    {
        Chore Work(string name, TimeSpan interval, Func<NpgsqlConnection, CancellationToken, Task<IReadOnlyList<ExpiredPart>>> work, Func<bool>? isDue = null) => new(name, interval, cancellation => GuardAsync(async () =>
        {
            if (isDue?.Invoke() == false)
            {
                return [];
            }
            await using NpgsqlConnection connection = await PostgresConnection.OpenUnhurriedAsync(_apart, cancellation);
            return await work(connection, cancellation);
        }));
        yield return Work("partitions", TimeSpan.FromHours(1), async (_, cancellation) =>
        {
            await _partitions.EnsureAheadAsync(cancellation);
            return [];
        });
        if (options.Retention is { } age)
        {
            yield return Work("old partitions", TimeSpan.FromHours(1), (connection, cancellation) => new Retention(_table, _identity, age, _time).RunAsync(connection, cancellation));
        }
        IReadOnlyList<RowIndex> indexes = RowIndex.Read(options.Indexes, _parser, isSqlite: false);
        if (indexes.Count > 0)
        {
            yield return Work("indexes", TimeSpan.FromMinutes(10), async (connection, cancellation) =>
            {
                await using NpgsqlConnection guard = await _apart.OpenConnectionAsync(cancellation);
                await new TableIndexes(_table, indexes, _time).RunAsync(connection, guard, cancellation);
                return [];
            });
        }
        yield return Work("block ranges", TimeSpan.FromMinutes(1), async (connection, cancellation) =>
        {
            await _ranges.NoteAsync(connection, cancellation);
            return [];
        }, () => _ranges.IsDue);
    }

    /// <summary>Where the user may not make partitions, those that are there may do; upkeep tells it.</summary>
    private async Task TryMakeAheadAsync(CancellationToken cancellation)
    {
        try
        {
            await _partitions.EnsureAheadAsync(cancellation);
        }
        catch (StoreRefusedException)
        {
            // Told by each round of upkeep, and by the first flush that needs one.
        }
    }

    internal RowCopy Copy(NpgsqlConnection connection, NpgsqlTransaction transaction, CopyEncoder encoder) => new(connection, transaction, _table, _partitions, _parser, encoder);

    public ValueTask<Guid> OpenAsync(CancellationToken cancellation) => GuardAsync(async () =>
    {
        await using NpgsqlConnection connection = await _source.OpenConnectionAsync(cancellation);
        await using NpgsqlTransaction transaction = await BeginAsync(connection, cancellation);
        Guid fresh = OwnerToken.New(_random).Value;
        var migration = new TableMigration(_sink, _table, _parser, _locks, _migration.MayMigrate);
        (Guid ledger, string? identity) = await new PostgresSchema(_sink, _table, _parser, migration).EnsureAsync(connection, fresh, cancellation);
        if (_retention is not null && !await PartitionCatalog.IsPartitionedAsync(connection, _table, cancellation))
        {
            throw new StoreRefusedException($"sink {_sink}: table {_table.Rows} is not in partitions, as an earlier version made it, and `retention` removes whole partitions: "
                + "leave it out, or give the sink a new name and table, which are filled from the topic.");
        }
        await transaction.CommitAsync(cancellation);
        _identity = identity;
        _migration.Spend();
        if (migration.Change is { } change)
        {
            _events.Publish(new TableChanged(_sink, _time.GetUtcNow(), change));
        }
        await TryMakeAheadAsync(cancellation);
        return ledger;
    });

    public ValueTask<IReadOnlyList<LedgerEntry>> ReadLedgerAsync(CancellationToken cancellation) => GuardAsync(async () =>
    {
        await using NpgsqlConnection connection = await _source.OpenConnectionAsync(cancellation);
        await using var command = new NpgsqlCommand($"SELECT {EntryColumns} FROM logpipe_logs WHERE sink = $1 ORDER BY id", connection)
        {
            Parameters = { new() { Value = _sink } },
        };
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync(cancellation);
        var entries = new List<LedgerEntry>();
        while (await reader.ReadAsync(cancellation))
        {
            entries.Add(ReadEntry(reader));
        }
        return (IReadOnlyList<LedgerEntry>)entries;
    });

    public async ValueTask CreateAsync(IReadOnlyList<LedgerStart> starts, CancellationToken cancellation) => await GuardAsync(async () =>
    {
        await using NpgsqlConnection connection = await _source.OpenConnectionAsync(cancellation);
        await using NpgsqlTransaction transaction = await BeginAsync(connection, cancellation);
        // Not beside a migration, which could not see the new rows.
        await connection.ExecuteAsync($"SELECT pg_advisory_xact_lock({PostgresSchema.CreationLock})", cancellation);
        await RequireConfigurationAsync(transaction, "sink = $1", [new() { Value = _sink }], cancellation);
        foreach (string topic in starts.Select(start => start.Log.Topic).Distinct())
        {
            await RequireLedgerRowsAsync(transaction, topic, cancellation);
        }
        await using var batch = new NpgsqlBatch(connection, transaction);
        foreach (LedgerStart start in starts)
        {
            LogIdentity log = start.Log;
            batch.BatchCommands.Add(new NpgsqlBatchCommand("""
                WITH made AS (
                    INSERT INTO logpipe_logs (sink, cluster_id, topic_id, topic, partition, next_offset, leader_epoch, owner, table_name, table_identity, config_hash)
                    VALUES ($1, $2, $3, $4, $5, $6, -1, $7, $8, $9, $10) ON CONFLICT DO NOTHING RETURNING id, next_offset)
                INSERT INTO logpipe_gaps (log, from_offset, to_offset, found, reason) SELECT id, $11, next_offset, now(), $12 FROM made WHERE $11 < next_offset
                """)
            {
                Parameters =
                {
                    new() { Value = log.Sink }, new() { Value = log.ClusterId }, new() { Value = log.TopicId }, new() { Value = log.Topic },
                    new() { Value = log.Partition }, new() { Value = start.Offset }, new() { Value = OwnerToken.Nobody.Value }, new() { Value = _table.ToString() },
                    new() { Value = _identity }, new() { Value = RowColumns.ConfigHash(_parser) },
                    new() { Value = start.LeftOut?.From ?? start.Offset }, new() { Value = start.LeftOut?.Reason ?? "" },
                },
            });
        }
        await batch.ExecuteNonQueryAsync(cancellation);
        await transaction.CommitAsync(cancellation);
        return true;
    });

    public ValueTask<LedgerEntry?> ClaimAsync(LogIdentity log, OwnerToken owner, CancellationToken cancellation) => GuardAsync(async () =>
    {
        await using NpgsqlConnection connection = await _source.OpenConnectionAsync(cancellation);
        await using NpgsqlTransaction transaction = await BeginAsync(connection, cancellation);
        return await _locks.WaitAsync(connection, giveUp => WriteOwnerAsync(transaction, log, owner, giveUp), cancellation);
    });

    public async ValueTask PrepareAsync(RowBatch rows, CancellationToken cancellation) => await GuardAsync(async () =>
    {
        await _partitions.EnsureAsync(rows, cancellation);
        return true;
    });

    public ValueTask<ISinkFlush> BeginAsync(CancellationToken cancellation) => GuardAsync(async () =>
    {
        NpgsqlConnection connection = await _source.OpenConnectionAsync(cancellation);
        try
        {
            NpgsqlTransaction transaction = await BeginAsync(connection, cancellation);
            return (ISinkFlush)new PostgresFlush(this, connection, transaction);
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    });

    public async ValueTask DisposeAsync()
    {
        await _source.DisposeAsync();
        await _apart.DisposeAsync();
        while (_encoders.TryPop(out CopyEncoder? encoder))
        {
            encoder.Dispose();
        }
    }

    /// <exception cref="StoreRefusedException">The rows table is not as it was made.</exception>
    internal async Task CheckShapeAsync(CancellationToken cancellation)
    {
        await using NpgsqlConnection connection = await _source.OpenConnectionAsync(cancellation);
        await new TableShape(_table, _parser).CheckAsync(connection, cancellation);
    }

    /// <summary>
    /// Begins a transaction that no time-out of the role or the database cuts: a flush takes as long as its rows do, and a claim waits for a lock as
    /// long as it wants to. What is set is gone with the transaction, so that it holds behind a pooler too. Constraints that people made deferrable are
    /// checked with the row that they refuse, and not at the commit, which would refuse the whole flush.
    /// </summary>
    private static async Task<NpgsqlTransaction> BeginAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        NpgsqlTransaction transaction = await connection.BeginTransactionAsync(cancellation);
        string newer = connection.PostgreSqlVersion.Major >= 17 ? "; SET LOCAL transaction_timeout = 0" : "";
        await using var command = new NpgsqlCommand(
            $"SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0{newer}; SET CONSTRAINTS ALL IMMEDIATE", connection, transaction);
        await command.ExecuteNonQueryAsync(cancellation);
        return transaction;
    }

    internal CopyEncoder RentEncoder()
    {
        lock (_encoders)
        {
            return _encoders.TryPop(out CopyEncoder? encoder) ? encoder : new CopyEncoder(_parser);
        }
    }

    internal void Return(CopyEncoder encoder)
    {
        lock (_encoders)
        {
            _encoders.Push(encoder);
        }
    }

    /// <summary>Runs a piece of work and turns what Npgsql throws into the seam's exceptions.</summary>
    internal async ValueTask<T> GuardAsync<T>(Func<Task<T>> work)
    {
        try
        {
            return await work();
        }
        catch (Exception error) when (PostgresErrors.Translate(error, Server) is { } translated)
        {
            if (translated is StoreUnavailableException)
            {
                _source.Clear(); // to a server that takes over, or takes writes again, only fresh connections lead
            }
            throw translated;
        }
    }

    private const string EntryColumns = "id, sink, cluster_id, topic_id, topic, partition, next_offset, leader_epoch, owner";

    /// <exception cref="StoreRefusedException">The row is of another configuration.</exception>
    private async Task<LedgerEntry?> WriteOwnerAsync(NpgsqlTransaction transaction, LogIdentity log, OwnerToken owner, CancellationToken cancellation)
    {
        const string key = "sink = $1 AND cluster_id = $2 AND topic_id = $3 AND topic = $4 AND partition = $5";
        object[] values = [log.Sink, log.ClusterId, log.TopicId, log.Topic, log.Partition];
        await using var command = new NpgsqlCommand($"UPDATE logpipe_logs SET owner = $6 WHERE {key} AND config_hash = $7 AND $8 IN ('', table_identity) RETURNING {EntryColumns}", transaction.Connection, transaction)
        {
            CommandTimeout = 0, // the lock wait is bounded by ending the one who holds it
        };
        foreach (object value in values.Append(owner.Value).Append(RowColumns.ConfigHash(_parser)).Append(_identity))
        {
            command.Parameters.Add(new() { Value = value });
        }
        LedgerEntry? claimed = null;
        await using (NpgsqlDataReader reader = await command.ExecuteReaderAsync(cancellation))
        {
            claimed = await reader.ReadAsync(cancellation) ? ReadEntry(reader) : null;
        }
        if (claimed is null)
        {
            await RequireConfigurationAsync(transaction, key, [.. values.Select(value => new NpgsqlParameter { Value = value })], cancellation);
        }
        await transaction.CommitAsync(CancellationToken.None);
        return claimed;
    }

    /// <exception cref="TableReplacedException">There are ledger rows of another table: a rebuild has put it in the place of the one that is open here.</exception>
    /// <exception cref="StoreRefusedException">There are ledger rows of another configuration: a newer process has taken the table over.</exception>
    private async Task RequireConfigurationAsync(NpgsqlTransaction transaction, string where, NpgsqlParameter[] values, CancellationToken cancellation)
    {
        string mine = RowColumns.ConfigHash(_parser);
        await using var command = new NpgsqlCommand(
            $"SELECT table_identity, config_hash FROM logpipe_logs WHERE {where} AND ({SqlLiteral.Of(_identity)} NOT IN ('', table_identity) OR config_hash <> {SqlLiteral.Of(mine)}) LIMIT 1",
            transaction.Connection, transaction);
        command.Parameters.AddRange(values);
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync(cancellation);
        if (await reader.ReadAsync(cancellation))
        {
            throw _identity.Length > 0 && reader.GetString(0) != _identity ? new TableReplacedException($"another table is {_table} now")
                : StoreRefusedException.WrittenOtherwise(_sink, $"table {_table.Rows}", reader.GetString(1), mine);
        }
    }

    /// <exception cref="StoreRefusedException">Lines of the topic are stored, and the ledger has no row of it.</exception>
    private async Task RequireLedgerRowsAsync(NpgsqlTransaction transaction, string topic, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("""
            SELECT EXISTS (SELECT FROM logpipe_sources WHERE sink = $1 AND topic = $2 AND stored <> '{}') AND NOT EXISTS (SELECT FROM logpipe_logs WHERE sink = $1 AND topic = $2)
            """, transaction.Connection, transaction)
        {
            Parameters = { new() { Value = _sink }, new() { Value = topic } },
        };
        if (await command.ExecuteScalarAsync(cancellation) is true)
        {
            throw StoreRefusedException.LostLedgerRows(_sink, topic);
        }
    }

    private static LedgerEntry ReadEntry(NpgsqlDataReader reader) => new(
        reader.GetInt32(0),
        new LogIdentity(reader.GetString(1), reader.GetString(2), reader.GetGuid(3), reader.GetString(4), reader.GetInt32(5)),
        reader.GetInt64(6), reader.GetInt32(7), new OwnerToken(reader.GetGuid(8)));
}
