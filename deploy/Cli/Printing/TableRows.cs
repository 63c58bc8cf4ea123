using System.Globalization;
using LogPipeline.Hosting;
using LogPipeline.Sinks.Query;

namespace LogPipeline.Cli.Printing;

/// <summary>
/// A table. The first rows decide how wide its columns are, all others follow as they come. On a screen long values are cut; without one nothing is.
/// </summary>
internal sealed class TableRows(IReadOnlyList<RowColumn> columns, TextWriter output, int? screen) : IRowWriter
{
    private const int SampleRows = 100;
    private const int SampleCharacters = 1 << 20;

    private readonly List<string[]> _sample = [];
    private readonly bool[] _isText = new bool[columns.Count];
    private readonly bool[] _isNumber = new bool[columns.Count];
    private int _characters;
    private int[]? _widths;

    /// <summary>The columns for which the screen has no room; known when the first row is written.</summary>
    public IEnumerable<string> LeftOut => columns.Where((_, i) => _widths?[i] == 0).Select(column => column.Name);

    public void Write(LogRow row)
    {
        object?[] values = [.. columns.Select(column => column.Of(row))];
        string[] cells = Array.ConvertAll(values, Cell);
        if (_widths is not null)
        {
            Line(cells);
            return;
        }
        for (int i = 0; i < values.Length; i++)
        {
            _isText[i] |= values[i] is string or byte[];
            _isNumber[i] |= values[i] is int or long or double;
        }
        _sample.Add(cells);
        _characters += cells.Sum(cell => cell.Length);
        if (_sample.Count == SampleRows || _characters > SampleCharacters)
        {
            Pause();
        }
    }

    public void Pause()
    {
        if (_widths is not null || _sample.Count == 0)
        {
            return;
        }
        _widths = Widths();
        Line([.. columns.Select(column => column.Name)]);
        output.WriteLine(string.Join(new string(' ', TableLayout.Gap), _widths.Where(width => width > 0).Select(width => new string('─', width))));
        _sample.ForEach(Line);
        _sample.Clear();
    }

    public void End()
    {
        Pause();
        if (_widths is null)
        {
            output.WriteLine("no rows");
        }
    }

    private int[] Widths()
    {
        TableColumn[] measured = [.. columns.Select((column, i) =>
            new TableColumn(column.Name, _sample.Max(cells => ScreenText.Width(cells[i])), _isText[i], column.TextWidthMin, column.Rank))];
        if (screen is { } width)
        {
            return TableLayout.Widths(measured, width);
        }
        // Nothing stands right of the last column that a long text would push away.
        return [.. measured.Select((column, i) => Math.Max(i == measured.Length - 1 ? 0 : column.ValueWidth, column.Heading.Length))];
    }

    private void Line(string[] cells)
    {
        int last = Array.FindLastIndex(_widths!, width => width > 0);
        for (int i = 0; i <= last; i++)
        {
            int width = _widths![i];
            if (width == 0)
            {
                continue;
            }
            bool isWhole = screen is null && ScreenText.Width(cells[i]) > width;
            string cell = isWhole ? cells[i] : ScreenText.Fit(cells[i], width, right: _isNumber[i]);
            output.Write(i == last ? cell.TrimEnd() : cell);
            output.Write(i == last ? "\n" : new string(' ', TableLayout.Gap));
        }
    }

    private static string Cell(object? value) => value switch
    {
        null => "",
        DateTimeOffset time => Times.Short(time),
        byte[] bytes => Convert.ToHexString(bytes),
        string text => ControlCharacters.Show(text),
        _ => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "",
    };
}
