using LogPipeline.Broker.Cluster;
using LogPipeline.Broker.Partitions;
using LogPipeline.Broker.Settings;

namespace LogPipeline.Broker.Topics;

/// <summary>A topic being served; immutable: the registry replaces it when partitions are added or its settings change.</summary>
internal sealed class Topic(string name, Guid id, TopicSettings settings, IReadOnlyList<Partition> partitions)
{
    public string Name => name;

    public Guid Id => id;

    public TopicSettings Settings => settings;

    /// <summary>Its partitions, by number.</summary>
    public IReadOnlyList<Partition> Partitions => partitions;

    public bool IsInternal { get; } = TopicName.IsInternal(name);

    /// <summary>The partition of that number, or null.</summary>
    public Partition? Partition(int number) => (uint)number < (uint)partitions.Count ? partitions[number] : null;
}
