using System.Xml.Linq;
using LogPipeline.Cli.Reporting;
using LogPipeline.Sinks.Query;

namespace LogPipeline.Cli.Tests.Reporting;

public sealed class ReportPageTests
{
    private static readonly DateTimeOffset From = new(2026, 11, 26, 0, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan Bar = TimeSpan.FromMinutes(15);

    private static LogReport Report(IReadOnlyList<RowCount> traffic, params ReportTable[] tables) =>
        new("web_log", "path:\"<b>\"", From, From.AddDays(1), From.AddDays(1), 3, Bar, new TimeSeries("lines", traffic),
            [new TimeSeries("2xx", traffic), new TimeSeries("5xx", [new RowCount(From.AddHours(1), 5)])], tables);

    [Fact]
    public void What_lines_hold_is_text_and_nothing_else()
    {
        const string Hostile = "</td><script>alert('x')</script>\"&\0\u001b[31m\ud800";
        string page = ReportPage.Write(Report([new RowCount(From, 10)], new ReportTable("Paths", "path", 10, [new RowCount(Hostile, 7), new RowCount(null, 3)])));
        Assert.DoesNotContain("<script", page, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain('\0', page);
        Assert.DoesNotContain('\u001b', page);
        Assert.Contains("&lt;script&gt;", page, StringComparison.Ordinal);
        Assert.Contains("(none)", page, StringComparison.Ordinal);
        Assert.Contains("path:&quot;&lt;b&gt;&quot;", page, StringComparison.Ordinal);
        Assert.DoesNotContain("http", page[page.IndexOf("<h1>", StringComparison.Ordinal)..], StringComparison.Ordinal);
    }

    [Fact]
    public void A_chart_has_a_bar_for_each_time_and_series_within_its_borders()
    {
        RowCount[] traffic = [.. Enumerable.Range(0, 96).Where(static i => i != 7).Select(static i => new RowCount(From + (Bar * i), i + 1))];
        var svg = XDocument.Parse(new BarChart(From, From.AddDays(1), Bar).Draw([new TimeSeries("2xx", traffic), new TimeSeries("5xx", [new RowCount(From + Bar, 500)])], "a & b"));
        List<XElement> bars = [.. svg.Descendants("rect")];
        Assert.Equal(96, bars.Count);
        Assert.All(bars, static bar =>
        {
            Assert.InRange((double)bar.Attribute("x")!, 64, 960);
            Assert.InRange((double)bar.Attribute("x")! + (double)bar.Attribute("width")!, 64, 951);
            Assert.InRange((double)bar.Attribute("y")!, 10, 194);
            Assert.InRange((double)bar.Attribute("y")! + (double)bar.Attribute("height")!, 10, 194.1);
        });
        Assert.Equal("s5xx", bars.MaxBy(static bar => (double)bar.Attribute("height")!)!.Attribute("class")!.Value);
        Assert.Contains(svg.Descendants("text"), static text => text.Value == "800");
    }

    [Fact]
    public void An_empty_time_is_a_page_too()
    {
        string page = ReportPage.Write(new LogReport("web_log", "", From, From.AddDays(1), From.AddDays(1), null, Bar, new TimeSeries("lines", []), [], []));
        Assert.Contains("<b>0</b>lines", page, StringComparison.Ordinal);
        Assert.DoesNotContain("<svg", page, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1, "2026-11-26T08:37:12")]
    [InlineData(60, "2026-11-26T08:37:10")]
    [InlineData(24 * 60, "2026-11-26T08:37:10")]
    [InlineData(400 * 24 * 60, "2026-11-26T08:37:10")]
    public void A_report_up_to_now_has_the_bar_that_is_not_over(int minutes, string end)
    {
        DateTimeOffset now = new(2026, 11, 26, 8, 37, 12, 345, TimeSpan.Zero);
        Assert.Equal(DateTimeOffset.Parse(end + "Z", null), ReportReader.EndOf(now.AddMinutes(-minutes), now));
    }
}
