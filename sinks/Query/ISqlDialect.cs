using System.Data.Common;
using System.Globalization;
using LogPipeline.Sinks.Postgres;
using LogPipeline.Sinks.Rows;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace LogPipeline.Sinks.Query;

/// <summary>Where the two databases differ for a reader.</summary>
internal interface ISqlDialect : IAsyncDisposable
{
    /// <summary>An open connection from the pool.</summary>
    ValueTask<DbConnection> ConnectAsync(CancellationToken cancellation);

    /// <summary>An expression for the index of a text in another, from 1; 0 when it is not there.</summary>
    string Position(string text, string part);

    /// <summary>The comparison that treats NULL as a value.</summary>
    string IsNot { get; }

    /// <summary>A column of the rows table that grows with each insert, or null.</summary>
    string? RowId { get; }

    /// <summary>Names one row of a table for as long as a transaction runs.</summary>
    string RowName { get; }

    /// <summary>The line's exact bytes.</summary>
    string Bytes { get; }

    object TimeParameter(DateTimeOffset time);

    DateTimeOffset ReadTime(DbDataReader reader, int column);

    /// <summary>One line for people when the database cannot be asked; null when the error is not of that kind.</summary>
    Exception? Translate(Exception error);

    /// <summary>The same connection, or a line for people.</summary>
    ValueTask<DbConnection> OpenAsync(CancellationToken cancellation) => AskAsync(ConnectAsync(cancellation).AsTask());

    /// <summary>Awaits a call to the database and turns its errors into lines for people.</summary>
    async ValueTask<T> AskAsync<T>(Task<T> call)
    {
        try
        {
            return await call;
        }
        catch (Exception error) when (Translate(error) is { } translated)
        {
            throw translated;
        }
    }
}

internal sealed class PostgresDialect : ISqlDialect
{
    private readonly NpgsqlDataSource _source;
    private readonly string _server;

    public PostgresDialect(PostgresOptions options)
    {
        NpgsqlConnectionStringBuilder settings = PostgresConnection.Settings(options.Connection, "logpipe query");
        _server = $"{settings.Host}:{settings.Port}";
        _source = NpgsqlDataSource.Create(settings.ConnectionString);
    }

    public string IsNot => "IS DISTINCT FROM";

    public string Bytes => "coalesce(raw, convert_to(line, 'UTF8'))";

    public string? RowId => null;

    public string RowName => "ctid";

    public async ValueTask<DbConnection> ConnectAsync(CancellationToken cancellation) => await _source.OpenConnectionAsync(cancellation);

    public string Position(string text, string part) => $"strpos({text}, {part})";

    public object TimeParameter(DateTimeOffset time) => time.UtcDateTime;

    public DateTimeOffset ReadTime(DbDataReader reader, int column) => new(reader.GetDateTime(column));

    public Exception? Translate(Exception error) => error is PostgresException { SqlState: "42P01" }
        ? new QueryException($"PostgreSQL at {_server} has no such view yet: has the sink run? ({error.Message})")
        : PostgresErrors.Translate(error, _server);

    public ValueTask DisposeAsync() => _source.DisposeAsync();
}

internal sealed class SqliteDialect(SqliteOptions options) : ISqlDialect
{
    private readonly string _connection = new SqliteConnectionStringBuilder { DataSource = options.File, Mode = SqliteOpenMode.ReadWrite, Pooling = true }.ConnectionString;

    public string IsNot => "IS NOT";

    public string Bytes => "coalesce(raw, CAST(line AS BLOB))";

    public string? RowId => "r.rowid";

    public string RowName => "rowid";

    public async ValueTask<DbConnection> ConnectAsync(CancellationToken cancellation)
    {
        SQLitePCL.Batteries_V2.Init();
        if (!File.Exists(options.File))
        {
            throw new QueryException($"SQLite file {options.File} is not there: has the sink run?");
        }
        var connection = new SqliteConnection(_connection);
        await connection.OpenAsync(cancellation);
        return connection;
    }

    public string Position(string text, string part) => $"instr({text}, {part})";

    public object TimeParameter(DateTimeOffset time) => TimeText.Format(time);

    public DateTimeOffset ReadTime(DbDataReader reader, int column) =>
        DateTimeOffset.Parse(reader.GetString(column), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);

    public Exception? Translate(Exception error) => error is SqliteException
        ? new QueryException($"SQLite file {options.File}: {error.Message}") : null;

    public ValueTask DisposeAsync()
    {
        using var pool = new SqliteConnection(_connection);
        SqliteConnection.ClearPool(pool);
        return default;
    }
}
