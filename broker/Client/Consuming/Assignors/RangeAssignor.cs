namespace LogPipeline.Client.Consuming.Assignors;

/// <summary>Topic by topic: members in order take neighbouring partitions, the first ones one more where it does not divide.</summary>
internal sealed class RangeAssignor : IAssignor
{
    public string Name => "range";

    public bool IsCooperative => false;

    public ReadOnlyMemory<byte>? UserData(IReadOnlyList<TopicPartition> owned, int generation) => null;

    public SortedDictionary<string, List<TopicPartition>> Assign(IReadOnlyList<AssignmentMember> members, SortedDictionary<string, int> partitionCounts)
    {
        SortedDictionary<string, List<TopicPartition>> shares = AssignmentMember.Nothing(members);
        List<AssignmentMember> ordered = AssignmentMember.Ordered(members);
        foreach ((string topic, int count) in partitionCounts)
        {
            List<AssignmentMember> takers = ordered.FindAll(m => m.Subscription.Topics.Contains(topic));
            int next = 0;
            for (int i = 0; i < takers.Count; i++)
            {
                int share = count / takers.Count + (i < count % takers.Count ? 1 : 0);
                for (; share > 0; share--)
                {
                    shares[takers[i].MemberId].Add(new TopicPartition(topic, next++));
                }
            }
        }
        return shares;
    }
}
