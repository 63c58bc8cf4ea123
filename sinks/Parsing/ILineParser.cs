namespace LogPipeline.Sinks.Parsing;

/// <summary>What a parsed column holds.</summary>
public enum ColumnKind
{
    Text,

    /// <summary>32 bits.</summary>
    Integer,

    /// <summary>64 bits.</summary>
    BigInteger,

    /// <summary>Microseconds since 1970, UTC.</summary>
    Time,
}

/// <summary>A column that a parser fills.</summary>
public readonly record struct Column(string Name, ColumnKind Kind);

/// <summary>One value found in a line: a slice of it, a number, or nothing.</summary>
public struct Field
{
    public int Start;
    public int Length;
    public long Number;
    public bool HasValue;

    public static Field Text(int start, int length) => new() { Start = start, Length = length, HasValue = true };

    public static Field Of(long number) => new() { Number = number, HasValue = true };
}

/// <summary>Finds columns in a line's bytes. Stateless: one serves all partitions.</summary>
public interface ILineParser
{
    /// <summary>As in the configuration.</summary>
    string Name { get; }

    IReadOnlyList<Column> Columns { get; }

    /// <summary>Fills one field a column; false when the line is not of this form, and the fields mean nothing.</summary>
    /// <param name="line">Valid UTF-8 without NUL.</param>
    /// <param name="eventTime">Microseconds since 1970; <see cref="long.MinValue"/> when the form has no time.</param>
    bool TryParse(ReadOnlySpan<byte> line, Span<Field> fields, out long eventTime);
}

/// <summary>The parser that finds nothing: rows carry the line alone.</summary>
public sealed class NoParser : ILineParser
{
    public string Name => "none";

    public IReadOnlyList<Column> Columns => [];

    public bool TryParse(ReadOnlySpan<byte> line, Span<Field> fields, out long eventTime)
    {
        eventTime = long.MinValue;
        return false;
    }
}

/// <summary>Parsers by their configured names.</summary>
public static class LineParsers
{
    /// <exception cref="SinkConfigurationException">The name is unknown.</exception>
    public static ILineParser Named(string name) => name switch
    {
        "none" => new NoParser(),
        "combined" => new CombinedParser(),
        _ => throw new SinkConfigurationException($"parser {name} is unknown: write combined or none"),
    };
}
