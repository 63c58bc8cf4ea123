namespace LogPipeline.Client.Consuming.Assignors;

/// <summary>Shares out partitions among the members of a group; run by the group's leader, told of by name.</summary>
internal interface IAssignor
{
    /// <summary>The name that other clients know it by.</summary>
    string Name { get; }

    /// <summary>Whether members keep partitions through a rebalance and give up only what moves.</summary>
    bool IsCooperative { get; }

    /// <summary>What this member tells the assignor beside its topics.</summary>
    ReadOnlyMemory<byte>? UserData(IReadOnlyList<TopicPartition> owned, int generation);

    /// <summary>The partitions of each member, ordered; every member has an entry.</summary>
    SortedDictionary<string, List<TopicPartition>> Assign(IReadOnlyList<AssignmentMember> members, SortedDictionary<string, int> partitionCounts);
}

/// <summary>A member as its leader sees it.</summary>
internal sealed record AssignmentMember(string MemberId, string? InstanceId, Subscription Subscription)
{
    /// <summary>The order all clients use: static members by instance id, then the others by member id.</summary>
    public static List<AssignmentMember> Ordered(IEnumerable<AssignmentMember> members) =>
    [
        .. members.OrderBy(m => m.InstanceId is null)
            .ThenBy(m => m.InstanceId, StringComparer.Ordinal)
            .ThenBy(m => m.MemberId, StringComparer.Ordinal),
    ];

    public static SortedDictionary<string, List<TopicPartition>> Nothing(IEnumerable<AssignmentMember> members)
    {
        SortedDictionary<string, List<TopicPartition>> shares = new(StringComparer.Ordinal);
        foreach (AssignmentMember member in members)
        {
            shares[member.MemberId] = [];
        }
        return shares;
    }
}

/// <summary>The assignors by strategy.</summary>
internal static class AssignorTable
{
    public static IAssignor Of(AssignmentStrategy strategy) => strategy switch
    {
        AssignmentStrategy.Range => new RangeAssignor(),
        AssignmentStrategy.RoundRobin => new RoundRobinAssignor(),
        AssignmentStrategy.Sticky => new StickyAssignor(),
        AssignmentStrategy.CooperativeSticky => new CooperativeStickyAssignor(),
        _ => throw new ArgumentOutOfRangeException(nameof(strategy), strategy, null),
    };
}
