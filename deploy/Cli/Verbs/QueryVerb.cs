using System.CommandLine;
using LogPipeline.Cli.Printing;
using LogPipeline.Hosting;
using LogPipeline.Sinks.Query;

namespace LogPipeline.Cli.Verbs;

/// <summary><c>logpipe query</c>: rows of a sink's view.</summary>
internal static class QueryVerb
{
    private const int AroundMax = 1000;

    private static readonly QuestionOptions Question = new();
    private static readonly Option<int> Limit = new("--limit", "-n") { Description = "Rows at most; 0 = all", HelpName = "N", DefaultValueFactory = _ => 100 };
    private static readonly Option<bool> OldestFirst = new("--oldest-first") { Description = "Without it the newest rows come first" };
    private static readonly Option<bool> Follow = new("--follow", "-f") { Description = "Print the newest rows, oldest first, and then each line as it comes, as tail does, until stopped" };
    private static readonly Option<int> Before = new("--before", "-B") { Description = "Lines of the same file to print before each row", HelpName = "N" };
    private static readonly Option<int> After = new("--after", "-A") { Description = "Lines of the same file to print after each row", HelpName = "N" };
    private static readonly Option<int> Context = new("--context", "-C") { Description = "The same before and after", HelpName = "N" };
    private static readonly Option<string[]> Columns = new("--columns") { Description = "What to show, such as time,status,line; 'all' for every column", HelpName = "A,B,…" };
    private static readonly Option<bool> Wide = new("--wide") { Description = "Cut nothing and leave no column out, however narrow the screen" };

    private static readonly Option<string> Output = new("--output", "-o")
    {
        Description = "table; json (one array); jsonl or ndjson (one object a line); csv; line: as it was written",
        HelpName = "table|json|jsonl|ndjson|csv|line",
        DefaultValueFactory = _ => "table",
    };

    public static Command Create()
    {
        Output.AcceptOnlyFromAmong("table", "json", "jsonl", "ndjson", "csv", "line");
        foreach (Option<int> number in new[] { Limit, Before, After, Context })
        {
            number.Validators.Add(result =>
            {
                if (result.Tokens.Count == 1 && int.TryParse(result.Tokens[0].Value, out int count) && (count < 0 || (number != Limit && count > AroundMax)))
                {
                    result.AddError(number == Limit ? "--limit is how many rows at most: 0 (all) or more" : $"{number.Name} is how many lines: 0 to {AroundMax}");
                }
            });
        }
        var verb = new Verb("query", "Ask for rows by time, text and fields; count them by time or value.",
            "logpipe query 'status>=500' --since 1h",
            "logpipe query 'path:/api/* and (status:500..599 or not method:GET)' --limit 20",
            "logpipe query '\"connection refused\" time:2h' -i -C 3 --output line",
            "logpipe query 'http_user_agent=~bot|spider path~/login' --explain",
            "logpipe query --since 2026-11-21T08:00:00Z --until 2026-11-21T09:00:00Z --output csv > hour.csv",
            "logpipe query 'status=404' --columns time,path,http_referer --output json",
            "logpipe query histogram 'status>=500' --by 1m --since 1h");
        Question.AddTo(verb);
        foreach (Option option in new Option[] { Limit, OldestFirst, Follow, Before, After, Context, Columns, Wide, Output })
        {
            verb.Options.Add(option);
        }
        foreach (Command counting in CountVerbs.Create(Question))
        {
            verb.Subcommands.Add(counting);
        }
        verb.Does(RunAsync);
        return verb;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken stop)
    {
        await using ILogReader reader = await Question.ReaderAsync(parsed, stop);
        LogQuery query = Question.Read(parsed, reader) with { Limit = parsed.GetValue(Limit), Descending = !parsed.GetValue(OldestFirst) };
        if (Question.IsToExplain(parsed))
        {
            Console.WriteLine(reader.Explain(new RowsQuestion(query)));
            return Exit.Done;
        }
        string format = parsed.GetValue(Output)!;
        IReadOnlyList<RowColumn> columns = new RowView(reader.Columns).Choose(parsed.GetValue(Columns), format == "table");
        await using var output = new StreamWriter(new StandardOutputStream(), bufferSize: 64 << 10);
        int? screen = parsed.GetValue(Wide) ? null : ScreenText.Columns;
        IRowWriter writer = format switch
        {
            "table" => new TableRows(columns, output, screen),
            "csv" => new CsvRows(columns, output),
            "line" => new LineRows(output),
            _ => new JsonRows(columns, output, array: format == "json"),
        };
        IAsyncEnumerable<LogRow> rows = parsed.GetValue(Follow) ? FollowedRows.ReadAsync(reader, query, query.Limit, stop) : reader.QueryAsync(query, stop);
        int before = Math.Max(parsed.GetValue(Before), parsed.GetValue(Context));
        int after = Math.Max(parsed.GetValue(After), parsed.GetValue(Context));
        try
        {
            await RowOutput.WriteAsync(before + after > 0 ? new RowContext(reader, before, after).Around(rows, stop) : rows, writer, output, TimeProvider.System, stop);
        }
        catch (OperationCanceledException) when (parsed.GetValue(Follow) && stop.IsCancellationRequested)
        {
            return Exit.Done;
        }
        if (writer is TableRows table && table.LeftOut.Any())
        {
            Console.Error.WriteLine($"no room for {string.Join(", ", table.LeftOut)}: --wide shows all, --columns chooses");
        }
        return Exit.Done;
    }
}
