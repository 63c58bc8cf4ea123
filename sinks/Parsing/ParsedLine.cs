namespace LogPipeline.Sinks.Parsing;

/// <summary>What a parser finds in one line: a field for each of its columns, over the line and a scratch, and when the event was.</summary>
public ref struct ParsedLine
{
    /// <summary>The line's form has no time.</summary>
    public const long NoTime = long.MinValue;

    /// <param name="fields">One for each column.</param>
    /// <param name="scratch">Takes the bytes of values that are no stretch of the line.</param>
    public ParsedLine(Span<Field> fields, PooledBytes scratch)
    {
        fields.Clear();
        Fields = fields;
        Scratch = scratch;
    }

    public Span<Field> Fields { get; }

    public PooledBytes Scratch { get; }

    /// <summary>When the record was made, microseconds since 1970: for times that lack their year.</summary>
    public long RecordTime { get; init; }

    /// <summary>Microseconds since 1970, UTC, within the years 1 to 9999.</summary>
    public long EventTime { get; set; } = NoTime;
}
