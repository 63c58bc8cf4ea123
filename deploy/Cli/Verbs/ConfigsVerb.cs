using System.CommandLine;
using LogPipeline.Cli.Printing;
using LogPipeline.Client.Admin;
using LogPipeline.Client.Metadata;
using LogPipeline.Hosting.Configuration;

namespace LogPipeline.Cli.Verbs;

/// <summary><c>logpipe configs list|alter</c>: settings of topics and brokers by Kafka's names; and <c>logpipe topics configs</c>.</summary>
internal static class ConfigsVerb
{
    private static readonly Option<string?> Bootstrap = SharedOptions.Bootstrap();
    private static readonly Option<string?> Config = SharedOptions.Config();
    private static readonly Option<string?> Topic = new("--topic", "-t") { Description = "Of this topic", HelpName = "TOPIC" };
    private static readonly Option<int?> Broker = new("--broker") { Description = "Of the broker with this number", HelpName = "N" };
    private static readonly Option<bool> AllBrokers = new("--brokers") { Description = "Of all brokers of the cluster" };

    public static Command Create()
    {
        var configs = new Verb("configs", "Show and change settings of topics and brokers while they run.",
            "logpipe configs list --broker 1 --all",
            "logpipe configs alter --brokers --set log.retention.ms=86400000") { List(), Alter() };
        foreach (Command verb in configs.Subcommands)
        {
            foreach (Option option in new Option[] { Topic, Broker, AllBrokers, Bootstrap, Config })
            {
                verb.Options.Add(option);
            }
        }
        return configs;
    }

    /// <summary><c>logpipe topics configs</c></summary>
    public static Verb OfTopic(Option<string?> bootstrap, Option<string?> config)
    {
        var name = new Argument<string>("TOPIC") { Description = "The topic" };
        Option<bool> all = All();
        var verb = new Verb("configs", "Show a topic's settings; `topics alter` changes them.", "logpipe topics configs web_log --all") { name, all };
        verb.Does(async (parsed, stop) =>
        {
            await using ClusterClient cluster = Brokers.Connect(parsed, bootstrap, config);
            return await PrintAsync(new AdminClient(cluster), ConfigResourceType.Topic, parsed.GetRequiredValue(name), parsed.GetValue(all), stop);
        });
        return verb;
    }

    private static Option<bool> All() => new("--all", "-a") { Description = "Defaults too" };

    private static Verb List()
    {
        Option<bool> all = All();
        var verb = new Verb("list", "Show the settings that differ from the default.", "logpipe configs list --topic web_log", "logpipe configs list --broker 1 --all") { all };
        verb.Does(async (parsed, stop) =>
        {
            (ConfigResourceType type, string name) = Entity(parsed);
            await using ClusterClient cluster = Brokers.Connect(parsed, Bootstrap, Config);
            return await PrintAsync(new AdminClient(cluster), type, name, parsed.GetValue(all), stop);
        });
        return verb;
    }

    private static Verb Alter()
    {
        var set = new Option<string[]>("--set") { Description = "A setting; may be repeated", HelpName = "KEY=VALUE" };
        var unset = new Option<string[]>("--unset") { Description = "A setting that is to have its default again; may be repeated", HelpName = "KEY" };
        var verb = new Verb("alter", "Change settings; they are in force at once and outlive a restart.",
            "logpipe configs alter --broker 1 --set max.connections=500",
            "logpipe configs alter --topic web_log --unset retention.ms") { set, unset };
        verb.Does(async (parsed, stop) =>
        {
            (ConfigResourceType type, string name) = Entity(parsed);
            List<ConfigChange> changes =
            [
                .. Settings.Parse(parsed.GetValue(set)).Select(static setting => new ConfigChange(setting.Key, setting.Value)),
                .. (parsed.GetValue(unset) ?? []).Select(static key => new ConfigChange(key, null)),
            ];
            if (changes.Count == 0)
            {
                throw new ConfigurationException("nothing to change: give --set or --unset");
            }
            await using ClusterClient cluster = Brokers.Connect(parsed, Bootstrap, Config);
            string? remark = await new AdminClient(cluster).AlterConfigsAsync(type, name, changes, stop);
            changes.ForEach(static change => Console.WriteLine(change.Value is null ? $"unset {change.Name}" : $"set {change.Name}={change.Value}"));
            if (remark is not null)
            {
                Console.WriteLine(remark);
            }
            return Exit.Done;
        });
        return verb;
    }

    private static (ConfigResourceType Type, string Name) Entity(ParseResult parsed) =>
        (parsed.GetValue(Topic), parsed.GetValue(Broker), parsed.GetValue(AllBrokers)) switch
        {
            ({ } topic, null, false) => (ConfigResourceType.Topic, topic),
            (null, { } broker, false) => (ConfigResourceType.Broker, broker.ToString(System.Globalization.CultureInfo.InvariantCulture)),
            (null, null, true) => (ConfigResourceType.Broker, ""),
            _ => throw new ConfigurationException("say whose settings: one of --topic TOPIC, --broker N or --brokers"),
        };

    private static async Task<int> PrintAsync(AdminClient admin, ConfigResourceType type, string name, bool all, CancellationToken stop)
    {
        var table = new TextTable("SETTING", "VALUE", "FROM");
        foreach (ConfigEntry setting in (await admin.DescribeConfigsAsync(type, name, stop)).Where(setting => all || !setting.IsDefault))
        {
            table.Add(setting.Name, setting.IsSensitive ? "(secret)" : setting.Value, From(setting.Source));
        }
        table.Print();
        return Exit.Done;
    }

    private static string From(ConfigSource source) => source switch
    {
        ConfigSource.Topic => "topic",
        ConfigSource.Broker => "broker, changed",
        ConfigSource.AllBrokers => "all brokers, changed",
        ConfigSource.BrokersFile => "broker's configuration",
        _ => "default",
    };
}
