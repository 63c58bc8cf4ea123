using LogPipeline.Broker.Partitions;
using LogPipeline.Broker.Topics;
using LogPipeline.Protocol;

namespace LogPipeline.Broker.Requests;

/// <summary>What every request that reads a partition asks first.</summary>
internal static class PartitionCheck
{
    /// <summary>
    /// Finds a partition of a topic by name. Only where the answer is None may the client, which believes in leader epoch
    /// <paramref name="epoch"/> (-1: does not say), read it.
    /// </summary>
    public static ErrorCode Find(TopicRegistry topics, string name, int number, int epoch, out Partition partition)
    {
        partition = topics.Find(name)?.Partition(number)!;
        return partition is null ? ErrorCode.UnknownTopicOrPartition : partition.CheckLeader(epoch);
    }
}
