using System.CommandLine;
using LogPipeline.Client;
using LogPipeline.Client.Admin;
using LogPipeline.Client.Metadata;
using LogPipeline.Protocol;

namespace LogPipeline.Cli.KafkaTools;

/// <summary><c>kafka-topics</c></summary>
internal static class TopicsTool
{
    private const string NamesCollide = "WARNING: Due to limitations in metric names, topics with a period ('.') or underscore ('_') could collide. "
        + "To avoid issues it is best to use either, but not both.";

    private static readonly ClusterOptions Cluster = new();
    private static readonly Option<string?> Topic = new("--topic") { Description = "The topic; for other actions than --create a regular expression", HelpName = "NAME" };
    private static readonly Option<int?> Partitions = new("--partitions") { Description = "How many partitions the topic is to have", HelpName = "N" };
    private static readonly Option<short?> ReplicationFactor = new("--replication-factor") { Description = "Copies of each partition", HelpName = "N" };
    private static readonly Option<string[]> Config = new("--config") { Description = "A setting of the topic; may be repeated", HelpName = "KEY=VALUE" };
    private static readonly Option<string[]> DeleteConfig = new("--delete-config") { Description = "With --alter: a setting that the broker is to decide again", HelpName = "KEY" };
    private static readonly Option<bool> IfNotExists = new("--if-not-exists") { Description = "With --create: a topic that is there is well" };
    private static readonly Option<bool> IfExists = new("--if-exists") { Description = "A topic that is not there is well" };
    private static readonly Option<bool> ExcludeInternal = new("--exclude-internal") { Description = "Leave the broker's own topics out" };
    private static readonly Option<bool> Force = new("--force") { Description = "Ask nothing back, as without it" };

    public static Command Create()
    {
        var tool = new KafkaTool("topics", "Create, delete, describe, list or change topics (kafka-topics).",
            "logpipe kafka topics --create --topic quickstart-events --partitions 3 --bootstrap-server 127.0.0.1:9092",
            "logpipe kafka topics --describe --topic quickstart-events")
        {
            FailureLine = "Error while executing topic command : ",
        };
        tool.AddAction("--list", "List the names of topics", ListAsync);
        tool.AddAction("--describe", "Show a topic's partitions and settings", TopicDescription.PrintAsync);
        tool.AddAction("--create", "Create a topic", CreateAsync);
        tool.AddAction("--alter", "Add partitions to a topic", AlterAsync);
        tool.AddAction("--delete", "Delete topics", DeleteAsync);
        tool.RunsOneAction();
        Cluster.AddTo(tool);
        tool.Options.Add(Topic);
        tool.Options.Add(Force);
        tool.AddOption(Partitions, "--create", "--alter");
        tool.AddOption(ReplicationFactor, "--create");
        tool.AddOption(Config, "--create", "--alter");
        tool.AddOption(DeleteConfig, "--alter");
        tool.AddOption(IfNotExists, "--create");
        tool.AddOption(IfExists, "--alter", "--delete", "--describe");
        tool.AddOption(ExcludeInternal, "--list", "--describe");
        TopicDescription.AddTo(tool);
        return tool;
    }

    /// <summary>The topics that the command line names, all without <c>--topic</c>.</summary>
    /// <exception cref="KafkaToolException">It names one that is not there, without <c>--if-exists</c>.</exception>
    internal static async Task<List<TopicMetadata>> FindAsync(ParseResult parsed, AdminClient admin, CancellationToken stop)
    {
        bool own = !parsed.GetValue(ExcludeInternal);
        IEnumerable<TopicMetadata> all = (await admin.ListTopicsAsync(stop)).Where(topic => own || !topic.IsInternal);
        if (parsed.GetValue(Topic) is not { } wanted)
        {
            return [.. all];
        }
        var pattern = new TopicPattern(wanted);
        List<TopicMetadata> found = [.. all.Where(topic => pattern.Matches(topic.Name))];
        return found.Count > 0 || parsed.GetValue(IfExists) ? found : throw new KafkaToolException($"Topic '{wanted}' does not exist as expected");
    }

    internal static ClusterClient Connect(ParseResult parsed) => Cluster.Connect(parsed);

    private static string Required(ParseResult parsed) => parsed.GetValue(Topic) ?? throw new KafkaToolException("Missing required argument \"[topic]\"");

