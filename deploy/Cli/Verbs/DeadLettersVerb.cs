using System.CommandLine;
using LogPipeline.Cli.Configuration;
using LogPipeline.Cli.Printing;
using LogPipeline.Files;
using LogPipeline.Sinks;
using LogPipeline.Sinks.DeadLetters;
using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Rebuilding;

namespace LogPipeline.Cli.Verbs;

/// <summary><c>logpipe deadletters</c>: the lines that a sink's table refused.</summary>
internal static class DeadLettersVerb
{
    private static readonly Argument<string?> Name = new("NAME") { Description = "Which sink; without a name the first that writes to a database", Arity = ArgumentArity.ZeroOrOne };
    private static readonly Option<string?> Config = SharedOptions.Config();
    private static readonly Option<string?> State = new("--state") { Description = "Only those refused with this state, such as 23514", HelpName = "STATE" };
    private static readonly Option<int?> Partition = new("--partition") { Description = "Only those of this partition", HelpName = "N" };
    private static readonly Option<long?> Offset = new("--offset") { Description = "Only those of this offset", HelpName = "N" };
    private static readonly Option<int> Limit = new("--limit", "-n") { Description = "The newest so many", HelpName = "N", DefaultValueFactory = _ => 100 };
    private static readonly Option<bool> Yes = new("--yes", "-y") { Description = "Drop without asking" };

    public static Command Create()
    {
        var list = new Verb("list", "Show the newest, oldest first, long lines by their beginning; the view TABLE_dead_letters has all of them.", "logpipe deadletters list --config logpipe.yaml") { Name, State, Partition, Offset, Limit, Config };
        list.Does(ListAsync);
        var retry = new Verb("retry", "Store them as the rows that they would have been, after what refused them was mended. Exit 1 when some are refused again.",
            "logpipe deadletters retry web_log --state 23514") { Name, State, Partition, Offset, Config };
        retry.Does(RetryAsync);
        var drop = new Verb("drop", "Remove them for good.", "logpipe deadletters drop web_log --partition 0 --offset 4711") { Name, State, Partition, Offset, Yes, Config };
        drop.Does(DropAsync);
        return new Command("deadletters", "Lines that a sink's table refused: show them, store them after all, or drop them.") { list, retry, drop };
    }

    private static (SinkOptions Sink, DeadLetterChoice Choice) Chosen(ParseResult parsed)
    {
        SinkOptions sink = ConfiguredSinks.Readable(PipelineConfiguration.Load(parsed.GetValue(Config)), parsed.GetValue(Name));
        return (sink, new DeadLetterChoice(sink.Name, parsed.GetValue(State), parsed.GetValue(Partition), parsed.GetValue(Offset)));
    }

    private static async Task<int> ListAsync(ParseResult parsed, CancellationToken stop)
    {
        (SinkOptions sink, DeadLetterChoice choice) = Chosen(parsed);
        await using var letters = new DeadLetterTable(sink);
        IReadOnlyList<ListedLetter> listed = await letters.ListAsync(choice, parsed.GetValue(Limit), stop);
        if (listed.Count == 0)
        {
            Console.WriteLine($"{sink.Name}: no dead letters");
            return Exit.Done;
        }
        DeadLetterList.Write(listed, Console.Out, ScreenText.Columns);
        return Exit.Done;
    }

    private static async Task<int> RetryAsync(ParseResult parsed, CancellationToken stop)
    {
        (SinkOptions sink, DeadLetterChoice choice) = Chosen(parsed);
        SinkOptions inUse = await TableParser.InUseAsync(sink, stop);
        await using ISinkStore store = SinkStores.Create(inUse, new OsFileSystem(), TimeProvider.System, new Random(), migration: MigrationRight.None);
        RetriedLetters retried = await DeadLetterTable.RetryAsync(store, choice, stop);
        Console.WriteLine($"{sink.Name}: {retried.Stored} stored, {retried.Refused} refused again");
        return retried.Refused == 0 ? Exit.Done : Exit.AnswerIsNo;
    }

    private static async Task<int> DropAsync(ParseResult parsed, CancellationToken stop)
    {
        (SinkOptions sink, DeadLetterChoice choice) = Chosen(parsed);
        if (!parsed.GetValue(Yes))
        {
            Console.Write($"Drop the chosen dead letters of {sink.Name} for good? [y/N] ");
            if (Console.ReadLine()?.Trim() is not ("y" or "Y" or "yes"))
            {
                Console.WriteLine($"{sink.Name}: nothing was dropped (--yes drops without asking)");
                return Exit.Done;
            }
        }
        await using var letters = new DeadLetterTable(sink);
        Console.WriteLine($"{sink.Name}: {await letters.DropAsync(choice, stop)} dropped");
        return Exit.Done;
    }
}
