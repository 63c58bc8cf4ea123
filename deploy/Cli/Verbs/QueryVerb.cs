using System.CommandLine;
using LogPipeline.Cli.Configuration;
using LogPipeline.Cli.Printing;
using LogPipeline.Hosting.Configuration;
using LogPipeline.Sinks;
using LogPipeline.Sinks.Query;

namespace LogPipeline.Cli.Verbs;

/// <summary><c>logpipe query</c>: rows of a sink's view, by time, text and columns.</summary>
internal static class QueryVerb
{
    private static readonly RowFilter Filter = new();
    private static readonly Option<string?> Config = SharedOptions.Config();
    private static readonly Option<string?> Sink = SharedOptions.Sink();
    private static readonly Option<string?> Since = new("--since") { Description = "Rows at or after this: 15m, 2h (ago), or a time such as 2026-11-21T08:30:00Z", HelpName = "TIME" };
    private static readonly Option<string?> Until = new("--until") { Description = "Rows before this", HelpName = "TIME" };
    private static readonly Option<int> Limit = new("--limit", "-n") { Description = "Rows at most; 0 = all", HelpName = "N", DefaultValueFactory = _ => 100 };
    private static readonly Option<bool> OldestFirst = new("--oldest-first") { Description = "Without it the newest rows come first" };
    private static readonly Option<string[]> Columns = new("--columns") { Description = "What to show, such as time,status,line; 'all' for every column", HelpName = "A,B,…" };

    private static readonly Option<bool> Wide = new("--wide") { Description = "Cut nothing and leave no column out, however narrow the screen" };

    private static readonly Option<bool> Explain = new("--explain") { Description = "Print the SQL that the query becomes, and do not run it" };

    private static readonly Option<string> Timeout = new("--timeout")
    {
        Description = "How long the database may work without giving a row; 0 = for ever",
        HelpName = "TIME",
        DefaultValueFactory = _ => "60s",
    };

    private static readonly Option<string> Output = new("--output", "-o")
    {
        Description = "table; json (one array); jsonl or ndjson (one object a line); csv",
        HelpName = "table|json|jsonl|csv",
        DefaultValueFactory = _ => "table",
    };

    public static Command Create()
    {
        Output.AcceptOnlyFromAmong("table", "json", "jsonl", "ndjson", "csv");
        Limit.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && int.TryParse(result.Tokens[0].Value, out int limit) && limit < 0)
            {
                result.AddError("--limit is how many rows at most: 0 (all) or more");
            }
        });
        var verb = new Verb("query", "Ask for rows by time, text and columns.",
            "logpipe query 'status>=500' --since 1h",
            "logpipe query 'path:/api/* and (status:500..599 or not method:GET)' --limit 20",
            "logpipe query '\"connection refused\" time:2h' -i",
            "logpipe query 'http_user_agent=~bot|spider path~/login' --explain",
            "logpipe query --since 2026-11-21T08:00:00Z --until 2026-11-21T09:00:00Z --output csv > hour.csv",
            "logpipe query 'status=404' --columns time,path,http_referer --output json");
        Filter.AddTo(verb);
        foreach (Option option in new Option[] { Since, Until, Limit, OldestFirst, Columns, Wide, Output, Timeout, Explain, Sink, Config })
        {
            verb.Options.Add(option);
        }
        verb.Does(RunAsync);
        return verb;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken stop)
    {
        DateTimeOffset now = DateTimeOffset.UtcNow;
        SinkOptions sink = ConfiguredSinks.Readable(PipelineConfiguration.Load(parsed.GetValue(Config)), parsed.GetValue(Sink));
        await using ILogReader reader = SinkStores.CreateReader(sink, TimeProvider.System);
        var query = new LogQuery
        {
            Filter = Filter.Read(parsed, reader.Fields, now),
            From = PointInTime.Parse(parsed.GetValue(Since), "--since", now),
            To = PointInTime.Parse(parsed.GetValue(Until), "--until", now),
            Limit = parsed.GetValue(Limit),
            Descending = !parsed.GetValue(OldestFirst),
            Patience = ReadTimeout(parsed),
        };
        if (parsed.GetValue(Explain))
        {
            Console.WriteLine(reader.Explain(query));
            return Exit.Done;
        }
        await reader.OpenAsync(stop);
        string format = parsed.GetValue(Output)!;
        IReadOnlyList<RowColumn> columns = new RowView(reader.Columns).Choose(parsed.GetValue(Columns), format == "table");
        await using var output = new StreamWriter(Console.OpenStandardOutput(), bufferSize: 64 << 10);
        int? screen = parsed.GetValue(Wide) || Console.IsOutputRedirected ? null : Math.Max(Console.WindowWidth, 40);
        IRowWriter writer = format switch
        {
            "table" => new TableRows(columns, output, screen),
            "csv" => new CsvRows(columns, output),
            _ => new JsonRows(columns, output, array: format == "json"),
        };
        await RowOutput.WriteAsync(reader.QueryAsync(query, stop), writer, output, TimeProvider.System, stop);
        if (writer is TableRows table && table.LeftOut.Any())
        {
            Console.Error.WriteLine($"no room for {string.Join(", ", table.LeftOut)}: --wide shows all, --columns chooses");
        }
        return Exit.Done;
    }

    private static TimeSpan ReadTimeout(ParseResult parsed)
    {
        string text = parsed.GetValue(Timeout)!;
        return text == "0" ? TimeSpan.Zero : Quantity.TryParseDuration(text, out TimeSpan timeout) ? timeout
            : throw new ConfigurationException($"--timeout {text}: write how long, such as 30s or 10m; 0 = for ever");
    }
}
