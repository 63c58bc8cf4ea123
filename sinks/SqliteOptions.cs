namespace LogPipeline.Sinks;

/// <summary>Rows into an SQLite file.</summary>
public sealed record SqliteOptions
{
    public string File { get; init; } = "";

    /// <summary>The view's name; rows go to <c>table_rows</c>.</summary>
    public string Table { get; init; } = "web_log";

    /// <summary>Rows of days that are older are removed; null keeps all.</summary>
    public TimeSpan? Retention { get; init; }

    /// <summary>Columns that people search, each with an index of its own.</summary>
    public IReadOnlyList<string> Indexes { get; init; } = [];
}
