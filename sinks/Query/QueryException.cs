namespace LogPipeline.Sinks.Query;

/// <summary>The question cannot be answered; the message says why and what to write.</summary>
public class QueryException(string message) : Exception(message);

/// <summary>Another table took the place of the one whose rows were read by several statements: they are not rows of one table.</summary>
public sealed class RowsReplacedException(string table)
    : QueryException($"another table took the place of {table} while its rows were read, as a rebuild swaps it in: ask once more, for the rows of one of them");

/// <summary>The database worked for too long without giving a row.</summary>
/// <param name="patience">How long.</param>
/// <param name="done">Everything since then was looked at before; null = it is not known.</param>
public sealed class QueryTimeoutException(TimeSpan patience, DateTimeOffset? done = null)
    : QueryException($"ended: the database gave no row for {patience.TotalSeconds:0.#} s{(done is { } since ? $"; all since {since.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss'Z'} has been looked at" : "")}."
        + " Narrow the time (--since, --until) or the condition, or allow more: --timeout 10m (0 = no limit)");
