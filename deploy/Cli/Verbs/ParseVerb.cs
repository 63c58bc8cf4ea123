using System.CommandLine;
using System.Globalization;
using LogPipeline.Cli.Configuration;
using LogPipeline.Cli.Printing;
using LogPipeline.Hosting.Configuration;
using LogPipeline.Sinks;
using LogPipeline.Sinks.Parsing;

namespace LogPipeline.Cli.Verbs;

/// <summary><c>logpipe parse</c>: what the parsers make of a file, and which of them to write into the configuration.</summary>
internal static class ParseVerb
{
    private const int SampleBytes = 1 << 20;
    private const int LinesMax = 5000;
    private const double GoodShare = 0.5; // of the lines; below it no parser is proposed
    private const int ExampleWidth = 36; // so that a row has 80 columns at most
    private const int NameWidth = 24;

    private static readonly Option<string> Sample = new("--sample") { Description = "The file whose beginning is looked at", HelpName = "FILE", Required = true };
    private static readonly Option<string?> Parser = new("--parser") { Description = "Only this parser, as `parser:` takes it: a type, or { type: …, … }", HelpName = "PARSER" };

    public static Command Create()
    {
        var verb = new Verb("parse", "Show what each parser makes of a file, and propose one. Exit 1 when none fits most lines.",
            "logpipe parse --sample /var/log/nginx/access.log",
            "logpipe parse --sample app.log --parser json") { Sample, Parser };
        verb.Does((parsed, _) => Task.FromResult(Run(parsed.GetValue(Sample)!, parsed.GetValue(Parser), Console.Out)));
        return verb;
    }

    internal static int Run(string file, string? parser, TextWriter to)
    {
        List<byte[]> lines = Lines(file);
        if (lines.Count == 0)
        {
            throw new ConfigurationException($"{file} has no line of text at its beginning: name a log file with some lines in it");
        }
        ParserOptions[] options = parser is null
            ? [.. LineParsers.Names.Where(name => name is not ("none" or "regex" or "nginx")).Select(name => (ParserOptions)name)] : [SinkSection.ParserOf(parser)];
        List<ParserTrial> trials;
        try
        {
            trials = [.. options.Select(one => ParserTrial.Of(one, one.Type == "stacktrace" ? Joined(lines) : lines, File.GetLastWriteTimeUtc(file))).OrderByDescending(trial => trial.Share).ThenByDescending(trial => trial.Found)];
        }
        catch (SinkConfigurationException error)
        {
            throw new ConfigurationException(error.Message);
        }
        to.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{lines.Count} lines of {file}\n"));
        var shares = new TextTable("PARSER", "FIT", "LINES", "COLUMNS");
        foreach (ParserTrial trial in trials)
        {
            shares.Add(trial.Parser, trial.Share.ToString("P1", CultureInfo.InvariantCulture), trial.Fits, trial.Columns.Count);
        }
        shares.Print(to);
        ParserTrial best = trials[0];
        if (best.Fits > 0)
        {
            PrintColumns(best, to);
        }
        bool isGood = best.Share >= GoodShare;
        to.WriteLine(isGood ? $"\nparser: {parser ?? best.Parser}"
            : "\nNo parser fits most lines. Write a pattern with named groups, or nginx's log_format, and try it with --parser; or store the lines as they are:\nparser: none");
        return isGood ? Exit.Done : Exit.AnswerIsNo;
    }

    private static void PrintColumns(ParserTrial trial, TextWriter to)
    {
        to.WriteLine($"\n{trial.Parser} finds");
        var table = new TextTable("COLUMN", "TYPE", "FILLED", "EXAMPLE");
        foreach (TriedColumn column in trial.Columns)
        {
            table.Add(Cut(column.Name, NameWidth), column.Type, ((double)column.Filled / trial.Fits).ToString("P0", CultureInfo.InvariantCulture), Cut(column.Example, ExampleWidth));
        }
        table.Print(to);
    }

    private static string Cut(string text, int width) => ScreenText.Width(text) <= width ? text : ScreenText.Fit(text, width).TrimEnd();

    /// <summary>The whole lines at the file's beginning; none where it is empty, or binary.</summary>
    private static List<byte[]> Lines(string file)
    {
        byte[] bytes = new byte[SampleBytes];
        int length;
        try
        {
            using FileStream stream = File.OpenRead(file);
            length = stream.ReadAtLeast(bytes, SampleBytes, throwOnEndOfStream: false);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ConfigurationException($"{file} cannot be read: {error.Message}");
        }
        var lines = new List<byte[]>();
        ReadOnlySpan<byte> rest = bytes.AsSpan(0, length);
        if (rest.Count((byte)0) > length / 100)
        {
            throw new ConfigurationException($"{file} is no text: compressed files are to be unpacked first");
        }
        while (!rest.IsEmpty && lines.Count < LinesMax)
        {
            int end = rest.IndexOf((byte)'\n');
            if (end < 0 && length == SampleBytes && lines.Count > 0)
            {
                break; // cut by the sample's end
            }
            ReadOnlySpan<byte> line = (end < 0 ? rest : rest[..end]).TrimEnd((byte)'\r');
            if (!line.IsEmpty)
            {
                lines.Add(line.ToArray());
            }
            rest = end < 0 ? default : rest[(end + 1)..];
        }
        return lines;
    }

    /// <summary>Puts indented lines behind the one before them, as the agent's <c>multiline</c> does.</summary>
    private static List<byte[]> Joined(List<byte[]> lines)
    {
        var joined = new List<byte[]>();
        foreach (byte[] line in lines)
        {
            if (joined.Count > 0 && (line[0] is (byte)' ' or (byte)'\t'))
            {
                joined[^1] = [.. joined[^1], (byte)'\n', .. line];
            }
            else
            {
                joined.Add(line);
            }
        }
        return joined;
    }
}
