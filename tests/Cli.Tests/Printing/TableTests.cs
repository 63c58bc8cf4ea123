using LogPipeline.Cli.Printing;
using LogPipeline.Sinks.Query;

namespace LogPipeline.Cli.Tests.Printing;

public class TableTests
{
    private static readonly string[] Names =
        ["remote_addr", "remote_user", "time_local", "method", "path", "query", "protocol", "status", "body_bytes_sent", "http_referer", "http_user_agent"];

    private static readonly RowView View = new(Names);

    private static LogRow Row(string path) => new(
        "web_log", 0, 7, new DateTimeOffset(2026, 11, 21, 8, 30, 0, TimeSpan.Zero), "web1", "/var/log/a.log", "00ff", 100, 0, "line", null, true,
        ["203.113.104.201", null, null, "DELETE", path, null, "HTTP/1.1", 500L, 1234567L, null, "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0"]);

    private static string[] Print(int? screen, params string[] paths)
    {
        var output = new StringWriter();
        var table = new TableRows(View.Choose(null, forScreen: true), output, screen);
        foreach (string path in paths)
        {
            table.Write(Row(path));
        }
        table.End();
        return output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    [Fact]
    public void A_name_with_a_line_feed_stays_in_its_row()
    {
        var output = new StringWriter();
        var table = new TextTable("FILE", "ROWS");
        table.Add("a\nb.log", 1);
        table.Print(output);
        Assert.Equal("FILE     ROWS\na␊b.log     1\n", output.ToString());
    }

    [Fact]
    public void Columns_stand_straight_beside_characters_that_take_two_or_none()
    {
        var output = new StringWriter();
        var table = new TextTable("FILE", "TOPIC");
        table.Add("日志.log", "a");
        table.Add("cafe\u0301.log", "b");
        table.Print(output);
        Assert.Equal("FILE      TOPIC\n日志.log  a\ncafe\u0301.log  b\n", output.ToString());
    }

    [Theory]
    [InlineData(80, "time,remote_addr,method,path,status")]
    [InlineData(100, "time,remote_addr,method,path,status,body_bytes_sent")]
    [InlineData(160, "time,remote_addr,method,path,status,body_bytes_sent,http_user_agent")]
    [InlineData(40, "time,status")]
    public void A_narrow_screen_keeps_what_matters_most(int screen, string headings)
    {
        string[] lines = Print(screen, "/a/very/long/path/that/goes/on/and/on/for/a/while/index.html");
        Assert.Equal(headings.Split(','), lines[0].Split(' ', StringSplitOptions.RemoveEmptyEntries));
        Assert.All(lines, line => Assert.InRange(ScreenText.Width(line), 1, screen));
        Assert.Contains("500", lines[2], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(80, "time,host,line")]
    [InlineData(120, "time,host,file,line")]
    public void A_line_without_fields_has_half_of_the_screen(int screen, string headings)
    {
        var output = new StringWriter();
        var table = new TableRows(new RowView([]).Choose(null, forScreen: true), output, screen);
        table.Write(Row("/") with { Line = new string('x', 300), File = "/var/log/application/current/service.log", Columns = [] });
        table.End();
        string[] lines = output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(headings.Split(','), lines[0].Split(' ', StringSplitOptions.RemoveEmptyEntries));
        Assert.InRange(lines[2].Count(c => c == 'x'), screen / 2, screen);
        Assert.All(lines, line => Assert.InRange(ScreenText.Width(line), 1, screen));
    }

    [Fact]
    public void Long_values_are_cut_on_a_screen_and_whole_without_one()
    {
        string path = "/" + new string('x', 150);
        Assert.Contains("/xxxxxxxxxxxxxxxxxxxxxxxx…", Print(80, path)[2], StringComparison.Ordinal);
        Assert.Contains(path, Print(null, path)[2], StringComparison.Ordinal);
    }

    [Fact]
    public void Wide_characters_keep_their_columns_straight()
    {
        string[] lines = Print(80, "/日本語", "/plain", "/e\u0301t\u00e9");
        int at = lines[0].IndexOf("status", StringComparison.Ordinal);
        Assert.All(lines.Skip(2), line => Assert.Equal(at + 3, ScreenText.Width(line[..line.IndexOf(" 500", StringComparison.Ordinal)]) + 1));
    }

    [Fact]
    public void Rows_are_written_as_they_come_once_the_first_have_set_the_widths()
    {
        var output = new StringWriter();
        var table = new TableRows(View.Choose(null, forScreen: true), output, screen: 80);
        table.Write(Row("/held"));
        Assert.Empty(output.ToString());
        table.Pause();
        Assert.Contains("/held", output.ToString(), StringComparison.Ordinal);
        table.Write(Row("/next"));
        Assert.Contains("/next", output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Of_the_columns_asked_for_the_least_important_one_goes_first_wherever_it_stands()
    {
        var output = new StringWriter();
        var table = new TableRows(View.Choose(["http_user_agent,path,remote_addr"], forScreen: true), output, screen: 44);
        table.Write(Row("/a/very/long/path/that/goes/on"));
        table.End();
        Assert.StartsWith("path", output.ToString(), StringComparison.Ordinal);
        Assert.Equal(["http_user_agent"], table.LeftOut);
    }

    [Theory]
    [InlineData("time,host,file,line")]
    [InlineData("time,remote_addr,method,path,status", "remote_addr", "time_local", "method", "path", "status")]
    [InlineData("time,level,host_name,app_name,message", "facility", "severity", "level", "host_name", "app_name", "process_id", "message_id", "structured_data", "message")]
    [InlineData("time,user,took_ms,line", "user", "took_ms", "fields")]
    public void A_screen_shows_what_the_parser_makes(string shown, params string[] parserColumns) =>
        Assert.Equal(shown, string.Join(',', new RowView(parserColumns).Choose(null, forScreen: true).Select(static column => column.Name)));
}
