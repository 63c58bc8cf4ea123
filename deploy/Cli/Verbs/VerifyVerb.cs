using System.CommandLine;
using LogPipeline.Cli.Configuration;
using LogPipeline.Cli.Printing;
using LogPipeline.Client.Connections;
using LogPipeline.Files;
using LogPipeline.Sinks;
using LogPipeline.Sinks.Verification;

namespace LogPipeline.Cli.Verbs;

/// <summary><c>logpipe verify</c>: compares files, topic and table, line by line.</summary>
internal static class VerifyVerb
{
    private static readonly Argument<string[]> Names = new("NAME") { Description = "Which sinks; without names all that write to a database", Arity = ArgumentArity.ZeroOrMore };
    private static readonly Option<string?> Config = SharedOptions.Config();
    private static readonly Option<int> Limit = new("--limit", "-n") { Description = "Differences shown at most; 0 = all", HelpName = "N", DefaultValueFactory = _ => 20 };

    public static Command Create()
    {
        var verb = new Verb("verify", "Prove on your own data that every line is stored once: exit 0, or 1 and what is missing or repeated.",
            "logpipe verify --config logpipe.yaml",
            "logpipe verify web_log --limit 0") { Names, Limit, Config };
        verb.Does(RunAsync);
        return verb;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken stop)
    {
        var configuration = PipelineConfiguration.Load(parsed.GetValue(Config));
        var names = parsed.GetValue(Names) ?? [];
        var sinks = ConfiguredSinks.Named(configuration, names).Where(sink => names.Length > 0 || sink.Files is null);
        var passed = true;
        foreach (var sink in sinks)
            passed &= await VerifyAsync(sink, parsed.GetValue(Limit), stop);
        return passed ? Exit.Done : Exit.AnswerIsNo;
    }

    private static async Task<bool> VerifyAsync(SinkOptions sink, int limit, CancellationToken stop)
    {
        var verifier = new Verifier(sink, new TcpConnector(), new OsFileSystem(), TimeProvider.System, new Random());
        var report = await verifier.RunAsync(ShowProgress, stop);
        ClearProgress();
        var table = new TextTable("FILE", "GENERATION", "TOPIC", "RECORDS", "ROWS", "BYTES", "SAME");
        foreach (var generation in report.Generations)
            table.Add(generation.File is null ? null : $"{generation.Host}:{generation.File}", generation.Generation, generation.Topic, generation.TopicRecords, generation.TableRows,
                generation.TableBytes, generation.TopicRecords == generation.TableRows && generation.TopicHash == generation.TableHash ? "yes" : "no");
        table.Print();
        foreach (var note in report.Notes)
            Console.WriteLine($"note: {note}");
        foreach (var finding in report.Findings.Take(limit == 0 ? int.MaxValue : limit))
            Console.WriteLine($"{Side(finding.Side)}: {finding.Text}");
        if (limit > 0 && report.Findings.Count > limit)
            Console.WriteLine($"… and {report.Findings.Count - limit} more (--limit 0 shows all)");
        Console.WriteLine(report.Passed
            ? $"{sink.Name}: {report.RowsCompared} rows, each line once"
            : $"{sink.Name}: {report.RowsCompared} rows, {report.Findings.Count} difference{(report.Findings.Count == 1 ? "" : "s")}");
        return report.Passed;
    }

    private static string Side(FindingSide side) => side switch
    {
        FindingSide.TableMissing => "missing in the table",
        FindingSide.TableRepeated => "repeated in the table",
        FindingSide.TableDiffers => "other bytes in the table",
        FindingSide.TopicMissing => "missing in the topic",
        FindingSide.TopicRepeated => "repeated in the topic",
        FindingSide.FileDiffers => "other bytes in the file",
        _ => "the ledger disagrees",
    };

    private static void ShowProgress(long rows)
    {
        if (!Console.IsErrorRedirected)
            Console.Error.Write($"\r{rows} rows compared ");
    }

    private static void ClearProgress()
    {
        if (!Console.IsErrorRedirected)
            Console.Error.Write("\r\x1b[K");
    }
}
