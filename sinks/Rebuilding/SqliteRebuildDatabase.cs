using System.Data.Common;
using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Query;
using LogPipeline.Sinks.Rows;
using LogPipeline.Sinks.Sqlite;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace LogPipeline.Sinks.Rebuilding;

/// <summary>SQLite: one transaction writes at a time, so that is the lock; who may write to the file may rename what is in it.</summary>
internal sealed class SqliteRebuildDatabase(SqliteOptions options, TimeProvider time) : IRebuildDatabase
{
    /// <summary>Flushes of two sinks take turns with it, and each may be of some MiB.</summary>
    private const int BusySeconds = 30;

    // Not pooled: a connection that is kept would go on in a file that was replaced.
    private readonly string _connection = new SqliteConnectionStringBuilder
    {
        DataSource = options.File,
        Mode = SqliteOpenMode.ReadWrite,
        Pooling = false,
        DefaultTimeout = BusySeconds,
    }.ConnectionString;

    public ISqlDialect Dialect { get; } = new SqliteDialect(options, time);

    public bool IsThere => File.Exists(options.File);

    public string HoldingRow => "";

    public bool HoldsRowsAlone => false;

    public async ValueTask<DbConnection> OpenAsync(CancellationToken cancellation)
    {
        Batteries_V2.Init();
        if (!IsThere)
        {
            throw new StoreRefusedException($"SQLite file {options.File} is not there: has the sink run?");
        }
        var connection = new SqliteConnection(_connection);
        await connection.OpenAsync(cancellation);
        await connection.ExecuteAsync("PRAGMA synchronous = FULL", cancellation); // a commit that was answered survives power loss
        Wait(connection, BusySeconds);
        return connection;
    }

    public async ValueTask<DbTransaction> BeginAsync(DbConnection connection, int lockSeconds, CancellationToken cancellation)
    {
        Wait((SqliteConnection)connection, lockSeconds == 0 ? BusySeconds : lockSeconds);
        return await connection.BeginTransactionAsync(cancellation);
    }

    public Task HoldNamesAsync(DbConnection connection, CancellationToken cancellation) => Task.CompletedTask;

    public Task HoldLedgerAsync(DbConnection connection, string sink, CancellationToken cancellation) => Task.CompletedTask;

    public Task<string?> RefusalAsync(DbConnection connection, TableName table, CancellationToken cancellation) => Task.FromResult<string?>(null);

    public Task ExchangeNamesAsync(DbConnection connection, TableName live, TableName incoming, TableName outgoing, CancellationToken cancellation) =>
        new SqliteNames(connection, live, incoming, outgoing).ExchangeAsync(cancellation);

    public Exception? Translate(Exception error) =>
        error is SqliteException failed ? SqliteErrors.Of(failed.SqliteErrorCode, $"SQLite file {options.File}: {failed.Message}") : null;

    public ValueTask DisposeAsync() => Dialect.DisposeAsync();

    /// <summary>SQLite's own waiting looks again within milliseconds, the client's every 150: beside a sink that writes all the time that would come too late again and again.</summary>
    private static void Wait(SqliteConnection connection, int seconds)
    {
        connection.DefaultTimeout = seconds;
        raw.sqlite3_busy_timeout(connection.Handle, seconds * 1000);
    }
}
