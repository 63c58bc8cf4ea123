using System.IO.Hashing;
using System.Text;
using LogPipeline.Sinks.Parsing;

namespace LogPipeline.Sinks.Rows;

/// <summary>The columns of a rows table before the parser's own; the same in every database.</summary>
public static class RowColumns
{
    /// <summary>In the order in which they are written.</summary>
    public static readonly IReadOnlyList<string> Fixed =
        ["log", "log_offset", "time", "source", "file_offset", "part", "line", "raw", "parsed", "flags"];

    /// <summary>Columns of the view that come from another table than the rows.</summary>
    private static readonly Dictionary<string, string> Joined = new() { ["topic"] = "l", ["partition"] = "l", ["host"] = "s", ["file"] = "s", ["generation"] = "s" };

    /// <summary>The fixed ones, then the parser's.</summary>
    public static IReadOnlyList<string> Of(ILineParser parser) => [.. Fixed, .. parser.Columns.Select(c => c.Name)];

    /// <summary>
    /// What decides the meaning of a row. A ledger keeps it, so that processes of a sink whose configurations differ notice it.
    /// </summary>
    public static string ConfigHash(ILineParser parser) => $"1:{parser.Name}:{string.Join(',', parser.Columns.Select(c => c.Name))}"
        + (parser.Settings.Length == 0 ? "" : $":{XxHash3.HashToUInt64(Encoding.UTF8.GetBytes(parser.Settings)):x16}");

    /// <summary>The name of the parser that a configuration hash is of.</summary>
    public static string ParserOf(string configHash) => configHash.Split(':')[1];

    /// <summary>The columns that a configuration hash is of.</summary>
    public static string ColumnsOf(string configHash) => configHash.Split(':')[2].Replace(",", ", ", StringComparison.Ordinal);

    /// <summary>
    /// The view that people read: names instead of numbers. Each row's log is there; the join is a LEFT JOIN nevertheless, as planners leave that
    /// out where none of the log's columns is asked for: counting rows takes a third less time.
    /// </summary>
    /// <param name="columns">The view's, in its order.</param>
    /// <param name="first">Columns before the view's own, each followed by a comma.</param>
    public static string ViewSelect(TableName table, IEnumerable<string> columns, string first = "") =>
        $"SELECT {first}{string.Join(", ", columns.Select(column => $"{Joined.GetValueOrDefault(column, "r")}.{column}"))}"
        + $" FROM {table.Rows} r LEFT JOIN logpipe_logs l ON l.id = r.log LEFT JOIN logpipe_sources s ON s.id = r.source";

    /// <summary>The names of the view's columns.</summary>
    /// <param name="parsed">Those of parsers.</param>
    public static IReadOnlyList<string> OfView(IEnumerable<string> parsed) =>
        ["topic", "partition", "log_offset", "time", "host", "file", "generation", "file_offset", "part", "line", "raw", "parsed", .. parsed, "flags"];

    /// <summary>The view's order after a change of columns: it goes on as it is, so that what people built on it does, and new columns come last.</summary>
    /// <param name="view">The columns that it has.</param>
    /// <param name="parsed">Those that the rows table has beside the fixed ones.</param>
    /// <exception cref="StoreRefusedException">The view has a column that is not the table's.</exception>
    public static IReadOnlyList<string> OfView(TableName table, IReadOnlyList<string> view, IReadOnlyList<string> parsed)
    {
        IReadOnlyList<string> own = OfView(parsed);
        return view.FirstOrDefault(column => !own.Contains(column)) is not { } foreign ? [.. view, .. own.Except(view)]
            : throw new StoreRefusedException($"view {table} has a column {foreign} that is not the sink's, and must get columns for the parser: DROP VIEW {table}, and the sink makes it anew; "
                + "a view of your own, over that one, may have any columns.");
    }

    /// <summary>The view of the dead letters of those sinks that write to the table.</summary>
    /// <param name="line">The expression for the value as text.</param>
    public static string DeadLettersSelect(TableName table, string line) =>
        $"SELECT l.sink, l.topic, l.partition, d.log_offset, d.time, s.host, s.file, s.generation, d.file_offset, d.part, d.state, d.reason, {line} AS line, d.value"
        + $" FROM logpipe_dead_letters d JOIN logpipe_logs l ON l.id = d.log LEFT JOIN logpipe_sources s ON s.id = d.source WHERE l.table_name = {table.Literal}";
}
