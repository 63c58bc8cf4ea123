using System.Data.Common;
using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Postgres;
using LogPipeline.Sinks.Query;
using LogPipeline.Sinks.Rows;
using Npgsql;

namespace LogPipeline.Sinks.Rebuilding;

/// <summary>PostgreSQL: locks on rows and on names, and tables that only their owner may rename.</summary>
internal sealed class PostgresRebuildDatabase : IRebuildDatabase
{
    private readonly NpgsqlDataSource _source;
    private readonly string _server;

    public PostgresRebuildDatabase(string sink, PostgresOptions options, TimeProvider time)
    {
        Dialect = new PostgresDialect(options, time);
        NpgsqlConnectionStringBuilder settings = PostgresConnection.Settings(options.Connection, "");
        settings.ApplicationName = $"logpipe rebuild {sink}"; // not the sink's own: a claim would end it
        _server = $"{settings.Host}:{settings.Port}";
        _source = PostgresConnection.Source(settings);
    }

    public ISqlDialect Dialect { get; }

    public bool IsThere => true;

    public string HoldingRow => " FOR UPDATE";

    public bool HoldsRowsAlone => true;

    public async ValueTask<DbConnection> OpenAsync(CancellationToken cancellation) => await _source.OpenConnectionAsync(cancellation);

    public async ValueTask<DbTransaction> BeginAsync(DbConnection connection, int lockSeconds, CancellationToken cancellation)
    {
        DbTransaction transaction = await connection.BeginTransactionAsync(cancellation);
        string locks = lockSeconds > 0 ? $"; SET LOCAL lock_timeout = '{lockSeconds}s'" : "";
        await connection.ExecuteAsync($"SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0{locks}", cancellation);
        return transaction;
    }

    public Task HoldNamesAsync(DbConnection connection, CancellationToken cancellation) => connection.ExecuteAsync(Dialect.CreationLock, cancellation);

    public Task HoldLedgerAsync(DbConnection connection, string sink, CancellationToken cancellation) =>
        connection.ExecuteAsync($"SELECT id FROM logpipe_logs WHERE sink = {SqlLiteral.Of(sink)} ORDER BY id FOR UPDATE", cancellation);

    public async Task<string?> RefusalAsync(DbConnection connection, TableName table, CancellationToken cancellation) => await connection.ScalarAsync($"""
        SELECT format('user %I must own the view and the table {table.Rows}, to give the new ones their names: ALTER TABLE {table.Rows} OWNER TO %1$I; ALTER VIEW {table} OWNER TO %1$I', current_user)
        WHERE EXISTS (SELECT FROM pg_class WHERE oid IN (to_regclass({table.Literal}), to_regclass({table.RowsLiteral})) AND NOT pg_has_role(relowner, 'USAGE'))
        """, cancellation) as string;

    public Task ExchangeNamesAsync(DbConnection connection, TableName live, TableName incoming, TableName outgoing, CancellationToken cancellation) =>
        new PostgresNames((NpgsqlConnection)connection, live, incoming, outgoing).ExchangeAsync(cancellation);

    public Exception? Translate(Exception error) => PostgresErrors.Translate(error, _server);

    public async ValueTask DisposeAsync()
    {
        await _source.DisposeAsync();
        await Dialect.DisposeAsync();
    }
}
