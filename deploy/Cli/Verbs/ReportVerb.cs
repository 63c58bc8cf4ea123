using System.CommandLine;
using System.Globalization;
using System.Text;
using LogPipeline.Cli.Configuration;
using LogPipeline.Cli.Reporting;
using LogPipeline.Files;
using LogPipeline.Hosting;
using LogPipeline.Hosting.Configuration;
using LogPipeline.Sinks;
using LogPipeline.Sinks.Query;
using LogPipeline.Sinks.Query.Language;

namespace LogPipeline.Cli.Verbs;

/// <summary><c>logpipe report</c>: a page with pictures of what a sink stored in a time.</summary>
internal static class ReportVerb
{
    private static readonly Argument<string?> Sink = new("SINK")
    {
        Description = "Whose rows; without it the first sink with a database",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private static readonly Option<string> Since = new("--since") { Description = "Rows at or after this: 1d (ago), or a time", HelpName = "TIME", DefaultValueFactory = _ => "1d" };
    private static readonly Option<string?> Until = new("--until") { Description = "Rows before this; without it up to now, less the last seconds", HelpName = "TIME" };
    private static readonly Option<string> Where = new("--where", "-w") { Description = "Only rows for which this query holds", HelpName = "QUERY", DefaultValueFactory = _ => "" };
    private static readonly Option<string?> Output = new("--output", "-o") { Description = "The file; - is standard output; without it SINK-DATE.html", HelpName = "FILE" };
    private static readonly Option<string?> Config = SharedOptions.Config();

    public static Command Create()
    {
        var verb = new Verb("report", "Write an HTML page of what was stored in a time: traffic, status, the most frequent paths, clients and agents, and what was slow.",
            "logpipe report web_log",
            "logpipe report web_log --since 7d --output week.html",
            "logpipe report --since 1h --where 'path:/api/*' --output - > api.html") { Sink, Since, Until, Where, Output, Config };
        verb.Does(RunAsync);
        return verb;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken stop)
    {
        SinkOptions sink = ConfiguredSinks.Readable(PipelineConfiguration.Load(parsed.GetValue(Config)), parsed.GetValue(Sink));
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        DateTimeOffset from = PointInTime.Parse(parsed.GetValue(Since), "--since", now)!.Value;
        DateTimeOffset to = PointInTime.Parse(parsed.GetValue(Until), "--until", now) ?? ReportReader.EndOf(from, now);
        if (from >= to)
        {
            throw new ConfigurationException($"--since {parsed.GetValue(Since)} is not before --until {parsed.GetValue(Until) ?? "now"}");
        }
        await using ILogReader reader = await SinkStores.OpenReaderAsync(sink, TimeProvider.System, stop);
        string where = parsed.GetValue(Where)!;
        var query = new LogQuery { Filter = QueryParser.Parse(where, reader.Fields, now, ignoreCase: false), Patience = TimeSpan.Zero };
        LogReport report = await new ReportReader(reader, query, stop).ReadAsync(sink.Name, where, from, to);
        byte[] page = Encoding.UTF8.GetBytes(ReportPage.Write(report));
        string file = parsed.GetValue(Output) ?? string.Create(CultureInfo.InvariantCulture, $"{sink.Name}-{to.UtcDateTime:yyyy-MM-dd}.html");
        if (file == "-")
        {
            await using Stream output = new StandardOutputStream();
            await output.WriteAsync(page, stop);
            return Exit.Done;
        }
        AtomicFile.Replace(new OsFileSystem(), Path.GetFullPath(file), page);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{file}: {report.Rows:#,0} lines from {from.UtcDateTime:yyyy-MM-dd HH:mm} to {to.UtcDateTime:yyyy-MM-dd HH:mm} UTC"));
        return Exit.Done;
    }
}
