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

    /// <summary>How long the database may work without giving a row; zero = for ever.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(60);
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
