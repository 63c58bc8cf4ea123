using System.Collections.Immutable;
using System.Globalization;
using LogPipeline.Broker.Cluster.Records;
using LogPipeline.Broker.Listeners;
using LogPipeline.Broker.Settings;

namespace LogPipeline.Broker.Cluster;

/// <summary>
/// All that is decided about the cluster at one moment: what the metadata log says up to some offset. Handlers answer from it. It is
/// immutable and replaced whole, so an answer never mixes two moments.
/// </summary>
internal sealed record ClusterImage
{
    private static readonly ImmutableSortedDictionary<string, string> NoConfigs =
        ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal);

    public required string ClusterId { get; init; }

    /// <summary>The offset of the last record of the metadata log that counts here; -1 before the first.</summary>
    public long Offset { get; init; } = -1;

    /// <summary>The registered brokers, by node id.</summary>
    public ImmutableSortedDictionary<int, BrokerImage> Brokers { get; init; } = ImmutableSortedDictionary<int, BrokerImage>.Empty;

    /// <summary>The topics, by name in ordinal order.</summary>
    public ImmutableSortedDictionary<string, TopicImage> Topics { get; init; } =
        ImmutableSortedDictionary.Create<string, TopicImage>(StringComparer.Ordinal);

    /// <summary>Levels of the cluster's features, by name.</summary>
    public ImmutableSortedDictionary<string, short> Features { get; init; } =
        ImmutableSortedDictionary.Create<string, short>(StringComparer.Ordinal);

    /// <summary>
    /// Topics that were deleted and whose logs may still be there, by name. A snapshot does not keep them, so none is taken before their
    /// logs are gone.
    /// </summary>
    public ImmutableDictionary<string, TopicImage> Removed { get; init; } = ImmutableDictionary<string, TopicImage>.Empty;

    private ImmutableDictionary<Guid, string> NamesById { get; init; } = ImmutableDictionary<Guid, string>.Empty;

    private ImmutableDictionary<ConfigResource, ImmutableSortedDictionary<string, string>> Configs { get; init; } =
        ImmutableDictionary<ConfigResource, ImmutableSortedDictionary<string, string>>.Empty;

    /// <summary>Any live broker can answer for the controller.</summary>
    public int ControllerId => Brokers.IsEmpty ? -1 : Brokers.Keys.First();

    public TopicImage? Find(string name) => Topics.GetValueOrDefault(name);

    public TopicImage? Find(Guid id) => NamesById.TryGetValue(id, out string? name) ? Topics[name] : null;

    /// <summary>The name of a topic that differs from a new one's in '.' against '_' only, which metrics cannot tell apart; null when there is none.</summary>
    public string? FindColliding(string name) =>
        TopicName.MayCollide(name) ? Topics.Keys.FirstOrDefault(other => TopicName.Collide(name, other)) : null;

    /// <summary>The broker that leads a partition; null when there is no such partition, or nobody leads it.</summary>
    public BrokerImage? LeaderOf(string topic, int partition) =>
        Find(topic) is { } found && (uint)partition < (uint)found.Partitions.Count
            ? Brokers.GetValueOrDefault(found.Partitions[partition].Leader)
            : null;

    /// <summary>The node that leads a partition; <see cref="PartitionState.NoLeader"/> where it is not there.</summary>
    public int LiveLeaderOf(PartitionState state) => Brokers.ContainsKey(state.Leader) ? state.Leader : PartitionState.NoLeader;

    /// <summary>The replicas of a partition that are not there; all of them while nobody leads it.</summary>
    public List<int> OfflineReplicasOf(PartitionState state) =>
        [.. state.Replicas.Where(node => LiveLeaderOf(state) == PartitionState.NoLeader || !Brokers.ContainsKey(node))];

    /// <summary>What was set for a resource, by name in ordinal order; not what it inherits.</summary>
    public ImmutableSortedDictionary<string, string> ConfigsOf(ConfigResource resource) => Configs.GetValueOrDefault(resource) ?? NoConfigs;

    /// <summary>The broker settings that were changed for a node and for all nodes.</summary>
    public DynamicSettings DynamicSettingsOf(int node) => new(ConfigsOf(ConfigResource.Broker(node)), ConfigsOf(ConfigResource.Cluster));

    /// <summary>The image after one more record of the metadata log.</summary>
    /// <exception cref="InvalidDataException">The record does not fit what is known: the log is not what it was.</exception>
    public ClusterImage With(IMetadataRecord record) => record switch
    {
        RegisterBrokerRecord broker => this with { Brokers = Brokers.SetItem(broker.BrokerId, ImageOf(broker)) },
        TopicRecord topic => With(topic),
        PartitionRecord partition => With(partition),
        PartitionChangeRecord change => With(change),
        ConfigRecord config => With(config),
        RemoveTopicRecord removal => With(removal),
        FeatureLevelRecord feature => With(feature),
        _ => throw new InvalidDataException($"Metadata records of type {record.Type} are not known here."),
    };

    /// <summary>The records that make this image from nothing, in an order in which they can be applied.</summary>
    public IEnumerable<IMetadataRecord> ToRecords()
    {
        foreach ((string name, short level) in Features)
        {
            yield return new FeatureLevelRecord { Name = name, FeatureLevel = level };
        }
        foreach (BrokerImage broker in Brokers.Values)
        {
            yield return RegisterBrokerRecord.Of(broker);
        }
        foreach (TopicImage topic in Topics.Values)
        {
            yield return new TopicRecord { Name = topic.Name, TopicId = topic.Id };
            for (int number = 0; number < topic.Partitions.Count; number++)
            {
                yield return PartitionRecord.Of(topic.Id, number, topic.Partitions[number]);
            }
        }
        foreach ((ConfigResource resource, ImmutableSortedDictionary<string, string> values) in Configs)
        {
            foreach ((string name, string value) in values)
            {
                yield return new ConfigRecord { ResourceType = resource.Type, ResourceName = resource.Name, Name = name, Value = value };
            }
        }
    }

    private static BrokerImage ImageOf(RegisterBrokerRecord broker) => new(
        broker.BrokerId,
        broker.BrokerEpoch,
        broker.EndPoints.ToDictionary(
            static address => address.Name, static address => new HostPort(address.Host, (ushort)address.Port), StringComparer.Ordinal));

    private ClusterImage With(FeatureLevelRecord record) => record.IsKnown
        ? this with { Features = Features.SetItem(record.Name, record.FeatureLevel) }
        : throw Unfit(record, $"feature {record.Name} at level {record.FeatureLevel} is not known here: start the program that wrote it");

    private ClusterImage With(TopicRecord record) => Topics.ContainsKey(record.Name) || NamesById.ContainsKey(record.TopicId)
        ? throw Unfit(record, $"topic {record.Name} is there already")
        : this with
        {
            Topics = Topics.Add(record.Name, new TopicImage(record.Name, record.TopicId, [])),
            NamesById = NamesById.Add(record.TopicId, record.Name),
            Removed = Removed.Remove(record.Name),
        };

    private ClusterImage With(PartitionRecord record)
    {
        TopicImage topic = Find(record.TopicId) ?? throw Unfit(record, $"no topic has id {record.TopicId}");
        return record.PartitionId == topic.Partitions.Count
            ? Replace(topic with { Partitions = topic.Partitions.Add(record.State) })
            : throw Unfit(record, $"partition {record.PartitionId} of {topic.Name} follows {topic.Partitions.Count} partitions");
    }

    private ClusterImage With(PartitionChangeRecord record)
    {
        TopicImage topic = Find(record.TopicId) ?? throw Unfit(record, $"no topic has id {record.TopicId}");
        if ((uint)record.PartitionId >= (uint)topic.Partitions.Count)
        {
            throw Unfit(record, $"{topic.Name} has no partition {record.PartitionId}");
        }
        PartitionState changed = record.Change(topic.Partitions[record.PartitionId]);
        return Replace(topic with { Partitions = topic.Partitions.SetItem(record.PartitionId, changed) });
    }

    private ClusterImage With(ConfigRecord record)
    {
        var resource = new ConfigResource(record.ResourceType, record.ResourceName);
        ImmutableSortedDictionary<string, string> values = record.Value is { } value
            ? ConfigsOf(resource).SetItem(record.Name, value)
            : ConfigsOf(resource).Remove(record.Name);
        return this with { Configs = values.IsEmpty ? Configs.Remove(resource) : Configs.SetItem(resource, values) };
    }

    private ClusterImage With(RemoveTopicRecord record)
    {
        TopicImage topic = Find(record.TopicId) ?? throw Unfit(record, $"no topic has id {record.TopicId}");
        return this with
        {
            Topics = Topics.Remove(topic.Name),
            NamesById = NamesById.Remove(topic.Id),
            Configs = Configs.Remove(ConfigResource.Topic(topic.Name)),
            Removed = Removed.SetItem(topic.Name, topic),
        };
    }

    private ClusterImage Replace(TopicImage topic) => this with { Topics = Topics.SetItem(topic.Name, topic) };

    private static InvalidDataException Unfit(IMetadataRecord record, string reason) =>
        new(string.Create(CultureInfo.InvariantCulture, $"A metadata record of type {record.Type} does not fit: {reason}."));
}
