namespace LogPipeline.Client.Consuming.Assignors;

/// <summary>All partitions in order are dealt out to the members in turn, passing over members that do not want the topic.</summary>
internal sealed class RoundRobinAssignor : IAssignor
{
    public string Name => "roundrobin";

    public bool IsCooperative => false;

    public ReadOnlyMemory<byte>? UserData(IReadOnlyList<TopicPartition> owned, int generation) => null;

    public SortedDictionary<string, List<TopicPartition>> Assign(IReadOnlyList<AssignmentMember> members, SortedDictionary<string, int> partitionCounts)
    {
        SortedDictionary<string, List<TopicPartition>> shares = AssignmentMember.Nothing(members);
        List<AssignmentMember> ordered = AssignmentMember.Ordered(members);
        int turn = 0;
        foreach ((string topic, int count) in partitionCounts)
        {
            if (!ordered.Exists(m => m.Subscription.Topics.Contains(topic)))
            {
                continue;
            }
            for (int partition = 0; partition < count; partition++)
            {
                while (!ordered[turn % ordered.Count].Subscription.Topics.Contains(topic))
                {
                    turn++;
                }
                shares[ordered[turn++ % ordered.Count].MemberId].Add(new TopicPartition(topic, partition));
            }
        }
        return shares;
    }
}
