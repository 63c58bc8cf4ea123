using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using LogPipeline.Hosting;

namespace LogPipeline.Cli;

/// <summary>A command whose help ends with examples that can be pasted.</summary>
internal class Verb(string name, string description, params string[] examples) : Command(name, description)
{
    public IReadOnlyList<string> Examples { get; } = examples;

    /// <summary>What the verb does; errors that people can mend become one line and a status, a signal before its end 130 or 143.</summary>
    public void Does(Func<ParseResult, CancellationToken, Task<int>> run)
        => SetAction((parsed, _) => Guarded.RunAsync(PathOf(parsed), stop => run(parsed, stop)));

    /// <summary>The same for what runs until it is stopped, which is its end.</summary>
    public void Serves(Func<ParseResult, CancellationToken, Task<int>> run) => Serves((parsed, signals) => run(parsed, signals.Token));

    /// <summary>The same for what may be asked by SIGHUP to reload its configuration.</summary>
    public void Serves(Func<ParseResult, StopSignals, Task<int>> run)
        => SetAction((parsed, _) => Guarded.ServeAsync(PathOf(parsed), signals => run(parsed, signals)));

    /// <summary>The words that led to the verb, such as <c>logpipe topics list</c>.</summary>
    public static string PathOf(ParseResult parsed)
    {
        var names = new List<string>();
        for (CommandResult? result = parsed.CommandResult; result is not null; result = result.Parent as CommandResult)
        {
            names.Insert(0, result.Command is RootCommand ? "logpipe" : result.Command.Name);
        }
        return string.Join(' ', names);
    }
}

/// <summary>Prints a verb's examples below the usual help.</summary>
internal sealed class HelpWithExamples(HelpAction usual) : SynchronousCommandLineAction
{
    /// <summary>Who asks for help need not know what must be given.</summary>
    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parsed)
    {
        int status = usual.Invoke(parsed);
        if (parsed.CommandResult.Command is not Verb { Examples.Count: > 0 } verb)
        {
            return status;
        }
        TextWriter output = parsed.InvocationConfiguration.Output;
        output.WriteLine("Examples:");
        foreach (string example in verb.Examples)
        {
            output.WriteLine($"  {example}");
        }
        output.WriteLine();
        return status;
    }
}
