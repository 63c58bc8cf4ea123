using System.CommandLine;
using LogPipeline.Cli.Configuration;
using LogPipeline.Hosting.Configuration;
using LogPipeline.Sinks;

namespace LogPipeline.Cli.Verbs;

/// <summary>
/// <c>logpipe replay</c>: what other systems call rewinding. In place it would store each line once more, or, where lines that are stored are left out, do nothing; so
/// it changes nothing and says which verb does what is wanted.
/// </summary>
internal static class ReplayVerb
{
    private static readonly Argument<string> Name = new("SINK") { Description = "Which sink of the configuration" };
    private static readonly Option<string?> From = new("--from") { Description = "Where it should begin", HelpName = "OFFSET|TIME" };
    private static readonly Option<string?> Config = SharedOptions.Config();

    public static Command Create()
    {
        var verb = new Verb("replay", "Say how a sink's rows are stored anew from the log: `rebuild` fills a new table and swaps it in. A replay in place would store lines twice, so there is none.",
            "logpipe replay web_log --from 7d") { Name, From, Config };
        verb.Does((parsed, _) => Run(parsed));
        return verb;
    }

    private static Task<int> Run(ParseResult parsed)
    {
        SinkOptions sink = ConfiguredSinks.Named(PipelineConfiguration.Load(parsed.GetValue(Config)), [parsed.GetValue(Name)!])[0];
        throw new ConfigurationException($"nothing is replayed in place: each line is in {Place(sink)} once, and would be there twice. " + (sink.Files is null
            ? $"`logpipe rebuild {Place(sink)}{(parsed.GetValue(From) is { } from ? $" --from {from}" : "")}` fills a new table from the log and swaps it in"
            : "Give a sink a new name and a new `files: directory` beside it: it stores all that the topic has anew, each line once"));
    }

    private static string Place(SinkOptions sink) => sink.Postgres?.Table ?? sink.Sqlite?.Table ?? sink.Files!.Directory;
}
