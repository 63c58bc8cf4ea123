using LogPipeline.Broker.Settings;
using LogPipeline.Storage;

namespace LogPipeline.Broker.Topics;

/// <summary>A topic being served; immutable, since partitions cannot be added yet.</summary>
internal sealed class Topic(string name, Guid id, TopicSettings settings, IReadOnlyList<ServedPartition> partitions)
{
    public string Name => name;

    public Guid Id => id;

    public TopicSettings Settings => settings;

    /// <summary>Its partitions, by number.</summary>
    public IReadOnlyList<ServedPartition> Partitions => partitions;

    public bool IsInternal { get; } = TopicName.IsInternal(name);

    /// <summary>The partition of that number, or null.</summary>
    public ServedPartition? Partition(int number) => (uint)number < (uint)partitions.Count ? partitions[number] : null;
}

/// <summary>One partition: its log, and who waits for more of it.</summary>
internal sealed class ServedPartition
{
    public ServedPartition(PartitionLog log)
    {
        Log = log;
        Log.HighWatermarkMoved += _ => Readers.Wake();
    }

    public PartitionLog Log { get; }

    /// <summary>Fetches that hang on this partition.</summary>
    public WaitingReaders Readers { get; } = new();
}
