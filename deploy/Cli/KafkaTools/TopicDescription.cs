using System.CommandLine;
using System.Globalization;
using LogPipeline.Client.Admin;
using LogPipeline.Client.Metadata;

namespace LogPipeline.Cli.KafkaTools;

/// <summary>What <c>kafka-topics --describe</c> prints: a line for each topic, and one for each of its partitions.</summary>
internal static class TopicDescription
{
    private static readonly Option<bool> UnderReplicated = new("--under-replicated-partitions") { Description = "With --describe: partitions alone that miss a replica" };
    private static readonly Option<bool> Unavailable = new("--unavailable-partitions") { Description = "With --describe: partitions alone that have no leader" };
    private static readonly Option<bool> UnderMinIsr = new("--under-min-isr-partitions") { Description = "With --describe: partitions alone with fewer in-sync replicas than min.insync.replicas" };
    private static readonly Option<bool> AtMinIsr = new("--at-min-isr-partitions") { Description = "With --describe: partitions alone with just as many" };
    private static readonly Option<bool> WithOverrides = new("--topics-with-overrides") { Description = "With --describe: topics alone that have settings of their own" };

    public static void AddTo(KafkaTool tool)
    {
        foreach (Option<bool> option in new[] { UnderReplicated, Unavailable, UnderMinIsr, AtMinIsr, WithOverrides })
        {
            tool.AddOption(option, "--describe");
        }
    }

    public static async Task<int> PrintAsync(ParseResult parsed, CancellationToken stop)
    {
        await using ClusterClient cluster = TopicsTool.Connect(parsed);
        var admin = new AdminClient(cluster);
        bool some = parsed.GetValue(UnderReplicated) || parsed.GetValue(Unavailable) || parsed.GetValue(UnderMinIsr) || parsed.GetValue(AtMinIsr);
        foreach (TopicMetadata topic in await TopicsTool.FindAsync(parsed, admin, stop))
        {
            IReadOnlyList<ConfigEntry> settings = await admin.DescribeConfigsAsync(ConfigResourceType.Topic, topic.Name, stop);
            if (!some && (!parsed.GetValue(WithOverrides) || settings.Any(static setting => setting.Source == ConfigSource.Topic)))
            {
                PrintTopic(topic, settings);
            }
            if (!parsed.GetValue(WithOverrides))
            {
                int least = int.Parse(settings.FirstOrDefault(static setting => setting.Name == "min.insync.replicas")?.Value ?? "1", CultureInfo.InvariantCulture);
                PrintPartitions(topic, partition => !some || IsWanted(parsed, partition, least), some);
            }
        }
        return Exit.Done;
    }

    private static void PrintTopic(TopicMetadata topic, IEnumerable<ConfigEntry> settings)
    {
        string given = string.Join(',', settings.Where(static setting => setting.Source is not ConfigSource.Default && !setting.IsDefault).Select(static setting => $"{setting.Name}={setting.Value}"));
        int replicas = topic.Partitions.Count > 0 ? topic.Partitions[0].Replicas.Count : 0;
        Console.WriteLine($"Topic: {topic.Name}\tTopicId: {TextOf(topic.TopicId)}\tPartitionCount: {topic.Partitions.Count}\tReplicationFactor: {replicas}\tConfigs: {given}");
    }

    private static void PrintPartitions(TopicMetadata topic, Func<PartitionMetadata, bool> isWanted, bool alone)
    {
        foreach (PartitionMetadata partition in topic.Partitions.Where(isWanted))
        {
            string leader = partition.LeaderId < 0 ? "none" : partition.LeaderId.ToString(CultureInfo.InvariantCulture);
            Console.WriteLine($"{(alone ? "" : "\t")}Topic: {topic.Name}\tPartition: {partition.Index}\tLeader: {leader}\tReplicas: {string.Join(',', partition.Replicas)}"
                + $"\tIsr: {string.Join(',', partition.InSyncReplicas)}\tElr: \tLastKnownElr: ");
        }
    }

    private static bool IsWanted(ParseResult parsed, PartitionMetadata partition, int least) =>
        (parsed.GetValue(UnderReplicated) && partition.InSyncReplicas.Count < partition.Replicas.Count)
        || (parsed.GetValue(Unavailable) && partition.LeaderId < 0)
        || (parsed.GetValue(UnderMinIsr) && partition.InSyncReplicas.Count < least)
        || (parsed.GetValue(AtMinIsr) && partition.InSyncReplicas.Count == least);

    // Kafka writes ids as base64 for URLs, without padding, most significant byte first.
    private static string TextOf(Guid id) => Convert.ToBase64String(id.ToByteArray(bigEndian: true)).TrimEnd('=').Replace('+', '-').Replace('/', '_');
}
