using System.Globalization;
using LogPipeline.Hosting;

namespace LogPipeline.Cli.Printing;

/// <summary>Columns aligned by spaces: reads well on a screen, and <c>awk</c> takes it apart. Numbers stand right.</summary>
internal sealed class TextTable(params string[] headings)
{
    private readonly List<object?[]> _rows = [];

    public void Add(params object?[] cells) => _rows.Add(cells);

    public void Print() => Print(Console.Out);

    public void Print(TextWriter to)
    {
        int[] widths = headings.Select((heading, i) => _rows.Select(row => ScreenText.Width(Text(row[i]))).Append(heading.Length).Max()).ToArray();
        Line(to, widths, headings);
        foreach (object?[] row in _rows)
        {
            Line(to, widths, row);
        }
    }

    private void Line(TextWriter to, int[] widths, object?[] cells)
    {
        IEnumerable<string> line = cells.Select((cell, i) => ScreenText.Fit(Text(cell), widths[i], right: IsNumeric(i)));
        to.WriteLine(string.Join("  ", line).TrimEnd());
    }

    private bool IsNumeric(int column) => _rows.Count > 0 && _rows.TrueForAll(row => row[column] is int or long or double or null);

    private static string Text(object? cell) => cell is null ? "-" : ControlCharacters.Show(Convert.ToString(cell, CultureInfo.InvariantCulture) ?? "-");
}
