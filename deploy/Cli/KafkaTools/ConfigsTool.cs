using System.CommandLine;
using LogPipeline.Client.Admin;
using LogPipeline.Client.Metadata;
using LogPipeline.Protocol;

namespace LogPipeline.Cli.KafkaTools;

/// <summary><c>kafka-configs</c>, for topics and brokers; the other entities of Kafka's have nothing to configure here.</summary>
internal static class ConfigsTool
{
    private static readonly ClusterOptions Cluster = new();
    private static readonly Option<string?> EntityType = new("--entity-type") { Description = "topics or brokers", HelpName = "TYPE" };
    private static readonly Option<string?> EntityName = new("--entity-name") { Description = "A topic, or a broker's number", HelpName = "NAME" };
    private static readonly Option<bool> EntityDefault = new("--entity-default", "--broker-defaults") { Description = "What counts for all brokers of the cluster" };
    private static readonly Option<string?> Topic = new("--topic") { Description = "The topic", HelpName = "NAME" };
    private static readonly Option<string?> Broker = new("--broker") { Description = "The broker's number", HelpName = "N" };
    private static readonly Option<bool> All = new("--all") { Description = "With --describe: defaults too" };
    private static readonly Option<string?> AddConfig = new("--add-config") { Description = "Settings to give: k1=v1,k2=[v1,v2]", HelpName = "PAIRS" };
    private static readonly Option<string?> AddConfigFile = new("--add-config-file") { Description = "The same from a properties file", HelpName = "FILE" };
    private static readonly Option<string?> DeleteConfig = new("--delete-config") { Description = "Settings to take back: k1,k2", HelpName = "KEYS" };

    /// <summary>Options of Kafka's that name an entity which has nothing to configure here, with its type.</summary>
    private static readonly (Option Option, string Type)[] Elsewhere =
    [
        (new Option<string?>("--client"), "clients"), (new Option<bool>("--client-defaults"), "clients"),
        (new Option<string?>("--user"), "users"), (new Option<bool>("--user-defaults"), "users"),
        (new Option<string?>("--ip"), "ips"), (new Option<bool>("--ip-defaults"), "ips"),
        (new Option<string?>("--broker-logger"), "broker-loggers"), (new Option<string?>("--client-metrics"), "client-metrics"), (new Option<string?>("--group"), "groups"),
    ];

    private static readonly Option<bool> Force = new("--force") { Description = "Ask nothing back, as without it" };

    public static Command Create()
    {
        var tool = new KafkaTool("configs", "Show and change settings of topics and brokers (kafka-configs).",
            "logpipe kafka configs --describe --entity-type topics --entity-name web_log --bootstrap-server 127.0.0.1:9092",
            "logpipe kafka configs --alter --topic web_log --add-config retention.ms=86400000");
        tool.AddAction("--describe", "Show settings that were given, or with --all those in force", DescribeAsync);
        tool.AddAction("--alter", "Change settings", AlterAsync);
        tool.RunsOneAction();
        Cluster.AddTo(tool);
        foreach (Option option in new Option[] { EntityType, EntityName, EntityDefault, Topic, Broker, Force })
        {
            tool.Options.Add(option);
        }
        tool.AddOption(All, "--describe");
        tool.AddOption(AddConfig, "--alter");
        tool.AddOption(AddConfigFile, "--alter");
        tool.AddOption(DeleteConfig, "--alter");
        foreach ((Option option, string type) in Elsewhere)
        {
            option.Description = $"Refused: {WhyNot(type)}";
            tool.Options.Add(option);
        }
        return tool;
    }

    private static async Task<int> DescribeAsync(ParseResult parsed, CancellationToken stop)
    {
        (ConfigResourceType type, string? name) = Entity(parsed);
        await using ClusterClient cluster = Cluster.Connect(parsed);
        var admin = new AdminClient(cluster);
        List<string> names = name is not null ? [name]
            : type == ConfigResourceType.Topic ? [.. (await admin.ListTopicsAsync(stop)).Select(static topic => topic.Name)]
            : [.. (await admin.DescribeClusterAsync(stop)).Brokers.Select(static broker => $"{broker.NodeId}"), ""];
        foreach (string one in names)
        {
            bool all = parsed.GetValue(All);
            IReadOnlyList<ConfigEntry> settings = await admin.DescribeConfigsAsync(type, one, stop);
            Console.WriteLine(one.Length == 0 ? "Default configs for brokers in the cluster are:"
                : $"{(all ? "All" : "Dynamic")} configs for {(type == ConfigResourceType.Topic ? "topic" : "broker")} {one} are:");
            foreach (ConfigEntry setting in settings.Where(setting => all || setting.Source == GivenTo(type, one)))
            {
                Console.WriteLine($"  {setting.Name}={setting.Value ?? "null"} sensitive={(setting.IsSensitive ? "true" : "false")} synonyms={{{string.Join(", ", setting.Values.Select(Synonym))}}}");
            }
        }
        return Exit.Done;
    }

