namespace LogPipeline.Sinks.Query;

/// <summary>What rows to read from a sink's view.</summary>
public sealed record LogQuery
{
    /// <summary>Rows at or after this time.</summary>
    public DateTimeOffset? From { get; init; }

    /// <summary>Rows before this time.</summary>
    public DateTimeOffset? To { get; init; }

    /// <summary>The line contains each of these, letter by letter.</summary>
    public IReadOnlyList<string> Contains { get; init; } = [];

    /// <summary>All hold.</summary>
    public IReadOnlyList<ColumnComparison> Where { get; init; } = [];

    /// <summary>Newest first when true.</summary>
    public bool Descending { get; init; }

    /// <summary>Rows at most; 0 = all.</summary>
    public int Limit { get; init; } = 100;
}

/// <summary>A column compared with a value: <c>status>=500</c>.</summary>
public readonly record struct ColumnComparison(string Column, Comparison Comparison, string Value)
{
    private static readonly (string Sign, Comparison Comparison)[] Signs =
    [
        ("!=", Comparison.NotEqual), (">=", Comparison.GreaterOrEqual), ("<=", Comparison.LessOrEqual),
        ("!~", Comparison.NotContains), ("=", Comparison.Equal), (">", Comparison.Greater), ("<", Comparison.Less), ("~", Comparison.Contains),
    ];

    /// <summary>Reads <c>status>=500</c>, <c>path=/login</c>, <c>method!=GET</c>, <c>http_user_agent~bot</c>, <c>line!~health</c>.</summary>
    /// <exception cref="QueryException">The text is not a comparison.</exception>
    public static ColumnComparison Parse(string text)
    {
        int at = text.AsSpan().IndexOfAny("!=<>~");
        if (at > 0)
        {
            foreach ((string? sign, Comparison comparison) in Signs)
            {
                if (text.AsSpan(at).StartsWith(sign))
                {
                    return new ColumnComparison(text[..at].Trim(), comparison, text[(at + sign.Length)..].Trim());
                }
            }
        }
        throw new QueryException($"`{text}` is not a comparison: write column, sign, value, as in status>=500 (signs: = != < <= > >= ~ !~)");
    }
}

public enum Comparison
{
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,

    /// <summary><c>~</c>: the text contains the value.</summary>
    Contains,
    NotContains,
}

/// <summary>The question cannot be answered; the message says why and what to write.</summary>
public sealed class QueryException(string message) : Exception(message);

/// <summary>One row of the view, long lines joined.</summary>
/// <param name="Line">The text; the bytes are in <paramref name="Raw"/> where the text is not exactly them.</param>
/// <param name="Columns">The parser's columns, in the order of <see cref="ILogReader.Columns"/>: string, long, DateTimeOffset or null.</param>
public sealed record LogRow(
    string Topic, int Partition, long LogOffset, DateTimeOffset Time, string? Host, string? File, string? Generation,
    long? FileOffset, int Part, string? Line, byte[]? Raw, bool Parsed, IReadOnlyList<object?> Columns);

/// <summary>Reads a sink's view.</summary>
public interface ILogReader : IAsyncDisposable
{
    /// <summary>Names of the parser's columns; known after the first call of <see cref="OpenAsync"/>.</summary>
    IReadOnlyList<string> Columns { get; }

    /// <summary>Connects and reads the view's columns.</summary>
    ValueTask OpenAsync(CancellationToken cancellation);

    /// <summary>Streams the rows that the query asks for.</summary>
    /// <exception cref="QueryException">A column is unknown or a value does not fit it.</exception>
    IAsyncEnumerable<LogRow> QueryAsync(LogQuery query, CancellationToken cancellation);

    /// <summary>
    /// Streams rows as they are committed, from now on (or from <paramref name="last"/> rows back), each once, none skipped; ends
    /// only by cancellation.
    /// </summary>
    IAsyncEnumerable<LogRow> TailAsync(LogQuery filter, int last, CancellationToken cancellation);
}
