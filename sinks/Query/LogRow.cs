namespace LogPipeline.Sinks.Query;

/// <summary>One row of the view, long lines joined.</summary>
/// <param name="Line">The text; the bytes are in <paramref name="Raw"/> where the text is not exactly them.</param>
/// <param name="Columns">The parser's columns, in the order of <see cref="ILogReader.Columns"/>: string (of an address or JSON too), long, double, bool, DateTimeOffset or null.</param>
public sealed record LogRow(
    string Topic, int Partition, long LogOffset, DateTimeOffset Time, string? Host, string? File, string? Generation,
    long? FileOffset, int Part, string? Line, byte[]? Raw, bool Parsed, IReadOnlyList<object?> Columns)
{
    /// <summary>Tells rows apart that agree in all else, where the database numbers its rows; else 0.</summary>
    internal long RowId { get; init; }
}
