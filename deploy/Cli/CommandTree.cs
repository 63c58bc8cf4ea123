using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Parsing;
using LogPipeline.Cli.KafkaTools;
using LogPipeline.Cli.Verbs;
using LogPipeline.Files;

namespace LogPipeline.Cli;

/// <summary>Every verb of logpipe, and how a command line becomes an exit status.</summary>
internal static class CommandTree
{
    public static async Task<int> RunAsync(string[] args)
    {
        ParseResult parsed = Build().Parse(KafkaVerb.WithoutClassName(args));
        if (parsed.Errors.Count > 0 || Stray(parsed) is not null)
        {
            foreach (string fault in FaultsOf(parsed))
            {
                Console.Error.WriteLine(fault);
            }
            Console.Error.WriteLine($"`{Verb.PathOf(parsed)} --help` shows options and examples");
            return parsed.CommandResult.Command is KafkaTool ? KafkaTool.Failed : Exit.Usage;
        }
        return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
    }

    public static RootCommand Build()
    {
        var root = new RootCommand("Collects log lines: agents tail files, a Kafka-protocol broker keeps the lines, sinks write each one to a database exactly once.")
        {
            UpVerb.Create(),
            BrokerVerb.Create(),
            AgentVerb.Create(),
            AgentsVerb.Create(),
            StatusVerb.Create(),
            HealthVerb.Create(),
            SinkVerb.Create(),
            TopicsVerb.Create(),
            PartitionsVerb.Create(),
            DeleteRecordsVerb.CreateRecords(),
            ConfigsVerb.Create(),
            ProduceVerb.Create(),
            ConsumeVerb.Create(),
            GroupsVerb.Create(),
            QueryVerb.Create(),
            ReportVerb.Create(),
            TailVerb.Create(),
            VerifyVerb.Create(),
            DeadLettersVerb.Create(),
            PauseVerb.CreatePause(),
            PauseVerb.CreateResume(),
            CommandsVerb.Create(),
            RebuildVerb.Create(),
            ReplayVerb.Create(),
            AlertsVerb.Create(),
            ParseVerb.Create(),
            ConfigVerb.Create(),
            KafkaVerb.Create(),
        };
        foreach (HelpOption help in root.Options.OfType<HelpOption>())
        {
            help.Action = new HelpWithExamples((HelpAction)help.Action!);
        }
        return root;
    }

    // A mistyped option would pass for a name where a verb takes any number of names.
    private static string? Stray(ParseResult parsed)
        => parsed.Tokens.FirstOrDefault(token => token.Type == TokenType.Argument && token.Value.StartsWith("--", StringComparison.Ordinal))?.Value;

    /// <summary>What is wrong with a command line, in one line each.</summary>
    internal static IEnumerable<string> FaultsOf(ParseResult parsed)
    {
        string path = Verb.PathOf(parsed);
        Command command = parsed.CommandResult.Command;
        string? first = parsed.UnmatchedTokens.Count > 0 ? parsed.UnmatchedTokens[0] : null;
        bool isVerb = command.Subcommands.Count > 0 && first?.StartsWith('-') == false; // its options are unknown because it is
        if ((isVerb ? first : Stray(parsed) ?? first) is { } word)
        {
            IEnumerable<string> known = word.StartsWith('-')
                ? command.Options.SelectMany(option => option.Aliases.Append(option.Name)).Where(name => name.StartsWith("--", StringComparison.Ordinal))
                : command.Subcommands.Select(verb => verb.Name);
            string advice = NearestName.Find(word, known) is { } near ? $"; did you mean '{near}'?" : "";
            return [$"{path}: unknown {(word.StartsWith('-') ? "option" : command.Subcommands.Count > 0 ? "verb" : "argument")} '{word}'{advice}"];
        }
        if (command is { Subcommands.Count: > 0, Action: null })
        {
            return [$"{path}: which verb? {string.Join(", ", command.Subcommands.Select(verb => verb.Name))}"];
        }
        return parsed.Errors.Select(error => $"{path}: {string.Join(' ', Told(error).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))}");
    }

    /// <summary>A value that is not of its option's type would be told with the name that .NET has for the type.</summary>
    private static string Told(ParseError error)
    {
        Type? type = error.SymbolResult switch
        {
            OptionResult option => option.Option.ValueType,
            ArgumentResult argument => argument.Argument.ValueType,
            _ => null,
        };
        type = type is null ? null : Nullable.GetUnderlyingType(type) ?? type;
        int at = error.Message.IndexOf(" as expected type ", StringComparison.Ordinal);
        return type is null || at < 0 ? error.Message
            : $"{error.Message[..at]}: write {(type.IsEnum ? $"one of {string.Join(", ", Enum.GetNames(type).Select(name => name.ToLowerInvariant()))}" : "a whole number")}";
    }
}
