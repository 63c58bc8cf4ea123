using LogPipeline.Cli.Printing;

namespace LogPipeline.Cli.Tests.Printing;

public class ProgressLineTests
{
    [Theory]
    [InlineData(250_000_000, 1_000_000_000, 1, "25 % of 1.0 GB, 250.0 MB/s, 3 s left")]
    [InlineData(1_000_000, 500_000_000, 1, "0 % of 500.0 MB, 1.0 MB/s, 8 min 19 s left")]
    [InlineData(100, 100, 1, "100 % of 0.1 kB, 0.1 kB/s, 0 s left")]
    [InlineData(0, 0, 0, "100 % of 0.0 kB, 0.0 kB/s, ? left")]
    [InlineData(10_000_000, 100_000_000_000, 1, "0 % of 100.0 GB, 10.0 MB/s, 2 h 46 min left")]
    public void Line_says_how_far_how_fast_and_how_long(long bytes, long all, int seconds, string line)
        => Assert.Equal(line, ProgressLine.Line(bytes, all, TimeSpan.FromSeconds(seconds)));

    [Fact]
    public void Nothing_is_written_into_a_file_and_a_terminal_is_left_clean()
    {
        var file = new StringWriter();
        using (var line = new ProgressLine(file, isTerminal: false, TimeProvider.System))
        {
            line.Show(1, 2);
        }
        Assert.Empty(file.ToString());
        var terminal = new StringWriter();
        using (var line = new ProgressLine(terminal, isTerminal: true, TimeProvider.System))
        {
            line.Show(1, 2);
        }
        Assert.Matches("^\r50 % of 0.0 kB.*\r +\r$", terminal.ToString());
    }
}
