namespace LogPipeline.Cli.KafkaTools;

/// <summary>
/// Tables as Kafka's commands print them: columns stand left in at least so many characters, one space apart, and nothing is cut. Scripts
/// take them apart by white space.
/// </summary>
/// <param name="columns">Heading and least width of each; the last one's 0 leaves it unpadded.</param>
internal sealed class FixedTable(params (string Heading, int Width)[] columns)
{
    private readonly List<string[]> _rows = [];

    public int Count => _rows.Count;

    public void Add(params object?[] cells) =>
        _rows.Add([.. cells.Select(static cell => cell is null ? "-" : Convert.ToString(cell, System.Globalization.CultureInfo.InvariantCulture) ?? "-")]);

    /// <summary>Prints the headings and the rows.</summary>
    /// <param name="to">Where to.</param>
    /// <param name="gap">Whether an empty line goes before.</param>
    public void Print(TextWriter to, bool gap = true)
    {
        int[] widths = [.. columns.Select((column, i) => column.Width == 0 ? 0 : _rows.Select(row => row[i].Length).Append(column.Width).Max())];
        if (gap)
        {
            to.WriteLine();
        }
        Line(columns.Select(static column => column.Heading));
        _rows.ForEach(Line);

        void Line(IEnumerable<string> cells) => to.WriteLine(string.Join(' ', cells.Select((cell, i) => cell.PadRight(widths[i]))));
    }
}
