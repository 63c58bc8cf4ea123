using LogPipeline.Cli.Printing;
using LogPipeline.Sinks.Query;

namespace LogPipeline.Cli.Tests.Printing;

public class CountTableTests
{
    private static readonly DateTimeOffset Time = new(2026, 11, 21, 8, 30, 0, TimeSpan.Zero);

    private static string Write(string name, string format, TimeSpan? width, params RowCount[] counts)
    {
        var output = new StringWriter();
        new CountTable(name, output, screen: 60).Write(counts, format, width);
        return output.ToString();
    }

    [Fact]
    public void Bars_fit_the_screen_and_times_without_rows_are_shown()
    {
        string[] lines = Write("time", "table", TimeSpan.FromMinutes(1), new(Time, 1000), new(Time.AddMinutes(2), 500), new(Time.AddHours(2), 1)).TrimEnd().Split('\n');
        Assert.Equal(6, lines.Length);
        Assert.All(lines, line => Assert.InRange(ScreenText.Width(line), 1, 60));
        Assert.Equal(60, ScreenText.Width(lines[1]));
        Assert.Equal("2026-11-21 08:31:00     0", lines[2]);
        Assert.Equal(lines[1].Count(c => c == '█') / 2, lines[3].Count(c => c == '█'));
        Assert.StartsWith("…", lines[4], StringComparison.Ordinal);
        Assert.EndsWith("▏", lines[5], StringComparison.Ordinal);
    }

    [Fact]
    public void Programs_get_values_as_they_are()
    {
        Assert.Equal("path,rows\r\n\"/a,b\",3\r\n,1\r\n", Write("path", "csv", null, new("/a,b", 3), new(null, 1)));
        Assert.Equal("{\"path\":\"/a,b\",\"rows\":3}\n{\"path\":null,\"rows\":1}\n", Write("path", "ndjson", null, new("/a,b", 3), new(null, 1)));
        Assert.Equal("[]\n", Write("path", "json", null));
        Assert.Equal("no rows\n", Write("path", "table", null));
    }
}
