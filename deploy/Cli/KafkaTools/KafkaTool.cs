using System.CommandLine;
using LogPipeline.Client;

namespace LogPipeline.Cli.KafkaTools;

/// <summary>
/// One of Apache Kafka's commands under its own name, with its options, its output lines and its exit status: 0 done, 1 anything else.
/// A refusal of the broker is told on standard error by the name of Kafka's exception, which scripts look for.
/// </summary>
/// <param name="name">As in <c>logpipe kafka NAME</c>; <c>deploy/bin</c> has it as <c>kafka-NAME</c>.</param>
/// <param name="description">What it does, in one line.</param>
/// <param name="examples">Shown below its help.</param>
internal sealed class KafkaTool(string name, string description, params string[] examples) : Verb(name, description, examples)
{
    /// <summary>The status of every failure.</summary>
    public const int Failed = 1;

    private readonly List<(Option<bool> Option, Func<ParseResult, CancellationToken, Task<int>> Run)> _actions = [];

    /// <summary>What stands before the reason of a failure on standard output; null where Kafka's command prints no such line.</summary>
    public string? FailureLine { get; init; }

    /// <summary>Adds an option that says what to do, such as <c>--create</c>.</summary>
    public void AddAction(string option, string description, Func<ParseResult, CancellationToken, Task<int>> run)
    {
        var wanted = new Option<bool>(option) { Description = description };
        Options.Add(wanted);
        _actions.Add((wanted, run));
    }

    /// <summary>To be called after the last <see cref="AddAction"/>: exactly one of them must be given.</summary>
    public void RunsOneAction()
    {
        string names = string.Join(", ", _actions.Select(static action => action.Option.Name));
        Validators.Add(result =>
        {
            if (_actions.Count(action => result.GetValue(action.Option)) != 1)
            {
                result.AddError($"Command must include exactly one action: {names}");
            }
        });
        Runs((parsed, stop) => _actions.First(action => parsed.GetValue(action.Option)).Run(parsed, stop));
    }

    /// <summary>What the command does.</summary>
    public void Runs(Func<ParseResult, CancellationToken, Task<int>> run) => SetAction(async (parsed, _) =>
        await Guarded.RunAsync($"kafka-{Name}", async stop =>
        {
            try
            {
                return await run(parsed, stop);
            }
            catch (KafkaToolException e)
            {
                return Tell(e.Message, e.JavaName);
            }
            catch (Exception e) when (e is InvalidDataException or FileNotFoundException or DirectoryNotFoundException)
            {
                return Tell(e.Message, "java.lang.IllegalArgumentException"); // of what the command line or a file says
            }
            catch (BrokerErrorException e)
            {
                return Tell(e.Reason ?? e.Message, JavaException.NameOf(e.Code));
            }
        }) == Exit.Done ? Exit.Done : Failed);

    private int Tell(string reason, string javaName)
    {
        if (FailureLine is not null)
        {
            Console.WriteLine($"{FailureLine}{reason}");
        }
        Console.Error.WriteLine($"ERROR {javaName}: {reason}");
        return Failed;
    }
}

/// <summary>A Kafka command cannot do what it was asked, as Kafka's own would say it.</summary>
internal sealed class KafkaToolException(string message, string javaName = "java.lang.IllegalArgumentException") : Exception(message)
{
    /// <summary>The exception that Kafka's command shows for it.</summary>
    public string JavaName { get; } = javaName;
}
