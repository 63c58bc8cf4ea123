using LogPipeline.Agent.Status;
using LogPipeline.Broker;
using LogPipeline.Cli.Configuration;
using LogPipeline.Cli.Demo;
using LogPipeline.Client.Connections;
using LogPipeline.Hosting.Parts;
using LogPipeline.Hosting.Telemetry;
using LogPipeline.Sinks;
using LogPipeline.Sinks.Alerts;
using LogPipeline.Sinks.Bus;
using LogPipeline.Sinks.Telemetry;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Cli.Running;

/// <summary>What one process runs, and how it shows itself.</summary>
internal sealed record NodePlan(TelemetryOptions Telemetry, LogLevel LogLevel)
{
    public BrokerOptions? Broker { get; init; }

    /// <summary>Where the demonstration writes its lines; null = nowhere.</summary>
    public string? DemoLog { get; init; }

    public ReloadableAgent? Agent { get; init; }

    public IReadOnlyList<SinkOptions> Sinks { get; init; } = [];

    /// <summary>Rules that are watched where their sink runs, and who is told of what happens to sinks.</summary>
    public AlertOptions Alerts { get; init; } = AlertOptions.None;

    /// <summary>Called with what SIGHUP is to call, where an agent runs.</summary>
    public Action<Action>? Reloadable { get; init; }

    /// <summary>Called once when all parts serve.</summary>
    public Action? Started { get; init; }
}

/// <summary>Runs a plan: diagnostics, metrics and health around its parts, each part after those it needs.</summary>
internal static class NodeProcess
{
    /// <summary>Runs until the signal or a failure; returns the exit status.</summary>
    public static async Task<int> RunAsync(NodePlan plan, CancellationToken stop)
    {
        using ILoggerFactory loggers = ConsoleLogging.Create(plan.LogLevel);
        ILogger logger = loggers.CreateLogger("LogPipeline.Node");
        var health = new Health();
        var status = new AgentStatus();
        await using ProcessTelemetry shown = await ProcessTelemetry.StartOrGoWithoutAsync(
            plan.Telemetry with { TraceSources = plan.Sinks.Count > 0 ? SinkTraces.Sources : [] }, health, logger,
            request => StatusPage.AnswerAsync(request, status));
        await using SinkBus? bus = plan.Sinks.Count > 0 ? await SinkBus.StartAsync(loggers, plan.Alerts.Targets, stop) : null;
        var parts = new List<IPart>();
        if (plan.Broker is { } broker)
        {
            parts.Add(new BrokerPart(broker, loggers));
        }
        if (plan.DemoLog is { } path)
        {
            parts.Add(new DemoWriter(path));
        }
        if (plan.Agent is { } agent)
        {
            var part = new AgentPart(agent, keepsOthers: plan.Broker is not null || plan.Sinks.Count > 0, status, loggers);
            plan.Reloadable?.Invoke(part.Reload);
            parts.Add(part);
        }
        bool isAlone = parts.Count + plan.Sinks.Count == 1;
        parts.AddRange(plan.Sinks.Select(sink => new SinkPart(sink, isAlone, bus!, loggers)));
        await using var delays = new SinkDelays(new TcpConnector(), TimeProvider.System, new Random());
        foreach (SinkOptions sink in plan.Sinks)
        {
            parts.AddRange(plan.Alerts.Rules.Where(rule => rule.Sink == sink.Name).Select(rule => new AlertPart(rule, sink, delays.Of(sink), bus!, loggers)));
        }
        await new PartsRunner(health, logger).RunAsync(parts, plan.Started, stop);
        return Exit.Done;
    }
}
