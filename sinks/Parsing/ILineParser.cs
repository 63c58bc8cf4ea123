namespace LogPipeline.Sinks.Parsing;

/// <summary>Finds columns in a line's bytes. Stateless: one serves all partitions.</summary>
public interface ILineParser
{
    /// <summary>As in the configuration.</summary>
    string Name { get; }

    IReadOnlyList<Column> Columns { get; }

    /// <summary>What it was told beyond its name, for people and for comparing; empty where that is nothing.</summary>
    string Settings => "";

    /// <summary>Which rows are stored, in the language of queries; null = all.</summary>
    string? Where => null;

    /// <summary>Fills one field a column; false when the line is not of this form, and the fields mean nothing.</summary>
    /// <param name="line">Valid UTF-8 without NUL.</param>
    /// <param name="into">Its fields are without values.</param>
    bool TryParse(ReadOnlySpan<byte> line, ref ParsedLine into);
}

/// <summary>The parser that finds nothing: rows carry the line alone.</summary>
public sealed class NoParser : ILineParser
{
    public string Name => "none";

    public IReadOnlyList<Column> Columns => [];

    public bool TryParse(ReadOnlySpan<byte> line, ref ParsedLine into) => false;
}
