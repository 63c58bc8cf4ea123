namespace LogPipeline.Sinks.Parsing;

/// <summary>What <c>parser:</c> says: a type, and what that type takes.</summary>
public sealed record ParserOptions
{
    public string Type { get; init; } = "none";

    /// <summary>nginx's <c>log_format</c>, or the field names of IIS.</summary>
    public string? Format { get; init; }

    /// <summary>A regular expression with named groups.</summary>
    public string? Pattern { get; init; }

    /// <summary>Columns and their types, in order: <c>int</c>, or <c>int from a.b</c> where a value lies under another name.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Columns { get; init; } = [];

    /// <summary>Where the event's time is; null = where it usually is.</summary>
    public string? TimeField { get; init; }

    /// <summary>See <see cref="TimeFormat"/>; null = by what it looks like.</summary>
    public string? TimeFormat { get; init; }

    /// <summary>Which rows are stored, in the language of queries; null = all. The configuration has it beside <c>parser:</c>, as it names what the parser finds.</summary>
    public string? Where { get; init; }

    /// <summary>What the parser takes beside its type, in one line; empty where nothing else is said.</summary>
    public string Settings => string.Join("; ", new[]
    {
        ("format", Format), ("pattern", Pattern), ("columns", Columns.Count > 0 ? string.Join(", ", Columns.Select(column => $"{column.Key} {column.Value}")) : null),
        ("time", TimeField), ("time_format", TimeFormat),
    }.Where(setting => setting.Item2 is not null).Select(setting => $"{setting.Item1}: {setting.Item2}"));

    public static implicit operator ParserOptions(string type) => new() { Type = type };

    public override string ToString() => Describe(Type, Where);

    /// <summary>A parser and which rows are stored, for people.</summary>
    internal static string Describe(string type, string? where) => where is null ? type : $"{type} where {where}";
}
