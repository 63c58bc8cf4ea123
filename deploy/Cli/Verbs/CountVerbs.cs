using System.CommandLine;
using System.Globalization;
using LogPipeline.Cli.Printing;
using LogPipeline.Hosting;
using LogPipeline.Hosting.Configuration;
using LogPipeline.Sinks.Query;
using LogPipeline.Sinks.Query.Language;

namespace LogPipeline.Cli.Verbs;

/// <summary><c>logpipe query count|histogram|top</c>: the database counts rows.</summary>
internal static class CountVerbs
{
    private const int LinesMax = 10_000;
    private const int WidthOfPipe = 100;

    private static readonly Option<string> Output = new("--output", "-o")
    {
        Description = "table; json (one array); jsonl or ndjson (one object a line); csv",
        HelpName = "table|json|jsonl|ndjson|csv",
        DefaultValueFactory = _ => "table",
    };

    public static IEnumerable<Command> Create(QuestionOptions question)
    {
        Output.AcceptOnlyFromAmong("table", "json", "jsonl", "ndjson", "csv");
        yield return Count(question);
        yield return Histogram(question);
        yield return Top(question);
    }

    private static Verb Count(QuestionOptions question)
    {
        var verb = new Verb("count", "Count rows.",
            "logpipe query count 'status>=500' --since 1h");
        question.AddTo(verb);
        verb.Does(async (parsed, stop) =>
        {
            await using ILogReader reader = await question.ReaderAsync(parsed, stop);
            LogQuery query = question.Read(parsed, reader);
            var count = new CountQuestion(query);
            if (question.IsToExplain(parsed))
            {
                Console.WriteLine(reader.Explain(count));
                return Exit.Done;
            }
            await foreach (RowCount all in reader.CountAsync(count, stop))
            {
                Console.WriteLine(all.Rows.ToString(CultureInfo.InvariantCulture));
            }
            return Exit.Done;
        });
        return verb;
    }

    private static Verb Histogram(QuestionOptions question)
    {
        var by = new Option<string>("--by") { Description = "The width of a bar, from 1s on: 10s, 1m, 1h, 1d", HelpName = "TIME", DefaultValueFactory = _ => "1m" };
        var verb = new Verb("histogram", "Count rows by time.",
            "logpipe query histogram 'status>=500' --by 1m --since 1h",
            "logpipe query histogram --by 1h --since 1d --output csv") { by, Output };
        question.AddTo(verb);
        verb.Does(async (parsed, stop) =>
        {
            await using ILogReader reader = await question.ReaderAsync(parsed, stop);
            LogQuery query = question.Read(parsed, reader) with { Limit = LinesMax };
            string text = parsed.GetValue(by)!;
            TimeSpan width = Quantity.TryParseDuration(text, out TimeSpan parsedWidth) && parsedWidth >= TimeSpan.FromSeconds(1) && parsedWidth.Ticks % TimeSpan.TicksPerSecond == 0
                ? parsedWidth : throw new ConfigurationException($"--by {text}: write whole seconds or more, such as 10s, 1m or 1h");
            return await AnswerAsync(question, parsed, reader, new HistogramQuestion(query, width), "time", stop);
        });
        return verb;
    }

    private static Verb Top(QuestionOptions question)
    {
        var field = new Argument<string>("FIELD") { Description = "Whose values to count, such as path" };
        var limit = new Option<int>("--limit", "-n") { Description = "Values at most", HelpName = "N", DefaultValueFactory = _ => 10 };
        var verb = new Verb("top", "Count rows by the values of a field, the most frequent first.",
            "logpipe query top path 'status:404' --since 1d",
            "logpipe query top remote_addr --limit 20 --output json") { field, limit, Output };
        question.AddTo(verb);
        verb.Does(async (parsed, stop) =>
        {
            await using ILogReader reader = await question.ReaderAsync(parsed, stop);
            string name = parsed.GetRequiredValue(field);
            QueryField counted = reader.Fields.Find(name) ?? throw new QueryException($"there is no field {name}; {reader.Fields.Advice(name)}");
            LogQuery query = question.Read(parsed, reader) with { Limit = Math.Clamp(parsed.GetValue(limit), 1, LinesMax) };
            return await AnswerAsync(question, parsed, reader, new TopQuestion(query, counted), counted.Name, stop);
        });
        return verb;
    }

    private static async Task<int> AnswerAsync(QuestionOptions options, ParseResult parsed, ILogReader reader, LogQuestion question, string name, CancellationToken stop)
    {
        if (options.IsToExplain(parsed))
        {
            Console.WriteLine(reader.Explain(question));
            return Exit.Done;
        }
        List<RowCount> counts = await reader.CountAsync(question, stop).ToListAsync(stop);
        await using var output = new StreamWriter(new StandardOutputStream(), bufferSize: 64 << 10);
        int screen = ScreenText.Columns ?? WidthOfPipe;
        new CountTable(name, output, screen).Write(counts, parsed.GetValue(Output)!, (question as HistogramQuestion)?.Width);
        if (counts.Count == LinesMax)
        {
            Console.Error.WriteLine($"only the first {LinesMax} are shown: narrow the time, or widen the bars");
        }
        return Exit.Done;
    }
}
