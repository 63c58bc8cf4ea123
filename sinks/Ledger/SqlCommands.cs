using System.Data.Common;

namespace LogPipeline.Sinks.Ledger;

/// <summary>Statements for any of the databases, in whatever transaction the connection is in. Their parameters are <c>@p0</c>, <c>@p1</c>, …</summary>
internal static class SqlCommands
{
    /// <param name="values">Of the parameters; null is NULL.</param>
    public static DbCommand Command(this DbConnection connection, string sql, params ReadOnlySpan<object?> values)
    {
        DbCommand command = connection.CreateCommand();
        command.CommandText = sql;
        for (int i = 0; i < values.Length; i++)
        {
            DbParameter parameter = command.CreateParameter();
            (parameter.ParameterName, parameter.Value) = ($"@p{i}", values[i] ?? DBNull.Value);
            command.Parameters.Add(parameter);
        }
        return command;
    }

    /// <summary>Returns how many rows were changed.</summary>
    public static async Task<int> ExecuteAsync(this DbConnection connection, string sql, CancellationToken cancellation, params object?[] values)
    {
        await using DbCommand command = connection.Command(sql, values);
        return await command.ExecuteNonQueryAsync(cancellation);
    }

    /// <summary>The first value of the first row; null where there is none, or it is NULL.</summary>
    public static async Task<object?> ScalarAsync(this DbConnection connection, string sql, CancellationToken cancellation, params object?[] values)
    {
        await using DbCommand command = connection.Command(sql, values);
        return await command.ExecuteScalarAsync(cancellation) is var value && value is DBNull ? null : value;
    }

    /// <summary>The first value of the first row as a condition.</summary>
    public static async Task<bool> HoldsAsync(this DbConnection connection, string condition, CancellationToken cancellation) =>
        Convert.ToBoolean(await connection.ScalarAsync($"SELECT {condition}", cancellation), null);

    /// <summary>All rows.</summary>
    public static async Task<IReadOnlyList<T>> ListAsync<T>(this DbConnection connection, string sql, Func<DbDataReader, T> read, CancellationToken cancellation, params object?[] values)
    {
        await using DbCommand command = connection.Command(sql, values);
        await using DbDataReader reader = await command.ExecuteReaderAsync(cancellation);
        var rows = new List<T>();
        while (await reader.ReadAsync(cancellation))
        {
            rows.Add(read(reader));
        }
        return rows;
    }

    /// <summary>The first column of all rows, which is text.</summary>
    public static Task<IReadOnlyList<string>> TextsAsync(this DbConnection connection, string sql, CancellationToken cancellation, params object?[] values) =>
        connection.ListAsync(sql, static reader => reader.GetString(0), cancellation, values);
}
