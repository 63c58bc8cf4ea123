using System.Text;
using LogPipeline.Cli.Printing;
using LogPipeline.Sinks.DeadLetters;

namespace LogPipeline.Cli.Tests.Printing;

public class DeadLetterListTests
{
    private const string Reason = "new row for relation \"web_log\" violates check constraint \"web_log_status_check\"";

    private static string[] Print(int? screen, string line, string reason = Reason)
    {
        var letter = new ListedLetter(
            "web_log", 2, 4711, new DateTimeOffset(2026, 11, 29, 8, 30, 0, TimeSpan.Zero), "web1", "/var/log/nginx/access.log", "23514", reason, Encoding.UTF8.GetBytes(line), true);
        var output = new StringWriter();
        DeadLetterList.Write([letter], output, screen);
        return output.ToString().TrimEnd('\n').Split('\n');
    }

    [Theory]
    [InlineData(80)]
    [InlineData(160)]
    public void Where_the_table_has_no_room_each_stands_in_lines_of_its_own(int columns) => Assert.Equal(
        [
            "2026-11-29T08:30:00Z  web_log-2  offset 4711  web1:/var/log/nginx/access.log  23514",
            "  " + Reason,
            "  1.2.3.4 GET /path",
        ],
        Print(columns, "1.2.3.4 GET /path"));

    [Fact]
    public void Where_it_has_room_and_in_a_pipe_it_is_a_table()
    {
        string[] piped = Print(null, "1.2.3.4 GET /path");
        Assert.StartsWith("TIME ", piped[0], StringComparison.Ordinal);
        Assert.Equal(2, piped.Length);
        Assert.Equal(piped, Print(400, "1.2.3.4 GET /path"));
    }

    [Fact]
    public void A_long_line_is_shown_by_its_beginning_and_control_characters_are_visible()
    {
        Assert.EndsWith($"{new string('x', 200)}… (5000 bytes)", Print(80, new string('x', 5000))[2], StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', Print(80, "\u001b[2J")[2]);
    }
}
