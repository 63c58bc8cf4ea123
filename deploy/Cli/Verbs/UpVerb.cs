using System.CommandLine;
using LogPipeline.Cli.Configuration;
using LogPipeline.Cli.Demo;
using LogPipeline.Cli.Running;
using LogPipeline.Hosting;
using LogPipeline.Hosting.Configuration;

namespace LogPipeline.Cli.Verbs;

/// <summary><c>logpipe up</c>: all that the configuration names, in one process.</summary>
internal static class UpVerb
{
    private static readonly RunningOptions Running = new();
    private static readonly Option<bool> Demo = new("--demo") { Description = "Write a configuration and web-log lines under ./data, and run it all" };

    public static Command Create()
    {
        var verb = new Verb("up", "Run broker, agent and sinks in one process, as far as the configuration names them.",
            "logpipe up --demo",
            "logpipe up --config logpipe.yaml") { Demo };
        Running.AddTo(verb);
        verb.Serves(RunAsync);
        return verb;
    }

    private static Task<int> RunAsync(ParseResult parsed, StopSignals signals)
    {
        bool demo = parsed.GetValue(Demo);
        string? file = parsed.GetValue(Running.Config) ?? (demo ? DemoFiles.WriteConfiguration() : null);
        var configuration = PipelineConfiguration.Load(file);
        if (configuration.IsEmpty)
        {
            throw new ConfigurationException("nothing would run: the configuration has no 'broker:', 'agent:' or 'sinks:'; try `logpipe up --demo`, or copy deploy/config/logpipe.yaml");
        }
        NodePlan plan = Running.Plan(parsed, configuration, "logpipe") with
        {
            Broker = configuration.Broker,
            DemoLog = demo ? DemoFiles.AccessLog : null,
            Agent = configuration.Agent is { } agent ? new ReloadableAgent(agent, ConfigurationFile.PathOf(file)) : null,
            Reloadable = reload => signals.Reload = reload,
            Sinks = configuration.Sinks,
            Alerts = configuration.Alerts,
            Started = demo ? () => DemoFiles.PrintNextSteps(configuration, file!) : null,
        };
        return NodeProcess.RunAsync(plan, signals.Token);
    }
}