    private static async Task<int> AlterAsync(ParseResult parsed, CancellationToken stop)
    {
        (ConfigResourceType type, string? name) = Entity(parsed);
        if (name is null)
        {
            throw new KafkaToolException("an entity name must be specified with --alter");
        }
        Dictionary<string, string> add = parsed.GetValue(AddConfigFile) is { } file ? JavaProperties.ReadFile(file) : new(StringComparer.Ordinal);
        foreach ((string key, string value) in JavaProperties.Pairs("--add-config", SplitOutsideBrackets(parsed.GetValue(AddConfig))))
        {
            add[key] = value.Trim('[', ']');
        }
        List<string> delete = SplitOutsideBrackets(parsed.GetValue(DeleteConfig));
        if (add.Count + delete.Count == 0)
        {
            throw new KafkaToolException("At least one of --add-config, --add-config-file, or --delete-config must be specified with --alter");
        }
        await using ClusterClient cluster = Cluster.Connect(parsed);
        var admin = new AdminClient(cluster);
        await RequireGivenAsync(admin, type, name, delete, stop);
        string? remark = await admin.AlterConfigsAsync(
            type, name, [.. add.Select(static pair => new ConfigChange(pair.Key, pair.Value)), .. delete.Select(static key => new ConfigChange(key, null))], stop);
        Console.WriteLine(name.Length == 0 ? "Completed updating default config for brokers in the cluster."
            : $"Completed updating config for {(type == ConfigResourceType.Topic ? "topic" : "broker")} {name}.");
        if (!string.IsNullOrEmpty(remark))
        {
            Console.Error.WriteLine($"WARN {remark}");
        }
        return Exit.Done;
    }

    private static async Task RequireGivenAsync(AdminClient admin, ConfigResourceType type, string name, List<string> delete, CancellationToken stop)
    {
        if (delete.Count == 0)
        {
            return;
        }
        HashSet<string> given = [.. (await admin.DescribeConfigsAsync(type, name, stop)).Where(setting => setting.Source == GivenTo(type, name)).Select(static setting => setting.Name)];
        List<string> unknown = [.. delete.Where(key => !given.Contains(key))];
        if (unknown.Count > 0)
        {
            throw new KafkaToolException($"Invalid config(s): {string.Join(",", unknown)}", JavaException.NameOf(ErrorCode.InvalidConfig));
        }
    }

    // The entity and its name; null for all of them.
    private static (ConfigResourceType Type, string? Name) Entity(ParseResult parsed)
    {
        string? type = parsed.GetValue(Topic) is not null ? "topics" : parsed.GetValue(Broker) is not null ? "brokers"
            : Elsewhere.FirstOrDefault(other => parsed.GetResult(other.Option) is { Implicit: false }).Type
            ?? parsed.GetValue(EntityType);
        string? name = parsed.GetValue(EntityDefault) ? "" : parsed.GetValue(Topic) ?? parsed.GetValue(Broker) ?? parsed.GetValue(EntityName);
        return type switch
        {
            "topics" when name?.Length == 0 => throw new KafkaToolException("topics have no default entity: set the broker's defaults"),
            "topics" => (ConfigResourceType.Topic, name),
            "brokers" => (ConfigResourceType.Broker, name),
            null when name?.Length == 0 => (ConfigResourceType.Broker, name),
            null => throw new KafkaToolException("At least one entity type must be specified with --entity-type, --topic or --broker"),
            _ => throw new KafkaToolException($"Invalid entity type {type}, the entity type must be one of topics and brokers: {WhyNot(type)}"),
        };
    }

    private static string WhyNot(string type) => type switch
    {
        "clients" or "users" or "ips" => "there are no users and no quotas here",
        "broker-loggers" => "single loggers have no levels here, --log-level sets that of the broker",
        "client-metrics" => "clients send no metrics here",
        "groups" => "groups have no settings of their own, those of the broker that begin with group. and offsets. count",
        _ => "nothing else has settings",
    };

    private static ConfigSource GivenTo(ConfigResourceType type, string name) =>
        type == ConfigResourceType.Topic ? ConfigSource.Topic : name.Length == 0 ? ConfigSource.AllBrokers : ConfigSource.Broker;

    private static string Synonym(ConfigValue value) => $"{value.Source switch
    {
        ConfigSource.Topic => "DYNAMIC_TOPIC_CONFIG",
        ConfigSource.Broker => "DYNAMIC_BROKER_CONFIG",
        ConfigSource.AllBrokers => "DYNAMIC_DEFAULT_BROKER_CONFIG",
        ConfigSource.BrokersFile => "STATIC_BROKER_CONFIG",
        ConfigSource.Default => "DEFAULT_CONFIG",
        _ => "UNKNOWN",
    }}:{value.Name}={value.Value ?? "null"}";

    // k1=v1,k2=[v1,v2] has two parts.
    private static List<string> SplitOutsideBrackets(string? text)
    {
        var parts = new List<string>();
        (int begin, int depth) = (0, 0);
        for (int i = 0; i <= (text ?? "").Length; i++)
        {
            if (i == text?.Length || (text?[i] == ',' && depth == 0))
            {
                parts.Add(text![begin..i].Trim());
                begin = i + 1;
            }
            else
            {
                depth += text?[i] switch { '[' => 1, ']' => -1, _ => 0 };
            }
        }
        parts.RemoveAll(static part => part.Length == 0);
        return parts;
    }
}
