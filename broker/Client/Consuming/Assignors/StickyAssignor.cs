namespace LogPipeline.Client.Consuming.Assignors;

/// <summary>Even shares that move as little as possible; members give all up during a rebalance and tell what they had in user data.</summary>
internal sealed class StickyAssignor : IAssignor
{
    public string Name => "sticky";

    public bool IsCooperative => false;

    public ReadOnlyMemory<byte>? UserData(IReadOnlyList<TopicPartition> owned, int generation) => ConsumerProtocol.WriteStickyUserData(owned, generation);

    public SortedDictionary<string, List<TopicPartition>> Assign(IReadOnlyList<AssignmentMember> members, SortedDictionary<string, int> partitionCounts) =>
        StickyBalance.Share(members, partitionCounts, static m => m.Subscription.UserData is { IsEmpty: false } data ? ConsumerProtocol.ReadStickyUserData(data) : ([], -1));
}
