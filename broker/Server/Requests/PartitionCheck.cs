using LogPipeline.Broker.Topics;
using LogPipeline.Protocol;
using LogPipeline.Storage;

namespace LogPipeline.Broker.Requests;

/// <summary>What every request that reads a partition asks first.</summary>
internal static class PartitionCheck
{
    /// <summary>Whether a client that believes in <paramref name="epoch"/> (-1: does not say) may read here.</summary>
    public static ErrorCode LeaderEpoch(PartitionLog log, int epoch) =>
        epoch < 0 || epoch == log.LeaderEpoch ? ErrorCode.None
        : epoch < log.LeaderEpoch ? ErrorCode.FencedLeaderEpoch
        : ErrorCode.UnknownLeaderEpoch;

    /// <summary>The partition of a topic by name, and whether the client may read it; no partition when it may not.</summary>
    public static ErrorCode Find(TopicRegistry topics, string name, int number, int epoch, out PartitionLog log)
    {
        log = topics.Find(name)?.Partition(number)?.Log!;
        return log is null ? ErrorCode.UnknownTopicOrPartition : LeaderEpoch(log, epoch);
    }
}
