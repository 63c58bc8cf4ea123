using LogPipeline.Agent;
using LogPipeline.Agent.Configuration;
using LogPipeline.Broker;
using LogPipeline.Hosting.Configuration;
using LogPipeline.Hosting.Telemetry;
using LogPipeline.Sinks;

namespace LogPipeline.Cli.Configuration;

/// <summary>The whole of logpipe.yaml, read and checked. A part that the file does not name is null or empty.</summary>
internal sealed record PipelineConfiguration(BrokerOptions? Broker, AgentOptions? Agent, IReadOnlyList<SinkOptions> Sinks, AlertOptions Alerts, TelemetryOptions Telemetry)
{
    public const string DefaultBootstrap = "127.0.0.1:9092";

    /// <summary>Names nothing that could run.</summary>
    public bool IsEmpty => this is { Broker: null, Agent: null, Sinks.Count: 0 };

    /// <summary>The brokers that a client verb asks when it is not told.</summary>
    public string ClientBootstrap
        => Agent is { Bootstrap.Count: > 0 } ? string.Join(',', Agent.Bootstrap) : Sinks.Count > 0 ? Sinks[0].Bootstrap : Broker?.Listen ?? DefaultBootstrap;

    /// <exception cref="ConfigurationException">Something in the file or the environment cannot be used.</exception>
    public static PipelineConfiguration Load(string? path) => Read(ConfigurationFile.Load(path));

    public static PipelineConfiguration Read(ConfigurationSection root)
    {
        IReadOnlyList<SinkOptions> sinks = SinkSection.ReadAll(root.Sections("sinks"));
        var configuration = new PipelineConfiguration(
            root.SectionOrNull("broker") is { } broker ? BrokerSection.Read(broker) : null,
            AgentSection.Find(root),
            sinks,
            AlertsSection.Read(root.SectionOrNull("alerts"), sinks),
            TelemetrySection.Read(root));
        root.Close();
        return configuration;
    }
}
