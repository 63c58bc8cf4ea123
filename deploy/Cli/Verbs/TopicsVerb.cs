using System.CommandLine;
using System.Globalization;
using LogPipeline.Cli.Printing;
using LogPipeline.Client;
using LogPipeline.Client.Admin;
using LogPipeline.Client.Metadata;
using LogPipeline.Protocol;

namespace LogPipeline.Cli.Verbs;

/// <summary><c>logpipe topics create|list|describe|configs|alter|delete</c></summary>
internal static class TopicsVerb
{
    private static readonly Option<string?> Bootstrap = SharedOptions.Bootstrap();
    private static readonly Option<string?> Config = SharedOptions.Config();

    public static Command Create()
    {
        var topics = new Verb("topics", "Create, list, describe, change and delete topics.",
            "logpipe topics list",
            "logpipe topics create web_log --partitions 4",
            "logpipe topics describe web_log --bootstrap 127.0.0.1:9092")
        {
            CreateTopic(), List(), Describe(), ConfigsVerb.OfTopic(Bootstrap, Config), AlterTopicVerb.Create(Bootstrap, Config), Delete(),
            DeleteRecordsVerb.CreateFormer(Bootstrap, Config),
        };
        foreach (Command verb in topics.Subcommands)
        {
            verb.Options.Add(Bootstrap);
            verb.Options.Add(Config);
        }
        return topics;
    }

    private static Verb CreateTopic()
    {
        var name = new Argument<string>("TOPIC") { Description = "Letters, digits, '.', '_' and '-'" };
        var partitions = new Option<int>("--partitions", "-p") { Description = "How many; -1 takes the broker's num.partitions", DefaultValueFactory = _ => -1 };
        var replicas = new Option<short>("--replication-factor", "-r") { Description = "Copies of each partition; -1 takes the broker's default", DefaultValueFactory = _ => -1 };
        var settings = new Option<string[]>("--set") { Description = "A topic setting by Kafka's name; may be repeated", HelpName = "KEY=VALUE" };
        var verb = new Verb("create", "Create a topic.",
            "logpipe topics create web_log --partitions 4",
            "logpipe topics create audit --set retention.ms=604800000") { name, partitions, replicas, settings };
        verb.Does(async (parsed, stop) =>
        {
            await using ClusterClient cluster = Brokers.Connect(parsed, Bootstrap, Config);
            var topic = new NewTopic(parsed.GetRequiredValue(name), parsed.GetValue(partitions), parsed.GetValue(replicas), Settings.Parse(parsed.GetValue(settings)));
            IReadOnlyList<Outcome> outcomes = await new AdminClient(cluster).CreateTopicsAsync([topic], stop);
            Check(outcomes);
            Console.WriteLine($"created {topic.Name}");
            if (outcomes[0].Message is { Length: > 0 } remark)
            {
                Console.WriteLine($"{topic.Name}: {remark}");
            }
            return Exit.Done;
        });
        return verb;
    }

    private static Verb List()
    {
        var all = new Option<bool>("--all", "-a") { Description = "The broker's own topics too" };
        var verb = new Verb("list", "List topics.", "logpipe topics list", "logpipe topics list --all") { all };
        verb.Does(async (parsed, stop) =>
        {
            await using ClusterClient cluster = Brokers.Connect(parsed, Bootstrap, Config);
            var admin = new AdminClient(cluster);
            var table = new TextTable("TOPIC", "PARTITIONS", "RECORDS");
            foreach (TopicMetadata topic in await admin.ListTopicsAsync(stop))
            {
                if (topic.IsInternal && !parsed.GetValue(all))
                {
                    continue;
                }
                long records = 0L;
                foreach (PartitionMetadata partition in topic.Partitions)
                {
                    records += await CountAsync(admin, new TopicPartition(topic.Name, partition.Index), stop);
                }
                table.Add(topic.Name, topic.Partitions.Count, records);
            }
            table.Print();
            return Exit.Done;
        });
        return verb;
    }

    private static Verb Describe()
    {
        var names = new Argument<string[]>("TOPIC") { Description = "One or more topics", Arity = ArgumentArity.OneOrMore };
        var verb = new Verb("describe", "Show partitions, leaders and offsets of topics, and settings that differ from the default.", "logpipe topics describe web_log") { names };
        verb.Does(async (parsed, stop) =>
        {
            await using ClusterClient cluster = Brokers.Connect(parsed, Bootstrap, Config);
            var admin = new AdminClient(cluster);
            foreach (string? name in parsed.GetRequiredValue(names))
            {
                await DescribeAsync(admin, name, stop);
            }
            return Exit.Done;
        });
        return verb;
    }

    private static async Task DescribeAsync(AdminClient admin, string name, CancellationToken stop)
    {
        TopicMetadata topic = await admin.DescribeTopicAsync(name, stop);
        IEnumerable<ConfigEntry> settings = (await admin.DescribeConfigsAsync(ConfigResourceType.Topic, name, stop)).Where(entry => !entry.IsDefault && entry.Value is not null);
        Console.WriteLine($"{topic.Name}: id {topic.TopicId}, {topic.Partitions.Count} partition{(topic.Partitions.Count == 1 ? "" : "s")}");
        foreach (ConfigEntry? setting in settings)
        {
            Console.WriteLine($"  {setting.Name}={setting.Value}");
        }
        var table = new TextTable("PARTITION", "LEADER", "EPOCH", "REPLICAS", "IN SYNC", "START", "END");
        foreach (PartitionMetadata partition in topic.Partitions)
        {
            var at = new TopicPartition(name, partition.Index);
            table.Add(partition.Index, partition.LeaderId, partition.LeaderEpoch, string.Join(',', partition.Replicas), string.Join(',', partition.InSyncReplicas),
                (await admin.OffsetAsync(at, OffsetSpec.Earliest, stop)).Offset, (await admin.OffsetAsync(at, OffsetSpec.Latest, stop)).Offset);
        }
        table.Print();
    }

    private static Verb Delete()
    {
        var names = new Argument<string[]>("TOPIC") { Description = "One or more topics", Arity = ArgumentArity.OneOrMore };
        var verb = new Verb("delete", "Delete topics and all their records.", "logpipe topics delete scratch") { names };
        verb.Does(async (parsed, stop) =>
        {
            await using ClusterClient cluster = Brokers.Connect(parsed, Bootstrap, Config);
            string[] topics = parsed.GetRequiredValue(names);
            Check(await new AdminClient(cluster).DeleteTopicsAsync(topics, stop));
            Console.WriteLine($"deleted {string.Join(", ", topics)}");
            return Exit.Done;
        });
        return verb;
    }

    private static async Task<long> CountAsync(AdminClient admin, TopicPartition partition, CancellationToken stop)
        => (await admin.OffsetAsync(partition, OffsetSpec.Latest, stop)).Offset - (await admin.OffsetAsync(partition, OffsetSpec.Earliest, stop)).Offset;

    private static void Check(IReadOnlyList<Outcome> outcomes)
    {
        foreach (Outcome outcome in outcomes.Where(outcome => outcome.Error != ErrorCode.None))
        {
            throw new BrokerErrorException(outcome.Error,
                string.Create(CultureInfo.InvariantCulture, $"{outcome.Name}: {outcome.Message ?? outcome.Error.ToString()} (error {(short)outcome.Error})"));
        }
    }
}
