namespace LogPipeline.Sinks.Query;

/// <summary>The question cannot be answered; the message says why and what to write.</summary>
public class QueryException(string message) : Exception(message);

/// <summary>The database worked for too long without giving a row.</summary>
/// <param name="patience">How long.</param>
/// <param name="done">Everything since then was looked at before; null = it is not known.</param>
public sealed class QueryTimeoutException(TimeSpan patience, DateTimeOffset? done = null)
    : QueryException($"ended: the database gave no row for {patience.TotalSeconds:0.#} s{(done is { } since ? $"; all since {since.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss'Z'} has been looked at" : "")}."
        + " Narrow the time (--since, --until) or the condition, or allow more: --timeout 10m (0 = no limit)");
