using System.Globalization;
using System.Text;
using LogPipeline.Sinks.Query;

namespace LogPipeline.Cli.Reporting;

/// <summary>Bars over time as SVG, the series of a time one upon the other. Colours are classes of the page's style.</summary>
internal sealed class BarChart(DateTimeOffset from, DateTimeOffset to, TimeSpan width)
{
    private const int Left = 64;
    private const int Right = 10;
    private const int Top = 10;
    private const int Bottom = 26;
    private const int Wide = 960;
    private const int High = 220;
    private const int LabelsMax = 8;

    /// <param name="series">What is shown, from the bottom up.</param>
    /// <param name="title">For who cannot see it.</param>
    public string Draw(IReadOnlyList<TimeSeries> series, string title)
    {
        SortedDictionary<DateTimeOffset, long[]> bars = BarsOf(series);
        long most = Math.Max(1, bars.Values.Select(static bar => bar.Sum()).DefaultIfEmpty().Max());
        long top = RoundUp(most);
        var svg = new StringBuilder();
        svg.Append(CultureInfo.InvariantCulture, $"<svg viewBox=\"0 0 {Wide} {High}\" role=\"img\" aria-label=\"{ReportPage.Text(title)}\">\n");
        DrawScale(svg, top);
        double step = (Wide - Left - Right) / Math.Max(1, (to - First) / width); // the last bar may be of less time
        foreach ((DateTimeOffset time, long[] counts) in bars)
        {
            DrawBar(svg, Left + ((time - First) / width * step), step, counts, series, time, top);
        }
        DrawTimes(svg);
        return svg.Append("</svg>\n").ToString();
    }

    /// <summary>The time at which the first bar begins.</summary>
    private DateTimeOffset First => new(from.UtcTicks - (from.UtcTicks % width.Ticks), TimeSpan.Zero);

    private static SortedDictionary<DateTimeOffset, long[]> BarsOf(IReadOnlyList<TimeSeries> series)
    {
        SortedDictionary<DateTimeOffset, long[]> bars = [];
        for (int i = 0; i < series.Count; i++)
        {
            foreach (RowCount count in series[i].Counts)
            {
                var time = (DateTimeOffset)count.Of!;
                if (!bars.TryGetValue(time, out long[]? bar))
                {
                    bars[time] = bar = new long[series.Count];
                }
                bar[i] += count.Rows;
            }
        }
        return bars;
    }

    private static void DrawScale(StringBuilder svg, long top)
    {
        for (int i = 0; i <= 4; i++)
        {
            double y = HeightOf(top * i / 4.0, top);
            svg.Append(CultureInfo.InvariantCulture, $"<line class=\"grid\" x1=\"{Left}\" x2=\"{Wide - Right}\" y1=\"{y:0.#}\" y2=\"{y:0.#}\"/>")
                .Append(CultureInfo.InvariantCulture, $"<text x=\"{Left - 6}\" y=\"{y + 4:0.#}\" text-anchor=\"end\">{top * i / 4.0:#,0.##}</text>\n");
        }
    }

    private static void DrawBar(StringBuilder svg, double x, double step, long[] counts, IReadOnlyList<TimeSeries> series, DateTimeOffset time, long top)
    {
        long below = 0;
        for (int i = 0; i < counts.Length; i++)
        {
            if (counts[i] == 0)
            {
                continue;
            }
            double y = HeightOf(below + counts[i], top);
            double height = HeightOf(below, top) - y;
            svg.Append(CultureInfo.InvariantCulture, $"<rect class=\"s{ReportPage.Text(series[i].Name)}\" x=\"{x:0.##}\" y=\"{y:0.##}\" width=\"{Math.Clamp(Wide - Right - x, 0.5, Math.Max(0.5, step - 1)):0.##}\" height=\"{height:0.##}\">")
                .Append(CultureInfo.InvariantCulture, $"<title>{time:yyyy-MM-dd HH:mm:ss} UTC, {ReportPage.Text(series[i].Name)}: {counts[i]:#,0}</title></rect>\n");
            below += counts[i];
        }
    }

    private void DrawTimes(StringBuilder svg)
    {
        string format = to - First > TimeSpan.FromDays(2) ? "MM-dd" : to - First > TimeSpan.FromMinutes(5) ? "HH:mm" : "HH:mm:ss";
        for (int i = 0; i <= LabelsMax; i++)
        {
            DateTimeOffset time = First + ((to - First) * i / LabelsMax);
            double x = Left + ((Wide - Left - Right) * i / (double)LabelsMax);
            string anchor = i == LabelsMax ? "end" : i == 0 ? "start" : "middle";
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{x:0.#}\" y=\"{High - 8}\" text-anchor=\"{anchor}\">{time.UtcDateTime.ToString(format, CultureInfo.InvariantCulture)}</text>\n");
        }
    }

    private static double HeightOf(double value, long top) => Top + ((High - Top - Bottom) * (1 - (value / top)));

    /// <summary>The next number that reads well: 1, 2, 4 or 8 followed by zeros.</summary>
    private static long RoundUp(long value)
    {
        for (long unit = 1; ; unit *= 10)
        {
            foreach (long digit in (long[])[1, 2, 4, 8])
            {
                if (digit * unit >= value)
                {
                    return digit * unit;
                }
            }
        }
    }
}
