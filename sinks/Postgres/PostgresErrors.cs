using System.Collections.Frozen;
using System.Net.Sockets;
using LogPipeline.Sinks.Ledger;
using Npgsql;

namespace LogPipeline.Sinks.Postgres;

/// <summary>Sorts what Npgsql throws: wait for it, stop with a reason, or the row's own fault.</summary>
internal static class PostgresErrors
{
    /// <summary>
    /// The classes of errors that are not the data of a row. Data, constraints, the server's limits (22, 23, 54) and what functions say of what they are
    /// given (09, 20, 21, 27, 38, 39, P0) are; a class that is not the server's comes from a trigger, which raised it with a code of its own.
    /// </summary>
    private static readonly FrozenSet<string> NotOfRows = FrozenSet.ToFrozenSet([
        "00", "01", "02", "03", "08", "0A", "0B", "0F", "0L", "0P", "0Z", "10", "24", "25", "26", "28", "2B", "2D", "2F", "34", "3B", "3D", "3F", "40",
        "42", "53", "55", "57", "58", "72", "F0", "HV", "XX"]);

    /// <summary>SQL that tells whether an error is the data of a row, by what PL/pgSQL knows of it: <c>SQLSTATE</c>, and the name of the constraint.</summary>
    public static string IsRowsFaultSql(string constraint) =>
        $"left(SQLSTATE, 2) NOT IN ({string.Join(", ", NotOfRows.Order(StringComparer.Ordinal).Select(SqlLiteral.Of))}) AND NOT (SQLSTATE = '{PostgresErrorCodes.CheckViolation}' AND {constraint} = '')";

    /// <summary>
    /// The data of some row, or what a trigger says of it. A table without a partition for a row has the state of a check that failed, but no constraint's name.
    /// </summary>
    public static bool IsRowsFault(PostgresException error) => !NotOfRows.Contains(error.SqlState[..2]) && !LacksPartition(error);

    /// <summary>The table has no partition for a row.</summary>
    public static bool LacksPartition(PostgresException error) => error.SqlState == PostgresErrorCodes.CheckViolation && string.IsNullOrEmpty(error.ConstraintName);

    /// <summary>Turns a failure into one of the seam's two; null when it is neither (cancellation, a bug).</summary>
    public static Exception? Translate(Exception error, string server) => error switch
    {
        PostgresException refused => FromState(refused, server),
        NpgsqlException { InnerException: PostgresException refused } => FromState(refused, server),
        NpgsqlException or SocketException or IOException or TimeoutException => new StoreUnavailableException(
            $"PostgreSQL at {server} does not answer ({Innermost(error)}). Rows wait in the topic until it does; check that it runs and that host and port in `connection` are right.",
            error),
        _ => null,
    };

    private static Exception FromState(PostgresException error, string server)
    {
        string text = $"{error.MessageText} ({error.SqlState})";
        return error.SqlState switch
        {
            "28P01" or "28000" => new StoreRefusedException(
                $"PostgreSQL at {server} refuses the login: {text}. Check Username and Password in `connection`, and pg_hba.conf.", error),
            "3D000" => new StoreRefusedException($"PostgreSQL at {server}: {text}. Create it (createdb) or correct Database in `connection`.", error),
            "42501" => new StoreRefusedException($"PostgreSQL at {server}: {text}. Grant the sink's user that, or let it own the tables; the sink looks at its rights when it is tried again, and says which is missing.", error),
            _ when LacksPartition(error) => new StoreUnavailableException(
                $"PostgreSQL at {server}: {text}: it was removed meanwhile, and is made again; one that is being detached has to be gone first.", error),
            "25006" or "25P03" or "55P03" => new StoreUnavailableException($"PostgreSQL at {server}: {text}", error),
            _ when error.SqlState[..2] is "08" or "40" or "53" or "57" or "58" => new StoreUnavailableException($"PostgreSQL at {server}: {text}", error),
            _ => new StoreRefusedException(
                $"PostgreSQL at {server} refuses: {text}{(error.Detail is null ? "" : $"; {error.Detail}")}{(error.Hint is null ? "" : $"; {error.Hint.TrimEnd('.')}")}. Mend that in the database; the sink goes on by itself then.", error),
        };
    }

    private static string Innermost(Exception error)
    {
        while (error.InnerException is { } inner)
        {
            error = inner;
        }
        return error.Message;
    }
}
