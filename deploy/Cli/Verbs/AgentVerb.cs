using System.CommandLine;
using LogPipeline.Agent;
using LogPipeline.Cli.Configuration;
using LogPipeline.Cli.Running;
using LogPipeline.Hosting;
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
        verb.Serves(RunAsync);
        return verb;
    }

    private static Task<int> RunAsync(ParseResult parsed, StopSignals signals)
    {
        string? file = parsed.GetValue(Running.Config);
        var configuration = PipelineConfiguration.Load(file);
        AgentOptions agent = configuration.Agent ?? throw new ConfigurationException("the configuration has no 'agent:'; name a file with --config, or copy one from deploy/config/logpipe.yaml");
        NodePlan plan = Running.Plan(parsed, configuration, "logpipe-agent") with
        {
            Agent = new ReloadableAgent(agent, ConfigurationFile.PathOf(file)),
            Reloadable = reload => signals.Reload = reload,
        };
        return NodeProcess.RunAsync(plan, signals.Token);
    }
}
