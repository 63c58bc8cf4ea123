using System.Buffers.Binary;

namespace LogPipeline.Client.Consuming.Assignors;

/// <summary>
/// Sticky shares for members that keep their partitions through a rebalance. A partition that moves is given to nobody in this round: its
/// owner gives it up and the group joins again, so it is never owned twice. User data: <c>generation i32</c>.
/// </summary>
internal sealed class CooperativeStickyAssignor : IAssignor
{
    public string Name => "cooperative-sticky";

    public bool IsCooperative => true;

    public ReadOnlyMemory<byte>? UserData(IReadOnlyList<TopicPartition> owned, int generation)
    {
        byte[] data = new byte[sizeof(int)];
        BinaryPrimitives.WriteInt32BigEndian(data, generation);
        return data;
    }

    public SortedDictionary<string, List<TopicPartition>> Assign(IReadOnlyList<AssignmentMember> members, SortedDictionary<string, int> partitionCounts)
    {
        SortedDictionary<string, List<TopicPartition>> shares =
            StickyBalance.Share(members, partitionCounts, static m => (m.Subscription.Owned, GenerationOf(m)));
        foreach (AssignmentMember member in members)
        {
            foreach (TopicPartition partition in member.Subscription.Owned)
            {
                foreach ((string taker, List<TopicPartition> share) in shares)
                {
                    if (taker != member.MemberId && !OwnedBy(members, taker, partition))
                    {
                        share.Remove(partition);
                    }
                }
            }
        }
        return shares;
    }

    private static bool OwnedBy(IReadOnlyList<AssignmentMember> members, string memberId, TopicPartition partition) =>
        members.Any(m => m.MemberId == memberId && m.Subscription.Owned.Contains(partition));

    private static int GenerationOf(AssignmentMember member) => member.Subscription.Generation >= 0
        ? member.Subscription.Generation
        : member.Subscription.UserData is { Length: >= sizeof(int) } data ? BinaryPrimitives.ReadInt32BigEndian(data.Span) : -1;
}
