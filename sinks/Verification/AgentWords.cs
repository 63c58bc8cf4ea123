using System.Globalization;
using LogPipeline.Client;
using LogPipeline.Client.Metadata;
using LogPipeline.Contract.Reports;
using LogPipeline.Sinks.Ledger;

namespace LogPipeline.Sinks.Verification;

/// <summary>What agents say, in the status topic, of lines that they read and that are in no record.</summary>
internal sealed class AgentWords
{
    private readonly Dictionary<Guid, AgentReport> _agents = [];

    /// <summary>By file and topic; of agents that published within the status topic's retention.</summary>
    public Dictionary<SourceKey, (AgentReport Agent, LeftOutReport Lines)> LeftOut { get; } = [];

    /// <summary>Added where nobody tells why lines are missing.</summary>
    public const string Silent = "; their agent has not published its status of late, which would say whether brokers refused them";

    public bool Knows(Guid agentId) => _agents.ContainsKey(agentId);

    /// <summary>To be added to what is said of lines that are missing; empty where brokers refused none.</summary>
    public string WhyRefused(SourceKey key) => LeftOut.TryGetValue(key, out (AgentReport Agent, LeftOutReport Lines) said) && said.Lines.DeadLetters is > 0 and long lines
        ? $"; brokers refused {lines} line{(lines == 1 ? "" : "s")} of it for good: the reason and the bytes are in {Path.Combine(said.Agent.StateDirectory, "dead-letters")} on {said.Agent.Host}" : "";

    /// <exception cref="BrokerErrorException">The topic may not be read.</exception>
    public static async Task<AgentWords> ReadAsync(ClusterClient cluster, string topic, TimeProvider time, Random random, CancellationToken cancellation)
    {
        var words = new AgentWords();
        await foreach ((AgentReport report, _) in StatusTopic.ReadAsync(cluster, topic, time, random, cancellation))
        {
            if (Guid.TryParse(report.AgentId, out Guid agent) && (!words._agents.TryGetValue(agent, out AgentReport? known) || known.Time <= report.Time))
            {
                words._agents[agent] = report;
            }
        }
        foreach ((Guid agent, AgentReport report) in words._agents)
        {
            foreach (LeftOutReport lines in report.LeftOut)
            {
                // Anybody may write to the topic.
                if (ulong.TryParse(lines.Generation, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong generation))
                {
                    words.LeftOut[new SourceKey(agent, generation, lines.Topic)] = (report, lines);
                }
            }
        }
        return words;
    }
}
