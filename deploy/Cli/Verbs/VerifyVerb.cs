using System.CommandLine;
using LogPipeline.Agent.Configuration;
using LogPipeline.Cli.Configuration;
using LogPipeline.Cli.Printing;
using LogPipeline.Client.Connections;
using LogPipeline.Files;
using LogPipeline.Sinks;
using LogPipeline.Sinks.Verification;

namespace LogPipeline.Cli.Verbs;

/// <summary><c>logpipe verify</c>: compares files, topic and what the sink stored, line by line.</summary>
internal static class VerifyVerb
{
    private static readonly Argument<string[]> Names = new("NAME") { Description = "Which sinks; without names all", Arity = ArgumentArity.ZeroOrMore };
    private static readonly Option<string?> Config = SharedOptions.Config();
    private static readonly Option<int> Limit = new("--limit", "-n") { Description = "Differences shown at most; 0 = all", HelpName = "N", DefaultValueFactory = _ => 20 };

    private static readonly Option<bool> RepairRows = new("--repair") { Description = "First remove rows that repeat others: equal in file, place and bytes" };
    private static readonly Option<bool> Yes = new("--yes", "-y") { Description = "Remove without asking" };

    public static Command Create()
    {
        var verb = new Verb("verify", "Prove on your own data that every line is stored once: exit 0, or 1 and what is missing or repeated.",
            "logpipe verify --config logpipe.yaml",
            "logpipe verify web_log --limit 0",
            "logpipe verify web_log --repair") { Names, Limit, RepairRows, Yes, Config };
        verb.Does(RunAsync);
        return verb;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken stop)
    {
        var configuration = PipelineConfiguration.Load(parsed.GetValue(Config));
        string[] names = parsed.GetValue(Names) ?? [];
        bool passed = true;
        foreach (SinkOptions sink in ConfiguredSinks.Named(configuration, names))
        {
            if (parsed.GetValue(RepairRows) && (sink.Files is null || names.Length > 0))
            {
                await RepairAsync(sink, parsed.GetValue(Yes), stop);
            }
            passed &= await VerifyAsync(sink, configuration.Agent is { } agent ? agent.StatusTopic : AgentSection.DefaultStatusTopic, parsed.GetValue(Limit), stop);
        }
        return passed ? Exit.Done : Exit.AnswerIsNo;
    }

    private static async Task<bool> VerifyAsync(SinkOptions sink, string? statusTopic, int limit, CancellationToken stop)
    {
        var verifier = new Verifier(sink, new TcpConnector(), new OsFileSystem(), TimeProvider.System, new Random()) { StatusTopic = statusTopic };
        VerifyReport report = await verifier.RunAsync(ShowProgress, stop);
        ClearProgress();
        (sink.Files is null ? Generations(report) : Outputs(report)).Print();
        foreach (string note in report.Notes)
        {
            Console.WriteLine($"note: {note}");
        }
        foreach (Finding? finding in report.Findings.Take(limit == 0 ? int.MaxValue : limit))
        {
            Console.WriteLine($"{Side(finding.Side)}: {finding.Text}");
        }
        if (limit > 0 && report.Findings.Count > limit)
        {
            Console.WriteLine($"… and {report.Findings.Count - limit} more (--limit 0 shows all)");
        }
        string unit = sink.Files is null ? "rows" : "lines";
        Console.WriteLine(report.Passed
            ? $"{sink.Name}: {report.RowsCompared} {unit}, each {(report.HasAlikeGenerations ? "record once; lines may be twice, see the notes" : "line once")}"
            : $"{sink.Name}: {report.RowsCompared} {unit}, {report.Findings.Count} difference{(report.Findings.Count == 1 ? "" : "s")}");
        return report.Passed;
    }

    private static TextTable Generations(VerifyReport report)
    {
        var table = new TextTable("FILE", "GENERATION", "TOPIC", "RECORDS", "ROWS", "BYTES", "SAME");
        foreach (GenerationSummary generation in report.Generations)
        {
            table.Add(generation.File is null ? null : $"{generation.Host}:{generation.File}", generation.Generation, generation.Topic, generation.TopicRecords, generation.TableRows,
                generation.TableBytes, generation.TopicRecords == generation.TableRows && generation.TopicHash == generation.TableHash ? "yes" : "no");
        }
        return table;
    }

    private static TextTable Outputs(VerifyReport report)
    {
        var table = new TextTable("OUTPUT", "LINES OF THE TOPIC", "LINES", "SAME");
        foreach (OutputSummary output in report.Outputs)
        {
            table.Add(output.Path, output.TopicLines, output.Lines, output.IsSame ? "yes" : output.IsWrong ? "no" : "in part");
        }
        return table;
    }

    private static async Task RepairAsync(SinkOptions sink, bool yes, CancellationToken stop)
    {
        await using var repair = new Repair(sink);
        IReadOnlyList<RepeatedRows> found = await repair.FindAsync(stop);
        foreach (RepeatedRows rows in found)
        {
            Console.WriteLine($"repeated: {rows}");
        }
        if (found.Count == 0)
        {
            Console.WriteLine($"{sink.Name}: no row repeats another");
        }
        else if (yes || Confirmed($"Remove these {found.Sum(rows => rows.Rows)} rows from the table of {sink.Name}? [y/N] "))
        {
            Console.WriteLine($"{sink.Name}: removed {await repair.RemoveAsync(found, stop)} rows");
        }
        else
        {
            Console.WriteLine($"{sink.Name}: nothing was removed (--yes removes without asking)");
        }
    }

    private static bool Confirmed(string question)
    {
        Console.Write(question);
        return Console.ReadLine()?.Trim() is "y" or "Y" or "yes";
    }

    private static string Side(FindingSide side) => side switch
    {
        FindingSide.TableMissing => "missing in the table",
        FindingSide.TableRepeated => "repeated in the table",
        FindingSide.TableDiffers => "other bytes in the table",
        FindingSide.TopicMissing => "missing in the topic",
        FindingSide.TopicRepeated => "repeated in the topic",
        FindingSide.FileDiffers => "other bytes in the file",
        FindingSide.OutputMissing => "missing in the output",
        FindingSide.OutputRepeated => "repeated in the output",
        FindingSide.OutputDiffers => "other lines in the output",
        _ => "the ledger disagrees",
    };

    private static void ShowProgress(long rows)
    {
        if (!Console.IsErrorRedirected)
        {
            Console.Error.Write($"\r{rows} rows compared ");
        }
    }

    private static void ClearProgress()
    {
        if (!Console.IsErrorRedirected)
        {
            Console.Error.Write("\r\x1b[K");
        }
    }
}
