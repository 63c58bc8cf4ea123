using System.CommandLine;
using LogPipeline.Agent;
using LogPipeline.Cli.Configuration;
using LogPipeline.Cli.Running;
using LogPipeline.Hosting.Configuration;

namespace LogPipeline.Cli.Verbs;

/// <summary><c>logpipe agent</c>: the agent alone.</summary>
internal static class AgentVerb
{
    private static readonly RunningOptions Running = new();

    public static Command Create()
    {
        var verb = new Verb("agent", "Run the agent: it tails the files under agent.inputs and publishes every line.",
            "logpipe agent --config logpipe.yaml",
            "LOGPIPE__AGENT__INPUTS__0__TOPIC=web_log logpipe agent --config logpipe.yaml");
        Running.AddTo(verb);
        verb.Does(RunAsync);
        return verb;
    }

    private static Task<int> RunAsync(ParseResult parsed, CancellationToken stop)
    {
        var configuration = PipelineConfiguration.Load(parsed.GetValue(Running.Config));
        AgentOptions agent = configuration.Agent ?? throw new ConfigurationException("the configuration has no 'agent:'; name a file with --config, or copy one from deploy/config/logpipe.yaml");
        return NodeProcess.RunAsync(Running.Plan(parsed, configuration, "logpipe-agent") with { Agent = agent }, stop);
    }
}
