using System.CommandLine;
using System.Globalization;
using LogPipeline.Cli.Configuration;
using LogPipeline.Cli.Printing;
using LogPipeline.Sinks;
using LogPipeline.Sinks.Commands;

namespace LogPipeline.Cli.Verbs;

/// <summary><c>logpipe commands</c>: what sinks were told to do, what came of it, and what is paused.</summary>
internal static class CommandsVerb
{
    private static readonly Argument<string[]> Names = new("SINK") { Description = "Which sinks; without names all that write to a database", Arity = ArgumentArity.ZeroOrMore };
    private static readonly Option<int> Limit = new("--limit", "-n") { Description = "The newest so many of each sink", HelpName = "N", DefaultValueFactory = _ => 20 };
    private static readonly Option<string?> Config = SharedOptions.Config();

    public static Command Create()
    {
        var verb = new Verb("commands", "Show what sinks were told by pause and resume, who did it when, and what is paused now.", "logpipe commands web_log") { Names, Limit, Config };
        verb.Does(RunAsync);
        return verb;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken stop)
    {
        string[] names = parsed.GetValue(Names) ?? [];
        IReadOnlyList<SinkOptions> sinks = ConfiguredSinks.Named(PipelineConfiguration.Load(parsed.GetValue(Config)), names);
        var table = new TextTable("SINK", "ID", "COMMAND", "REQUESTED", "BY", "DONE", "BY", "OUTCOME");
        var states = new List<string>();
        foreach (SinkOptions sink in sinks.Where(sink => names.Length > 0 || sink.Files is null))
        {
            await using var commands = new CommandTable(sink, TimeProvider.System);
            foreach (SinkCommand command in await commands.ListAsync(parsed.GetValue(Limit), stop))
            {
                CommandOutcome? outcome = command.Outcome;
                table.Add(sink.Name, command.Id, command.ToString(), Text(command.Requested), command.RequestedBy,
                    outcome is null ? "waits" : Text(outcome.Done), outcome?.By, outcome?.Text);
            }
            IReadOnlyList<SinkPause> pauses = (await commands.LookAsync(stop)).Pauses;
            states.Add($"{sink.Name}: {(pauses.Count == 0 ? "not paused" : string.Join("; ", pauses))}");
        }
        table.Print();
        states.ForEach(Console.WriteLine);
        return Exit.Done;
    }

    private static string Text(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);
}
