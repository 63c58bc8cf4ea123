namespace LogPipeline.Sinks.Query;

/// <summary>The question cannot be answered; the message says why and what to write.</summary>
public class QueryException(string message) : Exception(message);

/// <summary>The database worked for too long without giving a row.</summary>
public sealed class QueryTimeoutException(TimeSpan patience)
    : QueryException($"ended: the database gave no row for {patience.TotalSeconds:0.#} s. Narrow the time (--since, --until) or the condition, or allow more: --timeout 10m (0 = no limit)");
