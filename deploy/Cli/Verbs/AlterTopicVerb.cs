using System.CommandLine;
using LogPipeline.Client.Admin;
using LogPipeline.Client.Metadata;
using LogPipeline.Hosting.Configuration;

namespace LogPipeline.Cli.Verbs;

/// <summary><c>logpipe topics alter</c></summary>
internal static class AlterTopicVerb
{
    public static Verb Create(Option<string?> bootstrap, Option<string?> config)
    {
        var name = new Argument<string>("TOPIC") { Description = "The topic" };
        var partitions = new Option<int?>("--partitions", "-p") { Description = "How many it is to have, more than now", HelpName = "N" };
        var set = new Option<string[]>("--set") { Description = "A topic setting by Kafka's name; may be repeated", HelpName = "KEY=VALUE" };
        var unset = new Option<string[]>("--unset") { Description = "A setting that the broker is to decide again; may be repeated", HelpName = "KEY" };
        var verb = new Verb("alter", "Change a topic: settings, and more partitions. Settings are in force at once.",
            "logpipe topics alter web_log --set retention.ms=86400000",
            "logpipe topics alter web_log --partitions 8 --unset segment.bytes") { name, partitions, set, unset };
        verb.Does(async (parsed, stop) =>
        {
            List<ConfigChange> changes =
            [
                .. Settings.Parse(parsed.GetValue(set)).Select(setting => new ConfigChange(setting.Key, setting.Value)),
                .. (parsed.GetValue(unset) ?? []).Select(key => new ConfigChange(key, null)),
            ];
            int? count = parsed.GetValue(partitions);
            if (count is null && changes.Count == 0)
            {
                throw new ConfigurationException("nothing to change: give --partitions, --set or --unset");
            }
            await using ClusterClient cluster = Brokers.Connect(parsed, bootstrap, config);
            await AlterAsync(new AdminClient(cluster), parsed.GetRequiredValue(name), count, changes, stop);
            return Exit.Done;
        });
        return verb;
    }

    // Settings first: they are refused more often than partitions, and what was refused has changed nothing.
    private static async Task AlterAsync(AdminClient admin, string topic, int? partitions, List<ConfigChange> changes, CancellationToken stop)
    {
        if (changes.Count > 0)
        {
            string? remark = await admin.AlterConfigsAsync(ConfigResourceType.Topic, topic, changes, stop);
            changes.ForEach(change => Console.WriteLine(change.Value is null ? $"{topic}: unset {change.Name}" : $"{topic}: set {change.Name}={change.Value}"));
            if (remark is not null)
            {
                Console.WriteLine($"{topic}: {remark}");
            }
        }
        if (partitions is { } count)
        {
            await admin.CreatePartitionsAsync(topic, count, stop);
            Console.WriteLine($"{topic}: {count} partitions");
        }
    }
}
