using System.Globalization;
using System.Net;
using System.Text;
using LogPipeline.Hosting;
using LogPipeline.Sinks.Query;

namespace LogPipeline.Cli.Reporting;

/// <summary>A report as one HTML file that needs nothing else: no script, no picture, nothing from a network. All that comes from lines is text.</summary>
internal static class ReportPage
{
    private const int ValueMax = 120;

    private const string Style = """
        :root { color-scheme: light dark; --ink: #1c2430; --dim: #667085; --line: #d9dee6; --paper: #fff; --bar: #3b76c4; }
        @media (prefers-color-scheme: dark) { :root { --ink: #e6e9ef; --dim: #98a2b3; --line: #333c4a; --paper: #161b22; --bar: #5b95e0; } }
        body { margin: 2rem auto; max-width: 62rem; padding: 0 1rem; font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); }
        h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.05rem; margin: 2rem 0 .5rem; } p { margin: .25rem 0; color: var(--dim); }
        .numbers { display: flex; flex-wrap: wrap; gap: 2.5rem; margin: 1.25rem 0; } .numbers b { display: block; font-size: 1.6rem; color: var(--ink); }
        .tables { display: grid; grid-template-columns: repeat(auto-fit, minmax(26rem, 1fr)); gap: 0 2.5rem; }
        table { width: 100%; border-collapse: collapse; font-size: .9rem; table-layout: fixed; } td { padding: .2rem .4rem; border-top: 1px solid var(--line); }
        td.v { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; } td.n { width: 6rem; text-align: right; font-variant-numeric: tabular-nums; }
        td.s { width: 5rem; } .share { height: .6rem; background: var(--bar); min-width: 1px; }
        svg { width: 100%; height: auto; } svg text { font-size: 11px; fill: var(--dim); } .grid { stroke: var(--line); stroke-width: 1; }
        rect { fill: var(--bar); } .s2xx { fill: #4c9f70; } .s3xx { fill: #6b8fb5; } .s4xx { fill: #d9a441; } .s5xx { fill: #c8453b; }
        .key span { margin-right: 1.25rem; } .key i { display: inline-block; width: .8rem; height: .8rem; margin-right: .35rem; vertical-align: -1px; }
        i.s2xx { background: #4c9f70; } i.s3xx { background: #6b8fb5; } i.s4xx { background: #d9a441; } i.s5xx { background: #c8453b; }
        @media (max-width: 40rem) { .tables { grid-template-columns: 1fr; } }
        """;

    public static string Write(LogReport report)
    {
        var page = new StringBuilder();
        page.Append(CultureInfo.InvariantCulture, $"""
            <!doctype html>
            <html lang="en">
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>{Text(report.Sink)}: {Time(report.From)} to {Time(report.To)}</title>
            <style>
            {Style}
            </style>
            <h1>{Text(report.Sink)}</h1>
            <p>{Time(report.From)} to {Time(report.To)} UTC{(report.Query.Length == 0 ? "" : $", where <code>{Text(report.Query)}</code>")}</p>

            """);
        WriteNumbers(page, report);
        var chart = new BarChart(report.From, report.To, report.Width);
        if (report.Rows > 0)
        {
            page.Append(CultureInfo.InvariantCulture, $"<h2>Lines, {Width(report.Width)} a bar</h2>\n").Append(chart.Draw([report.Traffic], "lines by time"));
        }
        if (report.Classes.Any(static one => one.Sum > 0))
        {
            WriteClasses(page, report, chart);
        }
        page.Append("<div class=\"tables\">\n");
        foreach (ReportTable table in report.Tables)
        {
            WriteTable(page, table);
        }
        page.Append(CultureInfo.InvariantCulture, $"</div>\n<p style=\"margin-top:2rem\">Made {Time(report.Made)} UTC by logpipe {Text(Product.Version)}.</p>\n</html>\n");
        return page.ToString();
    }

    /// <summary>Text from anywhere as text of the page; what no page may hold is shown as a question mark.</summary>
    public static string Text(string? text) =>
        WebUtility.HtmlEncode(string.Concat((text ?? "").Select(static sign => char.IsControl(sign) || char.IsSurrogate(sign) ? '?' : sign)));

    private static void WriteNumbers(StringBuilder page, LogReport report)
    {
        double seconds = Math.Max(1, (report.To - report.From).TotalSeconds);
        page.Append("<div class=\"numbers\">");
        Number(page, report.Rows.ToString("#,0", CultureInfo.InvariantCulture), "lines");
        Number(page, (report.Rows / seconds).ToString("#,0.##", CultureInfo.InvariantCulture), "a second on average");
        foreach (TimeSeries one in report.Classes)
        {
            Number(page, Share(one.Sum, report.Rows), $"status {one.Name}");
        }
        if (report.Unparsed is > 0 and long unparsed)
        {
            Number(page, unparsed.ToString("#,0", CultureInfo.InvariantCulture), "not of the parser's format");
        }
        page.Append("</div>\n");
    }

    private static void Number(StringBuilder page, string number, string what) =>
        page.Append(CultureInfo.InvariantCulture, $"<p><b>{Text(number)}</b>{Text(what)}</p>");

    private static void WriteClasses(StringBuilder page, LogReport report, BarChart chart)
    {
        page.Append(CultureInfo.InvariantCulture, $"<h2>Status, {Width(report.Width)} a bar</h2>\n<p class=\"key\">");
        foreach (TimeSeries one in report.Classes)
        {
            page.Append(CultureInfo.InvariantCulture, $"<span><i class=\"s{Text(one.Name)}\"></i>{Text(one.Name)} {one.Sum:#,0}</span>");
        }
        page.Append("</p>\n").Append(chart.Draw(report.Classes, "lines by time and status"));
    }

    private static void WriteTable(StringBuilder page, ReportTable table)
    {
        page.Append(CultureInfo.InvariantCulture, $"<section><h2>{Text(table.Title)}</h2><table>\n");
        foreach (RowCount count in table.Counts)
        {
            string value = count.Of is null ? "(none)" : Convert.ToString(count.Of, CultureInfo.InvariantCulture)!;
            string shown = value.Length <= ValueMax ? value : $"{value[..ValueMax]}…";
            page.Append(CultureInfo.InvariantCulture, $"<tr><td class=\"v\" title=\"{Text(value)}\">{Text(shown)}</td><td class=\"n\">{count.Rows:#,0}</td>")
                .Append(CultureInfo.InvariantCulture, $"<td class=\"s\" title=\"{Share(count.Rows, table.Of)}\"><div class=\"share\" style=\"width:{100.0 * count.Rows / table.Of:0.#}%\"></div></td></tr>\n");
        }
        page.Append("</table></section>\n");
    }

    private static string Share(long rows, long of) => of == 0 ? "0 %" : (100.0 * rows / of).ToString(rows * 1000 < of && rows > 0 ? "0.###" : "0.#", CultureInfo.InvariantCulture) + " %";

    private static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture);

    private static string Width(TimeSpan width) =>
        width.TotalDays >= 1 ? Units(width.TotalDays, "day") : width.TotalHours >= 1 ? Units(width.TotalHours, "hour") : width.TotalMinutes >= 1 ? Units(width.TotalMinutes, "minute") : Units(width.TotalSeconds, "second");

    private static string Units(double number, string unit) => string.Create(CultureInfo.InvariantCulture, $"{number:0} {unit}{(number == 1 ? "" : "s")}");
}
