using LogPipeline.Client.Metadata;
using LogPipeline.Protocol.Messages;

namespace LogPipeline.Client.Consuming.Fetching;

/// <summary>What to ask one leader for: the offsets as they were when it was made.</summary>
internal sealed class FetchPlan(BrokerEndpoint leader)
{
    /// <summary>The last version that names topics; ids are used where all are known.</summary>
    public const short LastVersionByName = 12;

    public BrokerEndpoint Leader { get; } = leader;

    public List<Entry> Entries { get; } = [];

    public bool HasTopicIds => Entries.TrueForAll(e => e.TopicId != Guid.Empty);

    /// <summary>A full, sessionless request; the partitions keep their order, which is the order the broker fills them in.</summary>
    public FetchRequest Request(ConsumerOptions options)
    {
        var request = new FetchRequest
        {
            MaxWaitMs = (int)options.FetchWaitMax.TotalMilliseconds,
            MinBytes = options.FetchBytesMin,
            MaxBytes = options.FetchBytesMax,
            IsolationLevel = (sbyte)(options.ReadCommitted ? 1 : 0),
        };
        foreach (Entry entry in Entries)
        {
            FetchRequest.Topic? topic = request.Topics.Count > 0 ? request.Topics[^1] : null;
            if (topic is null || topic.Name != entry.State.Partition.Topic)
            {
                request.Topics.Add(topic = new FetchRequest.Topic { Name = entry.State.Partition.Topic, TopicId = entry.TopicId });
            }
            topic.Partitions.Add(new FetchRequest.Topic.Partition
            {
                Index = entry.State.Partition.Partition,
                FetchOffset = entry.Offset,
                CurrentLeaderEpoch = entry.LeaderEpoch,
                PartitionMaxBytes = options.PartitionBytesMax,
            });
        }
        return request;
    }

    public Entry? Find(FetchResponse.Response topic, int partition, bool byId)
    {
        foreach (Entry entry in Entries)
        {
            if (entry.State.Partition.Partition == partition && (byId ? entry.TopicId == topic.TopicId : entry.State.Partition.Topic == topic.Topic))
            {
                return entry;
            }
        }
        return null;
    }

    public sealed record Entry(PartitionState State, int Version, long Offset, int LeaderEpoch, Guid TopicId);

    /// <summary>
    /// Plans for all fetchable partitions, one for each leader that is not busy, beginning with the partition number
    /// <paramref name="turn"/> so that each is first now and then. Partitions whose leader is unknown go to <paramref name="leaderless"/>.
    /// </summary>
    public static List<FetchPlan> Make(
        IReadOnlyList<PartitionState> states, ClusterClient cluster, Func<BrokerEndpoint, bool> isBusy, int turn, ISet<string> leaderless)
    {
        List<FetchPlan> plans = [];
        for (int i = 0; i < states.Count; i++)
        {
            PartitionState state = states[(i + turn) % states.Count];
            if (!state.IsFetchable)
            {
                continue;
            }
            TopicMetadata? topic = cluster.Cached(state.Partition.Topic);
            PartitionMetadata? partition = topic?.Find(state.Partition.Partition);
            if (topic is null || partition is null || cluster.EndpointOf(partition.LeaderId) is not { } leader)
            {
                leaderless.Add(state.Partition.Topic);
                continue;
            }
            if (state.LeaderEpoch >= 0 && partition.LeaderEpoch > state.LeaderEpoch && state.FetchedEpoch >= 0)
            {
                state.NeedsEpochCheck = true;
            }
            state.LeaderEpoch = Math.Max(state.LeaderEpoch, partition.LeaderEpoch);
            if (state.NeedsEpochCheck || isBusy(leader))
            {
                continue;
            }
            FetchPlan? plan = plans.Find(p => p.Leader == leader);
            if (plan is null)
            {
                plans.Add(plan = new FetchPlan(leader));
            }
            plan.Entries.Add(new Entry(state, state.Version, state.FetchOffset, partition.LeaderEpoch, topic.TopicId));
        }
        return plans;
    }
}
