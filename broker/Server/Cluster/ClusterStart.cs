using LogPipeline.Broker.Cluster.Records;
using LogPipeline.Storage;

namespace LogPipeline.Broker.Cluster;

/// <summary>What a broker decides when it starts: it registers, and leads anew what it can lead.</summary>
internal static class ClusterStart
{
    /// <summary>
    /// The records of a directory's first start with a metadata log. Topics, their ids and their settings are those of the registry file;
    /// the leader epoch goes on where the process-wide one of earlier versions was.
    /// </summary>
    public static List<IMetadataRecord> FirstLife(BrokerImage broker, IReadOnlyList<TopicEntry> entries, DataDirectory directory)
    {
        var records = new List<IMetadataRecord>
        {
            new FeatureLevelRecord { Name = FeatureLevelRecord.MetadataVersion, FeatureLevel = FeatureLevelRecord.MetadataVersionLevel },
            RegisterBrokerRecord.Of(broker),
        };
        foreach (TopicEntry entry in entries.Where(static entry => !entry.Deleting))
        {
            records.AddRange(Topic(broker.Id, entry.Name, entry.Id, entry.Partitions, directory));
            records.AddRange(ConfigRecord.First(ConfigResource.Topic(entry.Name), entry.Settings));
        }
        var known = entries.Select(static entry => entry.Name).ToHashSet(StringComparer.Ordinal);
        records.AddRange(Adopted(broker.Id, directory, log => !known.Contains(log.Topic)));
        return records;
    }

    /// <summary>
    /// The records of any later start: each leader epoch rises, so that a client can tell that the log's tail may have been cut.
    /// </summary>
    public static List<IMetadataRecord> NextLife(BrokerImage broker, ClusterImage image, DataDirectory directory)
    {
        var records = new List<IMetadataRecord> { RegisterBrokerRecord.Of(broker) };
        HashSet<(Guid, int)> open = [.. directory.Logs.Select(static log => (log.TopicId, log.Partition))];
        foreach (TopicImage topic in image.Topics.Values)
        {
            for (int number = 0; number < topic.Partitions.Count; number++)
            {
                bool canLead = open.Contains((topic.Id, number));
                if (canLead || topic.Partitions[number].Leader == broker.Id)
                {
                    int leader = canLead ? broker.Id : PartitionState.NoLeader;
                    records.Add(new PartitionChangeRecord { TopicId = topic.Id, PartitionId = number, Leader = leader });
                }
            }
        }
        records.AddRange(Adopted(broker.Id, directory, log => image.Find(log.TopicId) is null));
        return records;
    }

    /// <summary>A topic and its partitions, led here where their logs are open.</summary>
    public static IEnumerable<IMetadataRecord> Topic(int node, string name, Guid id, int partitions, DataDirectory directory)
    {
        HashSet<int> open = [.. directory.Logs.Where(log => log.TopicId == id).Select(static log => log.Partition)];
        yield return new TopicRecord { Name = name, TopicId = id };
        for (int number = 0; number < partitions; number++)
        {
            PartitionState state = PartitionState.Single(node, directory.LeaderEpoch);
            yield return PartitionRecord.Of(id, number, open.Contains(number) ? state : state with { Leader = PartitionState.NoLeader });
        }
    }

    // Logs that no record names: another broker's data, or the records were lost. Nothing is thrown away.
    private static IEnumerable<IMetadataRecord> Adopted(int node, DataDirectory directory, Func<PartitionLog, bool> isUnknown) =>
        from log in directory.Logs
        where log.Topic != DataDirectory.MetadataTopic && isUnknown(log)
        group log.Partition by (log.Topic, log.TopicId) into topic
        from record in Topic(node, topic.Key.Topic, topic.Key.TopicId, PartitionsOf(topic.Key.TopicId, topic.Max(), directory), directory)
        select record;

    private static int PartitionsOf(Guid id, int largest, DataDirectory directory) =>
        1 + directory.OfflineLogs.Where(log => log.TopicId == id).Select(static log => log.Partition).Append(largest).Max();
}
