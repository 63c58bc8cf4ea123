using LogPipeline.Files.Waiting;
using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Parsing;
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
    private static readonly TimeSpan LockPatience = TimeSpan.FromSeconds(5);

    private readonly string _sink;
    private readonly TableName _table;
    private readonly ILineParser _parser;
    private readonly TimeProvider _time;
    private readonly Random _random;
    private readonly NpgsqlDataSource _source;
    private readonly string _apart;
    private readonly string _applicationName;
    private readonly TimeSpan? _retention;
    private readonly RowsPartitions _partitions;
    private readonly Stack<CopyEncoder> _encoders = new();
    private string _identity = "";

    /// <exception cref="SinkConfigurationException">The connection string cannot be read.</exception>
    public PostgresStore(string sink, PostgresOptions options, ILineParser parser, TimeProvider time, Random random)
    {
        (_sink, _table, _parser, _time, _random) = (sink, TableName.Parse(options.Table), parser, time, random);
        NpgsqlConnectionStringBuilder settings = PostgresConnection.Settings(options.Connection, $"logpipe sink {sink}");
        Server = $"{settings.Host}:{settings.Port}";
        _source = new NpgsqlDataSourceBuilder(settings.ConnectionString).Build();
        _applicationName = settings.ApplicationName!;
        settings.Pooling = false;
        _apart = settings.ConnectionString;
        _retention = options.Retention;
        _partitions = new RowsPartitions(_table, options.Retention, time, _apart);
    }

    public string Kind => "postgres";

    public ILineParser Parser => _parser;

    /// <summary>Host and port, for messages.</summary>
    internal string Server { get; }

    internal string Sink => _sink;

    internal RowsPartitions Partitions => _partitions;

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

    internal RowCopy Copy(NpgsqlConnection connection, NpgsqlTransaction transaction, CopyEncoder encoder) => new(connection, transaction, _table, _parser, encoder);

    public ValueTask<Guid> OpenAsync(CancellationToken cancellation) => GuardAsync(async () =>
    {
        await using NpgsqlConnection connection = await _source.OpenConnectionAsync(cancellation);
        await using NpgsqlTransaction transaction = await BeginAsync(connection, cancellation);
        Guid fresh = OwnerToken.New(_random).Value;
        (Guid ledger, string? identity) = await new PostgresSchema(_sink, _table, _parser).EnsureAsync(connection, fresh, cancellation);
        if (_retention is not null && !await PartitionCatalog.IsPartitionedAsync(connection, _table, cancellation))
        {
            throw new StoreRefusedException($"sink {_sink}: table {_table.Rows} is not in partitions, as an earlier version made it, and `retention` removes whole partitions: "
                + "leave it out, or give the sink a new name and table, which are filled from the topic.");
        }
        await transaction.CommitAsync(cancellation);
        _identity = identity;
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
        await using var batch = new NpgsqlBatch(connection, transaction);
        foreach ((LogIdentity? log, long offset) in starts)
        {
            batch.BatchCommands.Add(new NpgsqlBatchCommand("""
                INSERT INTO logpipe_logs (sink, cluster_id, topic_id, topic, partition, next_offset, leader_epoch, owner, table_name, table_identity, config_hash)
                VALUES ($1, $2, $3, $4, $5, $6, -1, $7, $8, $9, $10) ON CONFLICT DO NOTHING
                """)
            {
                Parameters =
                {
                    new() { Value = log.Sink }, new() { Value = log.ClusterId }, new() { Value = log.TopicId }, new() { Value = log.Topic },
                    new() { Value = log.Partition }, new() { Value = offset }, new() { Value = Guid.Empty }, new() { Value = _table.ToString() },
                    new() { Value = _identity }, new() { Value = RowColumns.ConfigHash(_parser) },
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
        // Behind a pooler the connection's own process id is the pooler's invention; the backend is ours until the transaction ends.
        int backend = (int)(await connection.ScalarAsync("SELECT pg_backend_pid()", cancellation))!;
        using var giveUp = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        Task<LedgerEntry?> claim = WriteOwnerAsync(transaction, log, owner, giveUp.Token);
        try
        {
            // A frozen owner sits in a transaction with the row locked; it would hold us for as long as it sleeps.
            while (true)
            {
                await WaitAtMost.AllAsync([claim], LockPatience, _time, cancellation);
                if (claim.IsCompleted || cancellation.IsCancellationRequested)
                {
                    return await claim;
                }
                await EndBlockersAsync(backend, cancellation);
            }
        }
        catch
        {
            await giveUp.CancelAsync();
            await EndAsync(claim);
            throw;
        }
    });

    public async ValueTask PrepareAsync(RowBatch rows, CancellationToken cancellation) => await GuardAsync(async () =>
    {
        await _partitions.EnsureAsync(rows, cancellation);
        return true;
    });

    public ValueTask<IReadOnlyList<ExpiredPart>> TendAsync(CancellationToken cancellation) => GuardAsync(async () =>
    {
        await _partitions.EnsureAheadAsync(cancellation);
        if (_retention is not { } age)
        {
            return [];
        }
        await using NpgsqlConnection connection = await _partitions.ConnectAsync(cancellation);
        return await new Retention(_table, _identity, age, _time).RunAsync(connection, cancellation);
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
    /// long as it wants to. What is set is gone with the transaction, so that it holds behind a pooler too.
    /// </summary>
    private static async Task<NpgsqlTransaction> BeginAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        NpgsqlTransaction transaction = await connection.BeginTransactionAsync(cancellation);
        string newer = connection.PostgreSqlVersion.Major >= 17 ? "; SET LOCAL transaction_timeout = 0" : "";
        await using var command = new NpgsqlCommand(
            $"SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0{newer}", connection, transaction);
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

    private static async Task<LedgerEntry?> WriteOwnerAsync(NpgsqlTransaction transaction, LogIdentity log, OwnerToken owner, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand($"""
            UPDATE logpipe_logs SET owner = $1 WHERE sink = $2 AND cluster_id = $3 AND topic_id = $4 AND topic = $5 AND partition = $6
            RETURNING {EntryColumns}
            """, transaction.Connection, transaction)
        {
            CommandTimeout = 0, // the lock wait is bounded by ending the one who holds it
            Parameters =
            {
                new() { Value = owner.Value }, new() { Value = log.Sink }, new() { Value = log.ClusterId }, new() { Value = log.TopicId },
                new() { Value = log.Topic }, new() { Value = log.Partition },
            },
        };
        LedgerEntry? claimed = null;
        await using (NpgsqlDataReader reader = await command.ExecuteReaderAsync(cancellation))
        {
            claimed = await reader.ReadAsync(cancellation) ? ReadEntry(reader) : null;
        }
        await transaction.CommitAsync(CancellationToken.None);
        return claimed;
    }

    /// <summary>Waits for a command that was cancelled: its connection is not to be closed under it.</summary>
    private static async Task EndAsync(Task claim)
    {
        try
        {
            await claim;
        }
        catch (Exception error) when (error is NpgsqlException or OperationCanceledException)
        {
            // What ended the claim is told already.
        }
    }

    /// <summary>
    /// Ends the backends of this sink that hold the lock; other people's are waited for. On a connection outside the pool: claims that wait may
    /// hold all of its.
    /// </summary>
    /// <exception cref="StoreUnavailableException">Somebody else holds the lock: says who.</exception>
    private async Task EndBlockersAsync(int waiting, CancellationToken cancellation)
    {
        await using var connection = new NpgsqlConnection(_apart);
        await connection.OpenAsync(cancellation);
        await using var command = new NpgsqlCommand("""
            SELECT format('%s (%s, process %s)', usename, application_name, pid), CASE WHEN application_name = $2 THEN pg_terminate_backend(pid) END
            FROM pg_stat_activity WHERE pid = ANY (pg_blocking_pids($1))
            """, connection)
        {
            Parameters = { new() { Value = waiting }, new() { Value = _applicationName } },
        };
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync(cancellation);
        string? other = null;
        while (await reader.ReadAsync(cancellation))
        {
            other = await reader.IsDBNullAsync(1, cancellation) ? reader.GetString(0) : other;
        }
        if (other is not null)
        {
            throw new StoreUnavailableException($"PostgreSQL at {Server}: a session of {other} holds the lock of the sink's ledger row; it is waited for, not ended.");
        }
    }

    private static LedgerEntry ReadEntry(NpgsqlDataReader reader) => new(
        reader.GetInt32(0),
        new LogIdentity(reader.GetString(1), reader.GetString(2), reader.GetGuid(3), reader.GetString(4), reader.GetInt32(5)),
        reader.GetInt64(6), reader.GetInt32(7), new OwnerToken(reader.GetGuid(8)));
}
