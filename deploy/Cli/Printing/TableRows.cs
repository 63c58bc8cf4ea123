using System.Globalization;
using LogPipeline.Sinks.Query;
using Spectre.Console;

namespace LogPipeline.Cli.Printing;

/// <summary>A table that fits the screen: what is too long is cut with an ellipsis. Into a pipe nothing is cut.</summary>
internal sealed class TableRows : IRowWriter
{
    private const int WidthOfPipe = 100_000;

    private readonly IReadOnlyList<RowColumn> _columns;
    private readonly TextWriter _output;
    private readonly Table _table;

    public TableRows(IReadOnlyList<RowColumn> columns, TextWriter output)
    {
        (_columns, _output) = (columns, output);
        _table = new Table { Border = TableBorder.Simple, ShowHeaders = true };
        foreach (RowColumn column in columns)
        {
            _table.AddColumn(new TableColumn(Markup.Escape(column.Name)) { NoWrap = true, Padding = new Padding(0, 0, 1, 0), Alignment = IsNumeric(column) ? Justify.Right : Justify.Left });
        }
    }

    public void Write(LogRow row)
        => _table.AddRow(_columns.Select(column => new Text(Cell(column.Of(row))) { Overflow = Overflow.Ellipsis }));

    public void End()
    {
        if (_table.Rows.Count == 0)
        {
            _output.WriteLine("no rows");
            return;
        }
        var text = new StringWriter();
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(text), Ansi = AnsiSupport.No, Interactive = InteractionSupport.No });
        console.Profile.Width = Console.IsOutputRedirected ? WidthOfPipe : Math.Max(Console.WindowWidth, 40);
        console.Write(_table);
        // The table comes padded to its width, with an empty line above and below.
        foreach (string? line in text.ToString().Split('\n').Select(line => line.TrimEnd()).Where(line => line.Length > 0))
        {
            _output.WriteLine(line);
        }
    }

    private static bool IsNumeric(RowColumn column) => column.Name is "status" or "body_bytes_sent" or "partition" or "log_offset" or "file_offset" or "part";

    private static string Cell(object? value) => value switch
    {
        null => "",
        DateTimeOffset time => Times.Short(time),
        byte[] bytes => Convert.ToHexString(bytes),
        string text => ScreenText.Clean(text),
        _ => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "",
    };
}
