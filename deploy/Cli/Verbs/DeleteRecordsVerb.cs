using System.CommandLine;
using LogPipeline.Cli.Printing;
using LogPipeline.Client;
using LogPipeline.Client.Admin;
using LogPipeline.Client.Metadata;
using LogPipeline.Hosting.Configuration;

namespace LogPipeline.Cli.Verbs;

/// <summary><c>logpipe records delete</c>, and <c>logpipe topics delete-records</c> as it was called before.</summary>
internal static class DeleteRecordsVerb
{
    private static readonly Option<string?> Bootstrap = SharedOptions.Bootstrap();
    private static readonly Option<string?> Config = SharedOptions.Config();

    /// <summary>The verb <c>records</c>.</summary>
    public static Verb CreateRecords()
    {
        Verb delete = Create("delete", Bootstrap, Config);
        delete.Options.Add(Bootstrap);
        delete.Options.Add(Config);
        return new Verb("records", "Delete a topic's oldest records.", "logpipe records delete web_log --before 250000 --partition 0") { delete };
    }

    /// <summary>The name before, kept for scripts.</summary>
    public static Verb CreateFormer(Option<string?> bootstrap, Option<string?> config)
    {
        Verb former = Create("delete-records", bootstrap, config);
        former.Hidden = true;
        return former;
    }

    private static Verb Create(string word, Option<string?> bootstrap, Option<string?> config)
    {
        var name = new Argument<string>("TOPIC") { Description = "The topic" };
        var before = new Option<long?>("--before") { Description = "Delete what lies before this offset", HelpName = "OFFSET" };
        var all = new Option<bool>("--all") { Description = "Delete all records that are there now" };
        var partition = new Option<int?>("--partition", "-p") { Description = "Of this partition alone", HelpName = "N" };
        var verb = new Verb(word, "Delete a topic's oldest records; consumers and sinks go on at its new start.",
            "logpipe records delete web_log --before 250000 --partition 0",
            "logpipe records delete scratch --all") { name, before, all, partition };
        verb.Does(async (parsed, stop) =>
        {
            long? offset = parsed.GetValue(before);
            if (offset is null != parsed.GetValue(all))
            {
                throw new ConfigurationException("say which records: give --before OFFSET or --all");
            }
            await using ClusterClient cluster = Brokers.Connect(parsed, bootstrap, config);
            await DeleteAsync(new AdminClient(cluster), parsed.GetRequiredValue(name), parsed.GetValue(partition), offset, stop);
            return Exit.Done;
        });
        return verb;
    }

    private static async Task DeleteAsync(AdminClient admin, string name, int? only, long? before, CancellationToken stop)
    {
        TopicMetadata topic = await admin.DescribeTopicAsync(name, stop);
        if (only is { } number && topic.Partitions.All(partition => partition.Index != number))
        {
            throw new ConfigurationException($"{name} has no partition {number}; it has {topic.Partitions.Count}");
        }
        var table = new TextTable("PARTITION", "START", "END");
        foreach (PartitionMetadata partition in topic.Partitions.Where(partition => only is null || partition.Index == only))
        {
            var at = new TopicPartition(name, partition.Index);
            long end = (await admin.OffsetAsync(at, OffsetSpec.Latest, stop)).Offset;
            table.Add(partition.Index, await admin.DeleteRecordsAsync(at, before ?? end, stop), end);
        }
        table.Print();
    }
}
