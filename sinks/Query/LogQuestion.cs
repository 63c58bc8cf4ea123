using LogPipeline.Sinks.Query.Language;

namespace LogPipeline.Sinks.Query;

/// <summary>What to ask of the rows that a query selects.</summary>
public abstract record LogQuestion(LogQuery Query);

/// <summary>The rows themselves.</summary>
public sealed record RowsQuestion(LogQuery Query) : LogQuestion(Query);

/// <summary>How many there are.</summary>
public sealed record CountQuestion(LogQuery Query) : LogQuestion(Query);

/// <summary>How many there are of each value of a field, the most frequent first; the query limits the number of values.</summary>
public sealed record TopQuestion(LogQuery Query, QueryField Field) : LogQuestion(Query);

/// <summary>How many there are of each time; the query limits the number of times.</summary>
/// <param name="Query">Which rows.</param>
/// <param name="Width">From one time to the next: whole seconds.</param>
public sealed record HistogramQuestion(LogQuery Query, TimeSpan Width) : LogQuestion(Query);

/// <summary>How many rows there are of a value or a time.</summary>
/// <param name="Of">The value as text, or the beginning of the time; null where a field has no value, or all rows are counted.</param>
/// <param name="Rows">How many.</param>
public sealed record RowCount(object? Of, long Rows);
