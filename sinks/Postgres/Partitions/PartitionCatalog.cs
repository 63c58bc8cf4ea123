using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Rows;
using Npgsql;

namespace LogPipeline.Sinks.Postgres.Partitions;

/// <summary>A partition of the rows table.</summary>
/// <param name="Name">As SQL has it, with its schema: the same under every search path.</param>
/// <param name="Range">Its times.</param>
/// <param name="IsLeaving">A DETACH CONCURRENTLY of it has begun and was not finished: it takes no rows and shows none.</param>
internal sealed record Partition(string Name, TimeRange Range, bool IsLeaving);

/// <summary>What the server's catalogue says of the rows table's partitions.</summary>
internal static class PartitionCatalog
{
    /// <summary>Whether the table is in partitions by time; not where an earlier version made it.</summary>
    public static async Task<bool> IsPartitionedAsync(NpgsqlConnection connection, TableName table, CancellationToken cancellation) =>
        await connection.ScalarAsync($"""SELECT relkind = 'p' AND pg_get_partkeydef(oid) = 'RANGE ("time")' FROM pg_class WHERE oid = to_regclass({table.RowsLiteral})""", cancellation) is true;

    /// <summary>The partitions in the order of time; not a default one, which a person may have made.</summary>
    public static async Task<IReadOnlyList<Partition>> ReadAsync(NpgsqlConnection connection, TableName table, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand($"{Bounds(table)} SELECT name, from_time, to_time, leaving FROM bounds ORDER BY from_time NULLS FIRST", connection);
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync(cancellation);
        var partitions = new List<Partition>();
        while (await reader.ReadAsync(cancellation))
        {
            var range = new TimeRange(reader.GetFieldValue<long?>(1) ?? long.MinValue, reader.GetFieldValue<long?>(2) ?? long.MaxValue);
            partitions.Add(new Partition(reader.GetString(0), range, reader.GetBoolean(3)));
        }
        return partitions;
    }

    /// <summary>
    /// A WITH clause that names <c>bounds (oid, name, from_time, to_time, leaving)</c>: times are microseconds since 1970, NULL where there is no bound. It asks for each
    /// partition's bound once (MATERIALIZED): the statement goes by its snapshot, but <c>pg_get_expr</c> returns NULL as soon as another session has dropped the partition.
    /// </summary>
    public static string Bounds(TableName table) => $"""
        WITH texts AS MATERIALIZED (
            SELECT c.oid, format('%I.%I', n.nspname, c.relname) AS name, i.inhdetachpending AS leaving, pg_get_expr(c.relpartbound, c.oid) AS bound
            FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE i.inhparent = to_regclass({table.RowsLiteral})),
        times AS (
            SELECT oid, name, leaving, {Time("bound", "FROM")} AS low, {Time("bound", "TO")} AS high
            FROM texts WHERE bound LIKE 'FOR VALUES FROM%'),
        bounds AS (
            SELECT oid, name, leaving, CASE WHEN isfinite(low) THEN (extract(epoch FROM low) * 1000000)::bigint END AS from_time,
                CASE WHEN isfinite(high) THEN (extract(epoch FROM high) * 1000000)::bigint END AS to_time
            FROM times)
        """;

    /// <summary>An expression for one side of a partition's bound in seconds since 1970, as a double: infinite or NULL where there is none.</summary>
    /// <param name="bound">The whole bound, which was asked for once: see <see cref="Bounds"/>.</param>
    /// <param name="side"><c>FROM</c> or <c>TO</c>.</param>
    public static string Seconds(string bound, string side) => $"extract(epoch FROM {Time(bound, side)})::float8";

    // The pattern has no backslash: a role may have standard_conforming_strings off, and then none reaches it.
    private static string Time(string bound, string side) => $"substring({bound} FROM '{side} [(]''([^'']+)''[)]')::timestamptz";
}
