using LogPipeline.Sinks.Rows;

namespace LogPipeline.Sinks;

/// <summary>Rows into PostgreSQL 14 or newer.</summary>
public sealed record PostgresOptions
{
    /// <summary>An Npgsql connection string.</summary>
    public string Connection { get; init; } = "";

    /// <summary>
    /// The view's name; rows go to <c>table_rows</c>. As SQL has it: <c>app.web_log</c> with a schema, <c>"web-log"</c> in double quotes where
    /// it is not letters, digits and _.
    /// </summary>
    public string Table { get; init; } = "web_log";

    /// <summary>Partitions all of whose times are older are removed; null keeps all.</summary>
    public TimeSpan? Retention { get; init; }

    /// <summary>Columns that people search, each with an index of its own; see <see cref="RowIndex"/>.</summary>
    public IReadOnlyList<string> Indexes { get; init; } = [];
}
