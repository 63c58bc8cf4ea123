using LogPipeline.Agent;
using LogPipeline.Hosting.Configuration;

namespace LogPipeline.Cli.Configuration;

/// <summary>The agent's part of a configuration, and where to find it when it has changed.</summary>
/// <param name="Options">What the agent begins with.</param>
/// <param name="File">The file; null where there is only the environment.</param>
internal sealed record ReloadableAgent(AgentOptions Options, string? File)
{
    /// <summary>Reads it anew.</summary>
    /// <exception cref="ConfigurationException">Something in the file or the environment cannot be used, or there is no agent.</exception>
    public AgentOptions Reload() => PipelineConfiguration.Load(File).Agent ?? throw new ConfigurationException("the configuration has no 'agent:' any more");
}
