using System.CommandLine;
using LogPipeline.Cli.Configuration;
using LogPipeline.Hosting.Configuration;
using LogPipeline.Sinks;
using LogPipeline.Sinks.Commands;

namespace LogPipeline.Cli.Verbs;

/// <summary><c>logpipe pause</c> and <c>resume</c>: leave a command for a running sink in its database, and wait for what comes of it.</summary>
internal static class PauseVerb
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(200);

    private static readonly Argument<string> Name = new("SINK") { Description = "Which sink of the configuration" };
    private static readonly Option<string?> Topic = new("--topic") { Description = "Only this topic", HelpName = "TOPIC" };
    private static readonly Option<int?> Partition = new("--partition") { Description = "Only this partition", HelpName = "N" };
    private static readonly Option<string?> Config = SharedOptions.Config();

    private static readonly Option<string> Timeout = new("--timeout")
    {
        Description = "How long to wait for a running sink to do it; 0 = not at all",
        HelpName = "TIME",
        DefaultValueFactory = _ => "30s",
    };

    public static Command CreatePause()
    {
        var verb = new Verb("pause", "Have a running sink store nothing more until it is resumed, also after a restart. It keeps its partitions; lines wait in the topic.",
            "logpipe pause web_log",
            "logpipe pause web_log --topic web_log --partition 3") { Name, Topic, Partition, Timeout, Config };
        verb.Does((parsed, stop) => LeaveAsync(parsed, SinkAction.Pause, stop));
        return verb;
    }

    public static Command CreateResume()
    {
        var verb = new Verb("resume", "Have a paused sink go on where it stopped.",
            "logpipe resume web_log",
            "logpipe resume web_log --partition 3") { Name, Topic, Partition, Timeout, Config };
        verb.Does((parsed, stop) => LeaveAsync(parsed, SinkAction.Resume, stop));
        return verb;
    }

    private static async Task<int> LeaveAsync(ParseResult parsed, SinkAction action, CancellationToken stop)
    {
        TimeSpan wait = SharedOptions.DurationOf(parsed, Timeout, "30s or 2m", "not at all");
        SinkOptions sink = ConfiguredSinks.Named(PipelineConfiguration.Load(parsed.GetValue(Config)), [parsed.GetValue(Name)!])[0];
        await using var commands = new CommandTable(sink, TimeProvider.System);
        SinkCommand command = await commands.AddAsync(action, Chosen(sink, parsed.GetValue(Topic)), parsed.GetValue(Partition), SharedOptions.Person, stop);
        return await WaitAsync(commands, command, wait, stop);
    }

    private static string? Chosen(SinkOptions sink, string? topic) => topic is null || TopicPatterns.Of(sink.Topics).Among([topic]).Contains(topic) ? topic
        : throw new ConfigurationException($"--topic {topic}: sink {sink.Name} does not read it; it reads {string.Join(", ", sink.Topics)}");

    private static async Task<int> WaitAsync(CommandTable commands, SinkCommand command, TimeSpan wait, CancellationToken stop)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(stop);
        deadline.CancelAfter(wait);
        try
        {
            while (true)
            {
                if ((await commands.FindAsync(command.Id, deadline.Token))?.Outcome is { } outcome)
                {
                    Console.WriteLine($"{command.Sink}: {outcome.Text} (by {outcome.By})");
                    return outcome.Succeeded ? Exit.Done : Exit.AnswerIsNo;
                }
                await Task.Delay(LookInterval, TimeProvider.System, deadline.Token);
            }
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            Console.WriteLine($"{command.Sink}: no sink has taken command {command.Id} within {wait.TotalSeconds:0.#} s. It stays, and is done once the sink runs: `logpipe sink {command.Sink}` (one that runs logs what is in the way); see `logpipe commands {command.Sink}`");
            return wait == TimeSpan.Zero ? Exit.Done : Exit.AnswerIsNo;
        }
    }
}
