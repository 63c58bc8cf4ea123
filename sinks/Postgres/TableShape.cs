using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Parsing;
using LogPipeline.Sinks.Rows;
using Npgsql;

namespace LogPipeline.Sinks.Postgres;

/// <summary>
/// The columns of a rows table: as they are made, and whether those in the database still are so. A column that someone altered refuses every
/// row, which is no row's fault.
/// </summary>
internal sealed class TableShape(TableName table, ILineParser parser)
{
    private static readonly Dictionary<string, (string Type, bool MayBeNull)> Fixed = new()
    {
        ["log"] = ("integer", false),
        ["log_offset"] = ("bigint", false),
        ["time"] = ("timestamp with time zone", false),
        ["source"] = ("integer", true),
        ["file_offset"] = ("bigint", true),
        ["part"] = ("integer", false),
        ["line"] = ("text", false),
        ["raw"] = ("bytea", true),
        ["parsed"] = ("boolean", false),
        ["flags"] = ("smallint", false),
    };

    private IEnumerable<(string Name, string Type, bool MayBeNull)> Columns =>
        RowColumns.Fixed.Select(name => (name, Fixed[name].Type, Fixed[name].MayBeNull)).Concat(parser.Columns.Select(c => (c.Name, TypeOf(c.Kind), true)));

    /// <summary>The column list of CREATE TABLE.</summary>
    public string Definition => string.Join(", ", Columns.Select(c => $"{c.Name} {c.Type}{(c.MayBeNull ? "" : " NOT NULL")}"));

    /// <summary>The parser's columns and their types, for people.</summary>
    public string Parsed => string.Join(", ", parser.Columns.Select(c => $"{c.Name} {TypeOf(c.Kind)}"));

    /// <exception cref="StoreRefusedException">A column is not as it must be: says which, what it is and what it should be. Or the table takes no COPY.</exception>
    public async Task CheckAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        if (await connection.ScalarAsync($"SELECT current_user::text WHERE row_security_active({table.RowsLiteral})", cancellation) is string user)
        {
            throw Refusal($"has row-level security that holds for user {user}, and PostgreSQL copies no rows into such a table: "
                + $"ALTER ROLE {user} BYPASSRLS, or ALTER TABLE {table.Rows} NO FORCE ROW LEVEL SECURITY where the user owns it");
        }
        if (await MissingAsync(connection, (name, type) => $"ALTER TABLE {table.Rows} ALTER {name} TYPE {type}", cancellation) is [(string name, string type), ..])
        {
            throw Refusal($"lacks the column {name} {type}. If it was made for another parser, give the sink another `table`; else add the column");
        }
    }

    /// <summary>The parser's columns that a table which is taken over to it has not yet.</summary>
    /// <exception cref="StoreRefusedException">A column that is there is not as it must be.</exception>
    public async Task<IReadOnlyList<(string Name, string Type)>> ToBeAddedAsync(NpgsqlConnection connection, CancellationToken cancellation) =>
        [.. (await MissingAsync(connection, static (_, _) => TableChange.TypeRemedy, cancellation))
            .ExceptBy(RowColumns.Fixed, column => column.Name)];

    private async Task<IReadOnlyList<(string Name, string Type)>> MissingAsync(NpgsqlConnection connection, Func<string, string, string> remedyOfType, CancellationToken cancellation)
    {
        var actual = new Dictionary<string, (string Type, bool IsNotNull, bool HasValue)>(StringComparer.Ordinal);
        await using (var command = new NpgsqlCommand($"""
            SELECT attname, replace(format_type(atttypid, atttypmod), '"', ''), attnotnull, atthasdef OR attidentity <> '' FROM pg_attribute
            WHERE attrelid = to_regclass({table.RowsLiteral}) AND attnum > 0 AND NOT attisdropped ORDER BY attnum
            """, connection))
        {
            await using NpgsqlDataReader reader = await command.ExecuteReaderAsync(cancellation);
            while (await reader.ReadAsync(cancellation))
            {
                actual.Add(reader.GetString(0), (reader.GetString(1), reader.GetBoolean(2), reader.GetBoolean(3)));
            }
        }
        var missing = new List<(string Name, string Type)>();
        foreach ((string name, string type, bool mayBeNull) in Columns)
        {
            if (!actual.Remove(name, out (string Type, bool IsNotNull, bool HasValue) column))
            {
                missing.Add((name, type));
                continue;
            }
            if (column.Type != type && !(type == "text" && column.Type == "character varying"))
            {
                throw Refusal($"has column {name} as {column.Type}, and it must be {type}: {remedyOfType(name, type)}");
            }
            if (mayBeNull && column.IsNotNull)
            {
                throw Refusal($"has column {name} as NOT NULL, and it must take NULL, for lines without it: ALTER TABLE {table.Rows} ALTER {name} DROP NOT NULL");
            }
        }
        return actual.FirstOrDefault(column => column.Value is { IsNotNull: true, HasValue: false }).Key is not { } foreign ? missing
            : throw Refusal($"has a column {foreign} that is NOT NULL and has no default, and the sink does not fill it: give it a default, or DROP NOT NULL");
    }

    private StoreRefusedException Refusal(string what) => new($"table {table.Rows} {what}. Until then the sink waits; no row is thrown aside.");

    private static string TypeOf(ColumnKind kind) => kind switch
    {
        ColumnKind.Integer => "integer",
        ColumnKind.BigInteger => "bigint",
        ColumnKind.Double => "double precision",
        ColumnKind.Boolean => "boolean",
        ColumnKind.Address => "inet",
        ColumnKind.Json => "jsonb",
        ColumnKind.Time => "timestamp with time zone",
        _ => "text",
    };
}
