using System.CommandLine;
using System.Text;
using LogPipeline.Agent.Configuration;
using LogPipeline.Agent.Status;
using LogPipeline.Cli.Printing;
using LogPipeline.Client.Metadata;
using LogPipeline.Contract.Reports;
using LogPipeline.Sinks.Verification;

namespace LogPipeline.Cli.Verbs;

/// <summary><c>logpipe agents</c>: the agents of all servers, by the newest record of each in the status topic.</summary>
internal static class AgentsVerb
{
    /// <summary>Agents publish every 10 s: one that is silent for longer than three times that was killed, or cannot reach the brokers.</summary>
    private static readonly TimeSpan StaleAfter = TimeSpan.FromSeconds(30);

    private const int HealthMax = 60;

    private static readonly Option<string?> Bootstrap = SharedOptions.Bootstrap();
    private static readonly Option<string?> Config = SharedOptions.Config();
    private static readonly Option<bool> Json = new("--json") { Description = "One object a line: each agent's whole record, with its files that are behind" };

    private static readonly Option<string> Topic = new("--topic")
    {
        Description = "Where agents publish their status (agent.status_topic)",
        HelpName = "NAME",
        DefaultValueFactory = _ => AgentSection.DefaultStatusTopic,
    };

    public static Command Create()
    {
        var verb = new Verb("agents", "List the agents of all servers: health, files, how far behind, when last seen.",
            "logpipe agents --bootstrap broker1:9092",
            "logpipe agents --json")
        {
            Json, Topic, Bootstrap, Config,
        };
        verb.Does(RunAsync);
        return verb;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken stop)
    {
        string topic = parsed.GetRequiredValue(Topic);
        await using ClusterClient cluster = Brokers.Connect(parsed, Bootstrap, Config);
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        List<AgentRun> agents = (await ReadAsync(cluster, topic, stop)).Current((now - StaleAfter).ToUnixTimeMilliseconds());
        if (agents.Count == 0)
        {
            Console.Error.WriteLine($"logpipe agents: no agent has published to topic '{topic}' within its retention; agents do unless agent.status_topic is off");
            return Exit.AnswerIsNo;
        }
        if (parsed.GetValue(Json))
        {
            foreach (AgentRun agent in agents)
            {
                Console.WriteLine(Encoding.UTF8.GetString(agent.Json.Span));
            }
            return Exit.Done;
        }
        Print(agents, now);
        foreach (IGrouping<string, AgentRun> twins in agents.Where(static agent => agent.HasTwin).GroupBy(static agent => agent.Report.AgentId, StringComparer.Ordinal))
        {
            Console.Error.WriteLine($"logpipe agents: {TwinsText(twins)}");
        }
        return Exit.Done;
    }

    private static void Print(List<AgentRun> agents, DateTimeOffset now)
    {
        var table = new TextTable("HOST", "VERSION", "FILES", "LAG", "RATE", "SEEN", "HEALTH");
        foreach (AgentReport agent in agents.Select(static run => run.Report))
        {
            TimeSpan silent = now - DateTimeOffset.FromUnixTimeMilliseconds(agent.Time);
            string seen = silent < TimeSpan.FromSeconds(1) ? "now" : $"{ShortTime.Brief(silent)} ago";
            table.Add(agent.Host, agent.Version, agent.FilesFollowed, ByteCount.Show(agent.LagBytes), $"{ByteCount.Show((long)agent.Rate)}/s", seen,
                HealthOf(agent, now));
        }
        table.Print();
    }

    /// <summary>What is wrong where several processes are one agent, and what to do.</summary>
    internal static string TwinsText(IEnumerable<AgentRun> twins)
    {
        List<AgentReport> reports = [.. twins.Select(static twin => twin.Report)];
        string places = string.Join(" and ", reports.Select(static report => $"{report.Host} ({report.StateDirectory})"));
        return $"{places} are one agent, {reports[0].AgentId}: the state directory was copied, with the machine's id, and lines go out twice."
            + " Stop all but one, give their machines ids of their own (systemd-machine-id-setup), empty their state directories and start them again";
    }

    /// <summary>How an agent is: by its newest record, and by how old that is.</summary>
    internal static string HealthOf(AgentReport agent, DateTimeOffset now)
    {
        if (agent.State == AgentStates.Stopped)
        {
            return AgentStates.Stopped;
        }
        string health = agent.IsWell ? "ok" : string.Join("; ", agent.Problems);
        health = health.Length <= HealthMax ? health : $"{health[..(HealthMax - 1)]}…";
        var seen = DateTimeOffset.FromUnixTimeMilliseconds(agent.Time);
        return now - seen > StaleAfter ? $"not heard of since {Times.Short(seen)}, was {health}" : health;
    }

    private static async Task<AgentRuns> ReadAsync(ClusterClient cluster, string topic, CancellationToken stop)
    {
        var runs = new AgentRuns();
        await foreach ((AgentReport report, ReadOnlyMemory<byte> json) in StatusTopic.ReadAsync(cluster, topic, TimeProvider.System, Random.Shared, stop))
        {
            runs.Add(report, json);
        }
        return runs;
    }
}
