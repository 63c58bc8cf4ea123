using System.CommandLine;
using LogPipeline.Cli.Configuration;
using LogPipeline.Cli.Running;
using LogPipeline.Sinks;

namespace LogPipeline.Cli.Verbs;

/// <summary><c>logpipe sink [NAME…]</c>: the sinks of the configuration, or those named.</summary>
internal static class SinkVerb
{
    private static readonly Argument<string[]> Names = new("NAME") { Description = "Which of the configuration's sinks; without names all of them", Arity = ArgumentArity.ZeroOrMore };
    private static readonly RunningOptions Running = new();

    public static Command Create()
    {
        var verb = new Verb("sink", "Run sinks: each reads its topics as a consumer group and writes every record exactly once.",
            "logpipe sink --config logpipe.yaml",
            "logpipe sink web_log --config logpipe.yaml") { Names };
        Running.AddTo(verb);
        verb.Serves(RunAsync);
        return verb;
    }

    private static Task<int> RunAsync(ParseResult parsed, CancellationToken stop)
    {
        var configuration = PipelineConfiguration.Load(parsed.GetValue(Running.Config));
        IReadOnlyList<SinkOptions> sinks = ConfiguredSinks.Named(configuration, parsed.GetValue(Names) ?? []);
        return NodeProcess.RunAsync(Running.Plan(parsed, configuration, "logpipe-sink") with { Sinks = sinks, Alerts = configuration.Alerts }, stop);
    }
}