    private static async Task<int> ListAsync(ParseResult parsed, CancellationToken stop)
    {
        await using ClusterClient cluster = Connect(parsed);
        var pattern = new TopicPattern(parsed.GetValue(Topic) ?? ".*");
        bool own = !parsed.GetValue(ExcludeInternal);
        foreach (TopicMetadata topic in await new AdminClient(cluster).ListTopicsAsync(stop))
        {
            if (pattern.Matches(topic.Name) && (own || !topic.IsInternal))
            {
                Console.WriteLine(topic.Name);
            }
        }
        return Exit.Done;
    }

    private static async Task<int> CreateAsync(ParseResult parsed, CancellationToken stop)
    {
        string name = Required(parsed);
        var topic = new NewTopic(name, parsed.GetValue(Partitions) ?? -1, parsed.GetValue(ReplicationFactor) ?? -1, [.. JavaProperties.Pairs("--config", parsed.GetValue(Config))]);
        if (name.AsSpan().ContainsAny('.', '_'))
        {
            Console.WriteLine(NamesCollide);
        }
        await using ClusterClient cluster = Connect(parsed);
        Outcome outcome = (await new AdminClient(cluster).CreateTopicsAsync([topic], stop))[0];
        if (outcome.Error == ErrorCode.TopicAlreadyExists && parsed.GetValue(IfNotExists))
        {
            return Exit.Done;
        }
        Check(outcome);
        Console.WriteLine($"Created topic {name}.");
        Remark(outcome.Message);
        return Exit.Done;
    }

    private static async Task<int> AlterAsync(ParseResult parsed, CancellationToken stop)
    {
        Required(parsed);
        List<ConfigChange> changes =
        [
            .. JavaProperties.Pairs("--config", parsed.GetValue(Config)).Select(static pair => new ConfigChange(pair.Key, pair.Value)),
            .. (parsed.GetValue(DeleteConfig) ?? []).Select(static key => new ConfigChange(key, null)),
        ];
        int? count = parsed.GetValue(Partitions);
        if (count is null && changes.Count == 0)
        {
            throw new KafkaToolException("Missing required argument \"[partitions]\"");
        }
        await using ClusterClient cluster = Connect(parsed);
        var admin = new AdminClient(cluster);
        foreach (TopicMetadata topic in await FindAsync(parsed, admin, stop))
        {
            if (changes.Count > 0)
            {
                // Kafka moved this to kafka-configs; tutorials from before still say it here.
                Remark(await admin.AlterConfigsAsync(ConfigResourceType.Topic, topic.Name, changes, stop));
                Console.WriteLine($"Updated config for topic {topic.Name}.");
            }
            if (count is { } partitions)
            {
                await AddPartitionsAsync(admin, topic, partitions, stop);
            }
        }
        return Exit.Done;
    }

    private static async Task AddPartitionsAsync(AdminClient admin, TopicMetadata topic, int partitions, CancellationToken stop)
    {
        if (partitions <= topic.Partitions.Count)
        {
            throw new KafkaToolException($"The topic {topic.Name} currently has {topic.Partitions.Count} partition(s); {partitions} would not be an increase.",
                JavaException.NameOf(ErrorCode.InvalidPartitions));
        }
        await admin.CreatePartitionsAsync(topic.Name, partitions, stop);
    }

    private static async Task<int> DeleteAsync(ParseResult parsed, CancellationToken stop)
    {
        Required(parsed);
        await using ClusterClient cluster = Connect(parsed);
        var admin = new AdminClient(cluster);
        List<TopicMetadata> topics = await FindAsync(parsed, admin, stop);
        foreach (Outcome outcome in await admin.DeleteTopicsAsync([.. topics.Select(static topic => topic.Name)], stop))
        {
            Check(outcome);
        }
        return Exit.Done;
    }

    private static void Check(Outcome outcome)
    {
        if (outcome.Error != ErrorCode.None)
        {
            throw new BrokerErrorException(outcome.Error, $"{outcome.Name}: {outcome.Error}") { Reason = outcome.Message };
        }
    }

    private static void Remark(string? text)
    {
        if (!string.IsNullOrEmpty(text))
        {
            Console.Error.WriteLine($"WARN {text}");
        }
    }
}
