namespace LogPipeline.Agent.State;

/// <summary>Topic and partition as files were given them, in a fixed order.</summary>
internal readonly record struct TopicPartitionKey(string Topic, int Partition) : IComparable<TopicPartitionKey>
{
    public int CompareTo(TopicPartitionKey other)
    {
        int byTopic = string.CompareOrdinal(Topic, other.Topic);
        return byTopic != 0 ? byTopic : Partition.CompareTo(other.Partition);
    }
}

/// <summary>A producer being shut off: whatever it sent up to this epoch, exclusive, is settled by reading the log, not by asking.</summary>
internal sealed record FenceNote(TopicPartitionKey Key, long ProducerId, short Epoch)
{
    private const short OverEpoch = -1;

    /// <summary>Whether it says that the one before it is over.</summary>
    public bool IsOver => Epoch == OverEpoch;

    public FenceNote Ended() => this with { Epoch = OverEpoch };

    public void Write(StateWriter to)
    {
        to.String(Key.Topic);
        to.Int32(Key.Partition);
        to.Int64(ProducerId);
        to.Int16(Epoch);
    }

    public static FenceNote ReadFrom(ref StateReader from) =>
        new(new TopicPartitionKey(from.String(), from.Int32()), from.Int64(), from.Int16());
}
