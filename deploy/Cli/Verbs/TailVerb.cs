using System.CommandLine;
using LogPipeline.Cli.Configuration;
using LogPipeline.Cli.Printing;
using LogPipeline.Hosting;
using LogPipeline.Sinks;
using LogPipeline.Sinks.Query;

namespace LogPipeline.Cli.Verbs;

/// <summary><c>logpipe tail</c>: stored rows, then lines as the broker has them, until stopped.</summary>
internal static class TailVerb
{
    private static readonly RowFilter Filter = new();
    private static readonly Option<string?> Config = SharedOptions.Config();
    private static readonly Option<string?> Sink = SharedOptions.Sink();
    private static readonly Option<int> Last = new("--last", "-n") { Description = "Begin with so many rows that are stored already", HelpName = "N", DefaultValueFactory = _ => 10 };
    private static readonly Option<int?> Limit = new("--limit") { Description = "Stop after so many rows", HelpName = "N" };
    private static readonly Option<string[]> Columns = new("--columns") { Description = "What jsonl shows, such as time,status,line; without it every column", HelpName = "A,B,…" };

    private static readonly Option<string> Output = new("--output", "-o")
    {
        Description = "line: as it was written; jsonl or ndjson: one object a line",
        HelpName = "line|jsonl|ndjson",
        DefaultValueFactory = _ => "line",
    };

    public static Command Create()
    {
        Output.AcceptOnlyFromAmong("line", "jsonl", "ndjson", "json");
        var verb = new Verb("tail", "Follow lines as they come: stored rows, then from the broker what is not stored yet, each once.",
            "logpipe tail",
            "logpipe tail 'status>=500' --last 0",
            "logpipe tail --text /login --output jsonl --columns time,remote_addr,status");
        Filter.AddTo(verb);
        foreach (Option option in new Option[] { Last, Limit, Columns, Output, Sink, Config })
        {
            verb.Options.Add(option);
        }
        verb.Serves(RunAsync);
        return verb;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken stop)
    {
        var configuration = PipelineConfiguration.Load(parsed.GetValue(Config));
        Filter.WarnOfName(parsed, configuration.Sinks);
        SinkOptions sink = ConfiguredSinks.Readable(configuration, parsed.GetValue(Sink));
        await using ILogReader reader = await SinkStores.OpenReaderAsync(sink, TimeProvider.System, stop);
        var filter = new LogQuery { Filter = Filter.Read(parsed, reader.Fields, DateTimeOffset.UtcNow) };
        await reader.OpenAsync(stop);
        await using var output = new StreamWriter(new StandardOutputStream());
        var view = new RowView(reader.Columns);
        IRowWriter writer = parsed.GetValue(Output) == "line"
            ? new LineRows(output)
            : new JsonRows(view.Choose(parsed.GetValue(Columns), forScreen: false), output, array: false);
        int left = parsed.GetValue(Limit) ?? int.MaxValue;
        if (left <= 0)
        {
            return Exit.Done;
        }
        await foreach (LogRow row in FollowedRows.ReadAsync(reader, filter, parsed.GetValue(Last), stop))
        {
            writer.Write(row);
            await output.FlushAsync(stop);
            if (--left == 0)
            {
                break;
            }
        }
        return Exit.Done;
    }
}
