using LogPipeline.Agent;
using LogPipeline.Agent.Configuration;
using LogPipeline.Agent.Status;
using LogPipeline.Hosting;
using LogPipeline.Hosting.Configuration;
using LogPipeline.Hosting.Telemetry;
using Microsoft.Extensions.Logging;

namespace LogPipeline.AgentProgram;

/// <summary>
/// The program <c>logpipe-agent</c>: the agent alone, for application servers. It reads its part of the same file that all other
/// processes read. Exit status: 0 stopped as asked, 2 usage or configuration, 70 a defect.
/// </summary>
internal static class AgentCommand
{
    private const string Help = """
        Tails files and publishes every line to a Kafka-protocol broker, exactly once.

        Usage:
          logpipe-agent [--config FILE] [--admin HOST:PORT] [--log-level LEVEL]
          logpipe-agent config check [--config FILE]

        Options:
          --config FILE      without it ./logpipe.yaml, ./data/logpipe.yaml or /etc/logpipe/logpipe.yaml
          --admin HOST:PORT  serve /metrics and /healthz here; without it the configuration's admin.listen
          --log-level LEVEL  debug, information (default), warning, error or none
          --version, --help

        Signals: SIGHUP applies a changed configuration (a wrong one is refused and the old one goes on), SIGTERM stops.

        Examples:
          logpipe-agent --config /etc/logpipe/logpipe.yaml
          LOGPIPE__AGENT__BOOTSTRAP=broker1:9092 logpipe-agent
        """;

    public static async Task<int> RunAsync(string[] args)
    {
        try
        {
            return await RunAsync(AgentArguments.Parse(args));
        }
        catch (Exception e) when (e is ConfigurationException or ArgumentException or IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine($"logpipe-agent: {e.Message}");
            return 2;
        }
        catch (Exception e)
        {
            Console.Error.WriteLine($"logpipe-agent: this is a defect of logpipe-agent, please report it:{Environment.NewLine}{e}");
            return 70;
        }
    }

    private static async Task<int> RunAsync(AgentArguments arguments)
    {
        switch (arguments.Verb)
        {
            case AgentVerb.Help:
                Console.WriteLine(Help);
                return 0;
            case AgentVerb.Version:
                Console.WriteLine(Product.Version);
                return 0;
        }
        (AgentOptions options, TelemetryOptions telemetry) = Load(arguments);
        if (arguments.Verb == AgentVerb.Check)
        {
            foreach (InputOptions input in options.Inputs)
            {
                Console.WriteLine($"{string.Join(" ", input.Paths)} -> {input.Topic} at {string.Join(",", options.Bootstrap)}");
            }
            return 0;
        }
        return await ServeAsync(options, telemetry, arguments);
    }

    /// <exception cref="ConfigurationException">The configuration is not there, or wrong.</exception>
    private static (AgentOptions Agent, TelemetryOptions Telemetry) Load(AgentArguments arguments)
    {
        ConfigurationSection root = ConfigurationFile.Load(arguments.Config);
        AgentOptions options = AgentSection.Find(root)
            ?? throw new ConfigurationException($"{root.Origin}: there is no 'agent:' here; copy one from deploy/config/logpipe.yaml");
        TelemetryOptions telemetry = TelemetrySection.Read(root) with { ServiceName = "logpipe-agent" };
        root.Leave("broker", "sinks");
        root.Close();
        return (options, telemetry with { AdminListen = arguments.Admin ?? telemetry.AdminListen });
    }

    /// <summary>Runs until SIGTERM or Ctrl-C. SIGHUP stops the agent and starts it with the configuration as it is now, if that can be.</summary>
    private static async Task<int> ServeAsync(AgentOptions options, TelemetryOptions telemetry, AgentArguments arguments)
    {
        using ILoggerFactory loggers = ConsoleLogging.Create(arguments.LogLevel);
        ILogger logger = loggers.CreateLogger("LogPipeline.Agent");
        var reload = new Reload(() => Load(arguments).Agent, logger);
        using var signals = new StopSignals(reload.Ask);
        var status = new AgentStatus();
        var health = new Health();
        health.Add("agent", () => status.Problem);
        await using ProcessTelemetry shown = await ProcessTelemetry.StartOrGoWithoutAsync(
            telemetry, health, logger, request => StatusPage.AnswerAsync(request, status));
        for (AgentOptions? next = options; next is not null; next = reload.TakeNext())
        {
            using CancellationTokenSource run = reload.Begin(signals.Token);
            try
            {
                await AgentHost.RunAsync(next, logger, files => Console.WriteLine($"ready: agent, {files} file{(files == 1 ? "" : "s")}"), status, run.Token);
            }
            catch (OperationCanceledException) when (run.IsCancellationRequested)
            {
                // how a run that was told to stop may end
            }
        }
        return 0;
    }
}
