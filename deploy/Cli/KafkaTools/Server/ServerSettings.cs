using LogPipeline.Broker;
using LogPipeline.Broker.Settings;
using LogPipeline.Files;

namespace LogPipeline.Cli.KafkaTools.Server;

/// <summary>
/// Makes the broker's options of what a server.properties says. Its rule for what the broker here has not:
/// <list type="bullet">
/// <item>ZooKeeper's keys are named in one warning and ignored, and so are Kafka's that change nothing here: the file stays as it is.</item>
/// <item>What would guard the cluster and cannot be had refuses the start: ignored, it would leave open what its owner thinks closed.</item>
/// <item>A name that Kafka never had is a mistake and refuses the start: nobody would notice that it does not count.</item>
/// </list>
/// </summary>
internal static class ServerSettings
{
    /// <summary>Kafka's own default.</summary>
    private const string DefaultData = "/tmp/kafka-logs";

    /// <param name="given">All settings, by Kafka's names.</param>
    /// <param name="warn">Told of what is ignored.</param>
    /// <exception cref="KafkaToolException">A setting cannot be had.</exception>
    public static BrokerOptions Read(IReadOnlyDictionary<string, string> given, Action<string> warn)
    {
        var settings = new Dictionary<string, string>(given, StringComparer.Ordinal);
        RefuseGuards(settings);
        List<string> zooKeeper = Take(settings, static name => name.StartsWith("zookeeper.", StringComparison.Ordinal));
        if (zooKeeper.Count > 0)
        {
            warn($"{string.Join(", ", zooKeeper)}: ignored, there is no ZooKeeper here and none is needed");
        }
        RenameOld(settings);
        DropControllers(settings);
        string data = Data(settings);
        List<string> idle = Take(settings, static name => !BrokerSettings.IsKnown(name) && KafkaSettingNames.Contains(name));
        if (idle.Count > 0)
        {
            warn($"{string.Join(", ", idle)}: ignored, what {(idle.Count == 1 ? "it sets" : "they set")} in Apache Kafka is not there or needs no setting here");
        }
        if (settings.Keys.Order(StringComparer.Ordinal).FirstOrDefault(static name => !BrokerSettings.IsKnown(name)) is { } unknown)
        {
            string? near = NearestName.Find(unknown, BrokerSettings.Names.Concat(KafkaSettingNames.Others));
            throw Refused($"Unknown setting {unknown}{(near is null ? "" : $"; did you mean {near}?")}");
        }
        return new BrokerOptions { DataDirectory = data, Listen = ":9092", Settings = settings };
    }

    private static void RefuseGuards(Dictionary<string, string> settings)
    {
        foreach (string name in settings.Keys.Where(static name => name is "authorizer.class.name" or "create.topic.policy.class.name" or "alter.config.policy.class.name"))
        {
            if (settings[name].Length > 0)
            {
                throw Refused($"{name}={settings[name]} cannot be had here: there are no access rules yet. Take it out of the file if nobody is to be kept out.");
            }
        }
        if (settings.Remove("security.inter.broker.protocol", out string? protocol) && protocol != "PLAINTEXT")
        {
            throw Refused($"security.inter.broker.protocol={protocol} cannot be had here: only PLAINTEXT is there yet.");
        }
        Take(settings, static name => name is "authorizer.class.name" or "create.topic.policy.class.name" or "alter.config.policy.class.name");
    }

    // Names that Kafka has given up, by those that came after them. The newer one counts where both are there.
    private static void RenameOld(Dictionary<string, string> settings)
    {
        if (settings.Remove("broker.id", out string? id) && !id.StartsWith('-'))
        {
            settings.TryAdd("node.id", id);
        }
        Address("host.name", "port", "listeners");
        Address("advertised.host.name", "advertised.port", "advertised.listeners");

        void Address(string host, string port, string listeners)
        {
            bool any = settings.Remove(host, out string? name) | settings.Remove(port, out string? number);
            if (any)
            {
                settings.TryAdd(listeners, $"PLAINTEXT://{name}:{number ?? "9092"}");
            }
        }
    }

    // A broker with controllers elsewhere names their listener without serving it; here it is its own controller.
    private static void DropControllers(Dictionary<string, string> settings)
    {
        string[] roles = settings.GetValueOrDefault("process.roles", "broker,controller").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        if (roles is ["controller"])
        {
            throw Refused("process.roles=controller: a node here is always its own controller and serves clients too; start only the broker.");
        }
        if (!roles.Contains("controller", StringComparer.Ordinal))
        {
            settings.Remove("controller.listener.names");
        }
    }

    private static string Data(Dictionary<string, string> settings)
    {
        bool several = settings.Remove("log.dirs", out string? dirs);
        bool single = settings.Remove("log.dir", out string? dir);
        string[] all = (several ? dirs! : single ? dir! : DefaultData).Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        return all.Length == 1
            ? all[0]
            : throw Refused($"log.dirs={dirs}: one data directory is served, name {(all.Length == 0 ? "it" : "one of them")}.");
    }

    private static List<string> Take(Dictionary<string, string> settings, Func<string, bool> isWanted)
    {
        List<string> names = [.. settings.Keys.Where(isWanted).Order(StringComparer.Ordinal)];
        names.ForEach(name => settings.Remove(name));
        return names;
    }

    private static KafkaToolException Refused(string message) => new(message, "org.apache.kafka.common.config.ConfigException");
}
