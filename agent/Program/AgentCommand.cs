using LogPipeline.Agent;
using LogPipeline.Agent.Configuration;
using LogPipeline.Agent.Status;
using LogPipeline.Hosting;
using LogPipeline.Hosting.Admin;
using LogPipeline.Hosting.Configuration;
using LogPipeline.Hosting.Telemetry;
using Microsoft.Extensions.Logging;

namespace LogPipeline.AgentProgram;

/// <summary>
/// The program <c>logpipe-agent</c>: the agent alone, for application servers. It reads its part of the same file that all other
/// processes read. Exit status: 0 stopped or done as asked, 1 the answer is no, 2 usage or configuration, 3 no broker can be reached, 70 a defect.
/// </summary>
internal static class AgentCommand
{
    private const string Help = """
        Tails files and publishes every line to a Kafka-protocol broker, exactly once.

        Usage:
          logpipe-agent [run] [--log-level LEVEL]   until SIGTERM
          COMMAND | logpipe-agent --stdin --topic TOPIC [--encoding NAME] [--bootstrap HOST:PORT] [--state DIR]
                                                    until the input has ended and all of it is acked
          logpipe-agent config check                what would run
          logpipe-agent explain PATH                why a file is read, or is not; status 1 when it is not
          logpipe-agent status [--json] [--watch]   files, how far behind they are, how fast they are sent
          logpipe-agent plan [--rate BYTES] [--all] what the configuration would start, stop and go on reading
          logpipe-agent health                      what /healthz answers; status 1 when not all is well, or no agent answers
          logpipe-agent resend PATH [--from BYTE] [--to BYTE] [--dry-run]
                                                    send lines again that a topic lost; only what was acked before

        Options:
          --config FILE      without it ./logpipe.yaml, ./data/logpipe.yaml or /etc/logpipe/logpipe.yaml
          --admin HOST:PORT  serve /metrics, /healthz and /files here, or ask the agent that does; without it admin.listen
          --log-level LEVEL  debug, information (default), warning, error or none
          --state DIR        where the lines of --stdin are kept until they are acked; an agent at a time uses it
          --encoding NAME    of --stdin: utf-8, utf-16le, utf-16be, gb18030, gbk, big5, shift_jis or latin1; without it as it is, or by UTF-16's byte order mark
          --rate BYTES       bytes a second to plan with, such as 10MB; without it what the running agent reached
          --from, --to BYTE  from the line that this byte of the file lies in, to the one that ends there; without them all that is acked
          --dry-run          say what would be sent, and send nothing
          --version, --help

        resend marks the lines so that sinks drop those they have; it may be repeated, and while the agent runs. It proves first that the file holds
        what was sent. Status 1: nothing, or not all, was sent, and why; 3: no broker can be reached.

        explain, status and plan change nothing. They ask the agent that runs; where none answers they say what its state directory says.
        A changed configuration file is applied within seconds, or at SIGHUP (agent.reload: signal); a wrong one is refused and the old one
        goes on. SIGTERM stops.

        Examples:
          logpipe-agent --config /etc/logpipe/logpipe.yaml
          app 2>&1 | logpipe-agent --stdin --topic app --bootstrap broker1:9092
          logpipe-agent explain /var/log/nginx/access.log
          logpipe-agent plan --config new.yaml
          logpipe-agent resend /var/log/nginx/access.log.1 --from 1048576 --dry-run
          LOGPIPE__AGENT__BOOTSTRAP=broker1:9092 logpipe-agent
        """;

    public static async Task<int> RunAsync(string[] args)
    {
        try
        {
            return await RunAsync(AgentArguments.Parse(args));
        }
        catch (IOException e) when (e.HResult == StandardOutputStream.BrokenPipe)
        {
            return 0; // the reader of our output has enough, as in `logpipe-agent status --watch | head`
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
        if (arguments.Verb == AgentVerb.Health)
        {
            // Not more of the file than the address: an agent goes on with its configuration when the file is wrong by now.
            return await new AdminAddress(arguments.Admin ?? TelemetrySection.Read(ConfigurationFile.Load(arguments.Config)).AdminListen).PrintHealthAsync();
        }
        if (arguments.IsStdin)
        {
            return await StdinCommand.RunAsync(arguments, arguments.Config is null ? new AgentOptions() : Load(arguments).Agent);
        }
        (AgentOptions options, TelemetryOptions telemetry) = Load(arguments);
        var agent = new RunningAgent(telemetry.AdminListen, options);
        switch (arguments.Verb)
        {
            case AgentVerb.Check:
                Tell(options);
                return 0;
            case AgentVerb.Explain:
                return await InspectionCommands.ExplainAsync(arguments.Path, options, agent);
            case AgentVerb.Status:
                return await InspectionCommands.StatusAsync(arguments, options, agent);
            case AgentVerb.Plan:
                return await InspectionCommands.PlanAsync(arguments, options, agent);
            case AgentVerb.Resend:
                return await ResendCommand.RunAsync(arguments, options);
            default:
                return await ServeAsync(options, telemetry, arguments);
        }
    }

    private static void Tell(AgentOptions options)
    {
        foreach (InputOptions input in options.Inputs)
        {
            Console.WriteLine($"{input.Source?.Name ?? string.Join(" ", input.Paths)} -> {input.Topic} at {string.Join(",", options.Bootstrap)}");
        }
        foreach (string note in ConfigurationNotes.Of(options))
        {
            Console.WriteLine($"note: {note}");
        }
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

    /// <summary>Runs until SIGTERM or Ctrl-C. A changed configuration stops the agent and starts it anew, if that can be.</summary>
    private static async Task<int> ServeAsync(AgentOptions options, TelemetryOptions telemetry, AgentArguments arguments)
    {
        using ILoggerFactory loggers = ConsoleLogging.Create(arguments.LogLevel);
        ILogger logger = loggers.CreateLogger("LogPipeline.Agent");
        var agent = new ReloadedAgent(ConfigurationFile.PathOf(arguments.Config), () => Load(arguments).Agent, logger);
        using var signals = new StopSignals { Reload = agent.Reload };
        var status = new AgentStatus();
        var health = new Health();
        health.Add("agent", () => status.Problem);
        await using ProcessTelemetry shown = await ProcessTelemetry.StartOrGoWithoutAsync(
            telemetry, health, logger, request => StatusPage.AnswerAsync(request, status));
        await agent.RunAsync(options, static files => Console.WriteLine($"ready: agent, {files} file{(files == 1 ? "" : "s")}"), status, signals.Token);
        return 0;
    }
}
