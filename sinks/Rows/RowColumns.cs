using LogPipeline.Sinks.Parsing;

namespace LogPipeline.Sinks.Rows;

/// <summary>The columns of a rows table before the parser's own; the same in every database.</summary>
public static class RowColumns
{
    /// <summary>In the order in which they are written.</summary>
    public static readonly IReadOnlyList<string> Fixed =
        ["log", "log_offset", "time", "source", "file_offset", "part", "line", "raw", "parsed", "flags"];

    /// <summary>The fixed ones, then the parser's.</summary>
    public static IReadOnlyList<string> Of(ILineParser parser) => [.. Fixed, .. parser.Columns.Select(c => c.Name)];

    /// <summary>
    /// What decides the meaning of a row. A ledger keeps it, so that a changed parser does not go on in a table made by another.
    /// </summary>
    public static string ConfigHash(ILineParser parser) => $"1:{parser.Name}:{string.Join(',', parser.Columns.Select(c => c.Name))}";

    /// <summary>The view that people read: names instead of numbers.</summary>
    /// <param name="first">Columns before the view's own, each followed by a comma.</param>
    public static string ViewSelect(TableName table, ILineParser parser, string first = "") =>
        $"SELECT {first}l.topic, l.partition, r.log_offset, r.time, s.host, s.file, s.generation, r.file_offset, r.part, r.line, r.raw, r.parsed"
        + string.Concat(parser.Columns.Select(c => $", r.{c.Name}"))
        + $", r.flags FROM {table.Rows} r JOIN logpipe_logs l ON l.id = r.log LEFT JOIN logpipe_sources s ON s.id = r.source";

    /// <summary>The names of the view's columns.</summary>
    public static IReadOnlyList<string> OfView(ILineParser parser) =>
        ["topic", "partition", "log_offset", "time", "host", "file", "generation", "file_offset", "part", "line", "raw", "parsed", .. parser.Columns.Select(c => c.Name), "flags"];

    /// <summary>The view of the dead letters of those sinks that write to the table.</summary>
    /// <param name="line">The expression for the value as text.</param>
    public static string DeadLettersSelect(TableName table, string line) =>
        $"SELECT l.sink, l.topic, l.partition, d.log_offset, d.time, s.host, s.file, s.generation, d.file_offset, d.part, d.state, d.reason, {line} AS line, d.value"
        + $" FROM logpipe_dead_letters d JOIN logpipe_logs l ON l.id = d.log LEFT JOIN logpipe_sources s ON s.id = d.source WHERE l.table_name = {table.Literal}";
}
