using Npgsql;

namespace LogPipeline.Sinks.Postgres;

/// <summary>Statements without parameters, in whatever transaction the connection is in.</summary>
internal static class PostgresCommands
{
    public static async Task ExecuteAsync(this NpgsqlConnection connection, string sql, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancellation);
    }

    /// <summary>The first value of the first row; null where there is none, or it is NULL.</summary>
    public static async Task<object?> ScalarAsync(this NpgsqlConnection connection, string sql, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync(cancellation) is var value && value is DBNull ? null : value;
    }

    /// <summary>The first column of all rows, which is text.</summary>
    public static async Task<IReadOnlyList<string>> TextsAsync(this NpgsqlConnection connection, string sql, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync(cancellation);
        var texts = new List<string>();
        while (await reader.ReadAsync(cancellation))
        {
            texts.Add(reader.GetString(0));
        }
        return texts;
    }
}
