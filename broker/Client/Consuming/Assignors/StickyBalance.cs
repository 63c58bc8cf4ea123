namespace LogPipeline.Client.Consuming.Assignors;

/// <summary>
/// The sharing that both sticky assignors do. 1. Each member keeps what it has, if it still wants it and nobody claims it in a newer
/// generation (two claims of one generation cancel each other). 2. The rest goes, in order, to the member that wants it and has least.
/// 3. Partitions move from fuller to emptier members while that makes the two more even, so that no two members that want the
/// same partition differ by more than one because of it.
/// </summary>
internal sealed class StickyBalance
{
    private readonly SortedDictionary<string, List<TopicPartition>> _shares;
    private readonly Dictionary<string, List<string>> _takersOf = [];

    private StickyBalance(IReadOnlyList<AssignmentMember> members, SortedDictionary<string, int> partitionCounts)
    {
        _shares = AssignmentMember.Nothing(members);
        List<AssignmentMember> ordered = AssignmentMember.Ordered(members);
        foreach (string topic in partitionCounts.Keys)
        {
            _takersOf[topic] = [.. ordered.Where(m => m.Subscription.Topics.Contains(topic)).Select(m => m.MemberId)];
        }
    }

    /// <summary>Assigns the partitions; <paramref name="claims"/> returns what each member had and in which generation.</summary>
    public static SortedDictionary<string, List<TopicPartition>> Share(
        IReadOnlyList<AssignmentMember> members,
        SortedDictionary<string, int> partitionCounts,
        Func<AssignmentMember, (IReadOnlyList<TopicPartition> Owned, int Generation)> claims)
    {
        var balance = new StickyBalance(members, partitionCounts);
        List<TopicPartition> free = balance.Keep(members, partitionCounts, claims);
        foreach (TopicPartition partition in free)
        {
            if (balance.Emptiest(partition.Topic) is { } taker)
            {
                balance._shares[taker].Add(partition);
            }
        }
        while (balance.MoveOne())
        {
        }
        foreach (List<TopicPartition> share in balance._shares.Values)
        {
            share.Sort();
        }
        return balance._shares;
    }

    /// <summary>Gives members what they keep; returns the partitions nobody keeps, in order.</summary>
    private List<TopicPartition> Keep(
        IReadOnlyList<AssignmentMember> members,
        SortedDictionary<string, int> partitionCounts,
        Func<AssignmentMember, (IReadOnlyList<TopicPartition> Owned, int Generation)> claims)
    {
        SortedDictionary<TopicPartition, (string? Member, int Generation)> keepers = [];
        foreach (AssignmentMember member in AssignmentMember.Ordered(members))
        {
            (IReadOnlyList<TopicPartition> owned, int generation) = claims(member);
            foreach (TopicPartition partition in owned)
            {
                bool isWanted = partitionCounts.TryGetValue(partition.Topic, out int count) && partition.Partition < count
                    && member.Subscription.Topics.Contains(partition.Topic);
                if (!isWanted)
                {
                    continue;
                }
                if (!keepers.TryGetValue(partition, out (string? Member, int Generation) other) || other.Generation < generation)
                {
                    keepers[partition] = (member.MemberId, generation);
                }
                else if (other.Generation == generation)
                {
                    keepers[partition] = (null, generation);
                }
            }
        }
        List<TopicPartition> free = [];
        foreach ((string topic, int count) in partitionCounts)
        {
            for (int i = 0; i < count; i++)
            {
                var partition = new TopicPartition(topic, i);
                if (keepers.TryGetValue(partition, out (string? Member, int Generation) keeper) && keeper.Member is not null)
                {
                    _shares[keeper.Member].Add(partition);
                }
                else
                {
                    free.Add(partition);
                }
            }
        }
        return free;
    }

    private string? Emptiest(string topic)
    {
        string? emptiest = null;
        foreach (string taker in _takersOf[topic])
        {
            emptiest = emptiest is null || _shares[taker].Count < _shares[emptiest].Count ? taker : emptiest;
        }
        return emptiest;
    }

    /// <summary>Moves one partition from the fullest member that can give one to a member with at least two fewer; each move lowers the sum of squares, so this ends.</summary>
    private bool MoveOne()
    {
        foreach ((string giver, List<TopicPartition> share) in _shares.OrderByDescending(s => s.Value.Count))
        {
            for (int i = share.Count - 1; i >= 0; i--)
            {
                TopicPartition partition = share[i];
                if (Emptiest(partition.Topic) is { } taker && taker != giver && _shares[taker].Count + 2 <= share.Count)
                {
                    share.RemoveAt(i);
                    _shares[taker].Add(partition);
                    return true;
                }
            }
        }
        return false;
    }
}
