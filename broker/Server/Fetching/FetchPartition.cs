using LogPipeline.Protocol.Messages;

namespace LogPipeline.Broker.Fetching;

/// <summary>Which partition a client reads: by name up to Fetch version 12, by topic id from 13 on.</summary>
internal readonly record struct FetchKey(string Topic, Guid TopicId, int Partition);

/// <summary>One partition that a client reads, and what it was last told of it.</summary>
internal sealed class FetchPartition(FetchKey key)
{
    public FetchKey Key => key;

    public long Offset { get; private set; }

    public int BytesMax { get; private set; }

    public int CurrentLeaderEpoch { get; private set; } = -1;

    public int LastFetchedEpoch { get; private set; } = -1;

    /// <summary>As last told in this session; -1 when never.</summary>
    public long ToldHighWatermark { get; set; } = -1;

    /// <summary>As last told in this session; -1 when never.</summary>
    public long ToldLogStartOffset { get; set; } = -1;

    /// <summary>The name of its topic when it was last found by its id; null before.</summary>
    public string? FoundName { get; set; }

    /// <summary>Set while its session puts its partitions in a new order; guarded by the session.</summary>
    public bool IsLeavingPlace { get; set; }

    public static FetchPartition Of(FetchRequest.Topic topic, FetchRequest.Topic.Partition asked)
    {
        var partition = new FetchPartition(new FetchKey(topic.Name, topic.TopicId, asked.Index));
        partition.Update(asked);
        return partition;
    }

    public void Update(FetchRequest.Topic.Partition asked)
    {
        Offset = asked.FetchOffset;
        BytesMax = asked.PartitionMaxBytes;
        CurrentLeaderEpoch = asked.CurrentLeaderEpoch;
        LastFetchedEpoch = asked.LastFetchedEpoch;
    }
}
