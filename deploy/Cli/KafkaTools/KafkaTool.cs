using System.CommandLine;
using System.CommandLine.Invocation;
using LogPipeline.Client;
using LogPipeline.Hosting;

namespace LogPipeline.Cli.KafkaTools;

/// <summary>
/// One of Apache Kafka's commands under its own name, with its options, its output lines and its exit status: 0 done, 1 anything else.
/// A refusal of the broker is told on standard error by the name of Kafka's exception, which scripts look for.
/// </summary>
internal sealed class KafkaTool : Verb
{
    /// <summary>The status of every failure.</summary>
    public const int Failed = 1;

    private readonly List<(Option<bool> Option, Func<ParseResult, CancellationToken, Task<int>> Run)> _actions = [];
    private readonly List<(Option Option, string[] Actions)> _bound = [];

    /// <param name="name">As in <c>logpipe kafka NAME</c>; <c>deploy/bin</c> has it as <c>kafka-NAME</c>.</param>
    /// <param name="description">What it does, in one line.</param>
    /// <param name="examples">Shown below its help.</param>
    public KafkaTool(string name, string description, params string[] examples)
        : base(name, description, examples) =>
        Options.Add(new Option<bool>("--version") { Description = "Print the version of logpipe", Action = new PrintVersion() });

    /// <summary>What stands before the reason of a failure on standard output; null where Kafka's command prints no such line.</summary>
    public string? FailureLine { get; init; }

    /// <summary>Adds an option that says what to do, such as <c>--create</c>.</summary>
    public void AddAction(string option, string description, Func<ParseResult, CancellationToken, Task<int>> run)
    {
        var wanted = new Option<bool>(option) { Description = description };
        Options.Add(wanted);
        _actions.Add((wanted, run));
    }

    /// <summary>Adds an option that goes with some of the actions only; with any other the command is refused.</summary>
    /// <param name="option">The option.</param>
    /// <param name="actions">The actions, such as <c>--create</c>.</param>
    public void AddOption(Option option, params string[] actions)
    {
        Options.Add(option);
        _bound.Add((option, actions));
    }

    /// <summary>To be called after the last <see cref="AddAction"/>: exactly one of them must be given.</summary>
    public void RunsOneAction()
    {
        string names = string.Join(", ", _actions.Select(static action => action.Option.Name));
        Validators.Add(result =>
        {
            List<string> given = [.. _actions.Where(action => result.GetValue(action.Option)).Select(static action => action.Option.Name)];
            if (given.Count != 1)
            {
                result.AddError($"Command must include exactly one action: {names}");
                return;
            }
            foreach ((Option option, string[] actions) in _bound.Where(bound => result.GetResult(bound.Option) is { Implicit: false } && !bound.Actions.Contains(given[0])))
            {
                result.AddError($"Option \"[{given[0][2..]}]\" can't be used with option \"[{option.Name[2..]}]\"");
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
        }) is var status && status is Exit.Done or > Exit.Interrupted ? status : Failed);

    private sealed class PrintVersion : SynchronousCommandLineAction
    {
        /// <summary>Nothing else of the command line matters.</summary>
        public override bool ClearsParseErrors => true;

        public override int Invoke(ParseResult parsed)
        {
            parsed.InvocationConfiguration.Output.WriteLine($"{Product.Version} (logpipe)");
            return Exit.Done;
        }
    }

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
