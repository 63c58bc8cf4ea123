namespace LogPipeline.Cli.Printing;

/// <summary>A column of a table that is to fit a screen.</summary>
/// <param name="Heading">Above it.</param>
/// <param name="ValueWidth">What its widest value takes.</param>
/// <param name="IsCuttable">Whether a value still says something when it is cut: a text does, a number or a time does not.</param>
/// <param name="TextWidthMin">A text is not cut below this.</param>
/// <param name="Rank">How important it is; 0 is the most important one.</param>
internal readonly record struct TableColumn(string Heading, int ValueWidth, bool IsCuttable, int TextWidthMin, int Rank);

/// <summary>
/// Shares a screen's width out: long texts are cut, the least important one first; where that is not enough, columns are left out, again the least
/// important one first.
/// </summary>
internal static class TableLayout
{
    public const int Gap = 2;

    /// <summary>The heading of a number is not cut below this.</summary>
    private const int HeadingWidthMin = 10;

    /// <summary>The width of each column; 0 for one that is left out.</summary>
    public static int[] Widths(IReadOnlyList<TableColumn> columns, int screen)
    {
        var kept = Enumerable.Range(0, columns.Count).ToList();
        while (kept.Count > 1 && Total(kept.Select(i => Least(columns[i]))) > screen)
        {
            kept.Remove(kept.MaxBy(i => columns[i].Rank));
        }
        int[] widths = new int[columns.Count];
        foreach (int i in kept)
        {
            widths[i] = Natural(columns[i]);
        }
        int excess = Total(kept.Select(i => widths[i])) - screen;
        foreach (int i in kept.OrderByDescending(i => columns[i].IsCuttable).ThenByDescending(i => columns[i].Rank))
        {
            int cut = Math.Clamp(excess, 0, widths[i] - Least(columns[i]));
            widths[i] -= cut;
            excess -= cut;
        }
        if (excess > 0)
        {
            widths[kept[0]] = Math.Max(1, widths[kept[0]] - excess); // one column alone, wider than the screen
        }
        // Later values may be longer than the first ones: the last text has the rest.
        if (columns[kept[^1]].IsCuttable)
        {
            widths[kept[^1]] += Math.Max(0, screen - Total(kept.Select(i => widths[i])));
        }
        return widths;
    }

    private static int Natural(TableColumn column) => Math.Max(column.ValueWidth, column.Heading.Length);

    private static int Least(TableColumn column) => column.IsCuttable
        ? Math.Min(Natural(column), column.TextWidthMin)
        : Math.Max(column.ValueWidth, Math.Min(column.Heading.Length, HeadingWidthMin));

    private static int Total(IEnumerable<int> widths) => widths.Sum(width => width + Gap) - Gap;
}
