using LogPipeline.Cli.Verbs;
using LogPipeline.Hosting.Configuration;

namespace LogPipeline.Cli.Tests.Verbs;

public sealed class ParseVerbTests : IDisposable
{
    private const string Combined = """1.2.3.4 - - [21/Nov/2026:13:05:09 +0100] "GET /a HTTP/1.1" 200 12 "-" "a browser with a name that is longer than what fits a terminal of eighty columns" """;

    private readonly string _file = Path.GetTempFileName();

    public void Dispose() => File.Delete(_file);

    private (int Status, string Output) Run(string? parser = null)
    {
        using var output = new StringWriter();
        int status = ParseVerb.Run(_file, parser, output);
        Assert.All(output.ToString().Split('\n').Skip(1).Where(line => !line.StartsWith("parser:", StringComparison.Ordinal) && !line.StartsWith("No parser", StringComparison.Ordinal)), line => Assert.True(line.Length <= 80, line));
        return (status, output.ToString());
    }

    [Theory]
    [InlineData(Combined, "combined")]
    [InlineData("www.example.com:443 " + Combined, "vhost_combined")]
    [InlineData("""1.2.3.4 - - [21/Nov/2026:13:05:09 +0100] "GET /a HTTP/1.1" 200 12""", "common")]
    [InlineData("""{"time":"2026-11-21T12:05:09Z","level":"info","msg":"x","a":1}""", "json")]
    [InlineData("level=info msg=x a=1", "logfmt")]
    [InlineData("Nov 21 13:05:09 host app[12]: message", "syslog")]
    [InlineData("2026-11-21 12:05:09 10.0.0.1 GET /a - 443 - 10.0.0.2 Mozilla/5.0+(X) - 200 0 0 15", "iis")]
    public void The_parser_that_fits_is_proposed(string line, string parser)
    {
        File.WriteAllLines(_file, [.. Enumerable.Repeat(line.TrimEnd(), 20), "something else"]);
        (int status, string output) = Run();
        Assert.Equal(0, status);
        Assert.EndsWith($"\nparser: {parser}\n", output, StringComparison.Ordinal);
        Assert.Contains("95.2", output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_parser_with_its_settings_is_tried()
    {
        File.WriteAllText(_file, "12 hello\n13 world\n");
        (int status, string output) = Run("{ type: regex, pattern: '^(?<n>\\d+) (?<word>.*)$', columns: { n: int } }");
        Assert.Equal(0, status);
        Assert.Contains("n       int   100", output, StringComparison.Ordinal);
    }

    [Fact]
    public void Prose_fits_no_parser()
    {
        File.WriteAllText(_file, "This is a text.\nIt goes on.\n");
        (int status, string output) = Run();
        Assert.Equal(1, status);
        Assert.EndsWith("parser: none\n", output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_is_empty_binary_or_away_is_told()
    {
        Assert.Contains("no line", Assert.Throws<ConfigurationException>(() => Run()).Message, StringComparison.Ordinal);
        File.WriteAllBytes(_file, new byte[1000]);
        Assert.Contains("no text", Assert.Throws<ConfigurationException>(() => Run()).Message, StringComparison.Ordinal);
        File.Delete(_file);
        Assert.Contains("cannot be read", Assert.Throws<ConfigurationException>(() => Run()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_a_large_file_the_beginning_is_read()
    {
        using (StreamWriter writer = File.CreateText(_file))
        {
            for (int i = 0; i < 100_000; i++)
            {
                writer.WriteLine(Combined.TrimEnd());
            }
        }
        Assert.Contains("100.0", Run().Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Settings_that_are_wrong_are_named()
    {
        File.WriteAllText(_file, "x\n");
        Assert.Contains("did you mean combined?", Assert.Throws<ConfigurationException>(() => Run("combind")).Message, StringComparison.Ordinal);
        Assert.Contains("unknown key", Assert.Throws<ConfigurationException>(() => Run("{ type: json, colums: { a: int } }")).Message, StringComparison.Ordinal);
    }
}
