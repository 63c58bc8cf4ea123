using LogPipeline.Sinks.Query.Language;

namespace LogPipeline.Sinks.Query;

/// <summary>What rows to read from a sink's view.</summary>
public sealed record LogQuery
{
    /// <summary>Rows at or after this time.</summary>
    public DateTimeOffset? From { get; init; }

    /// <summary>Rows before this time.</summary>
    public DateTimeOffset? To { get; init; }

    /// <summary>What holds for the rows; null = all rows.</summary>
    public QueryNode? Filter { get; init; }

    /// <summary>Newest first when true.</summary>
    public bool Descending { get; init; }

    /// <summary>Rows at most; 0 = all.</summary>
    public int Limit { get; init; } = 100;

    /// <summary>How long the database may work without giving a row; zero = for ever.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(60);
}
