using LogPipeline.Client.Consuming;
using LogPipeline.Client.Consuming.Assignors;

namespace LogPipeline.Client.Tests.Consuming;

public sealed class AssignorTests
{
    private static readonly TopicPartition[] None = [];

    [Fact]
    public void Range_takes_neighbours_topic_by_topic()
    {
        SortedDictionary<string, List<TopicPartition>> shares = new RangeAssignor().Assign([Member("a"), Member("b"), Member("c")], Counts(("t", 7), ("u", 2)));
        Assert.Equal("t-0 t-1 t-2 u-0", string.Join(' ', shares["a"]));
        Assert.Equal("t-3 t-4 u-1", string.Join(' ', shares["b"]));
        Assert.Equal("t-5 t-6", string.Join(' ', shares["c"]));
    }

    [Fact]
    public void Round_robin_deals_and_passes_over_who_does_not_want()
    {
        SortedDictionary<string, List<TopicPartition>> shares = new RoundRobinAssignor().Assign([Member("a"), Member("b", topics: ["u"])], Counts(("t", 3), ("u", 2)));
        Assert.Equal("t-0 t-1 t-2 u-1", string.Join(' ', shares["a"]));
        Assert.Equal("u-0", string.Join(' ', shares["b"]));
    }

    [Theory]
    [InlineData(AssignmentStrategy.Range)]
    [InlineData(AssignmentStrategy.RoundRobin)]
    [InlineData(AssignmentStrategy.Sticky)]
    [InlineData(AssignmentStrategy.CooperativeSticky)]
    public void Every_partition_goes_to_one_member_that_wants_it(AssignmentStrategy strategy)
    {
        for (int seed = 0; seed < 200; seed++)
        {
            var random = new Random(seed);
            SortedDictionary<string, int> counts = Counts(("t", random.Next(1, 12)), ("u", random.Next(1, 12)));
            List<AssignmentMember> members = [.. Enumerable.Range(0, random.Next(1, 6)).Select(i => Member($"m{i}", topics: i == 0 ? ["t", "u"] : random.Next(2) == 0 ? ["t"] : ["t", "u"]))];
            SortedDictionary<string, List<TopicPartition>> shares = AssignorTable.Of(strategy).Assign(members, counts);
            List<TopicPartition> all = [.. shares.SelectMany(s => s.Value)];
            Assert.Equal(counts.Values.Sum(), all.Count);
            Assert.Equal(all.Count, all.Distinct().Count());
            Assert.All(members, m => Assert.All(shares[m.MemberId], p => Assert.Contains(p.Topic, m.Subscription.Topics)));
        }
    }

    [Fact]
    public void Sticky_shares_stay_even_and_move_no_more_than_needed()
    {
        for (int seed = 0; seed < 200; seed++)
        {
            var random = new Random(seed);
            int partitions = random.Next(1, 40);
            Dictionary<string, IReadOnlyList<TopicPartition>> owned = [];
            List<string> names = ["m0"];
            for (int round = 0; round < 6; round++)
            {
                names = random.Next(2) == 0 || names.Count == 1 ? [.. names, $"m{seed}-{round}"] : [.. names.Skip(1)];
                int survivors = names.Sum(n => owned.GetValueOrDefault(n, None).Count);
                List<AssignmentMember> members = [.. names.Select(n => Member(n, generation: round, owned: owned.GetValueOrDefault(n, None)))];
                SortedDictionary<string, List<TopicPartition>> shares = StickyBalance.Share(members, Counts(("t", partitions)), m => (m.Subscription.Owned, m.Subscription.Generation));
                int most = (partitions + names.Count - 1) / names.Count;
                Assert.All(shares.Values, s => Assert.InRange(s.Count, partitions / names.Count, most));
                int kept = names.Sum(n => shares[n].Intersect(owned.GetValueOrDefault(n, None)).Count());
                int needed = names.Sum(n => Math.Max(0, owned.GetValueOrDefault(n, None).Count - most));
                Assert.True(kept >= survivors - needed - names.Count, $"seed {seed}, round {round}: {kept} of {survivors} kept, {needed} had to move");
                owned = shares.ToDictionary(s => s.Key, s => (IReadOnlyList<TopicPartition>)s.Value);
            }
        }
    }

    [Fact]
    public void Cooperative_gives_a_moving_partition_to_nobody_until_it_is_given_up()
    {
        TopicPartition[] all = [new("t", 0), new("t", 1)];
        SortedDictionary<string, List<TopicPartition>> first = new CooperativeStickyAssignor().Assign([Member("a", 3, all), Member("b", 3, None)], Counts(("t", 2)));
        Assert.Single(first["a"]);
        Assert.Empty(first["b"]);
        SortedDictionary<string, List<TopicPartition>> second = new CooperativeStickyAssignor().Assign([Member("a", 4, first["a"]), Member("b", 4, None)], Counts(("t", 2)));
        Assert.Equal(first["a"], second["a"]);
        Assert.Equal(all.Except(first["a"]), second["b"]);
    }

    [Fact]
    public void A_claim_of_an_older_generation_loses()
    {
        TopicPartition[] mine = [new("t", 0)];
        SortedDictionary<string, List<TopicPartition>> shares = StickyBalance.Share([Member("a", 1, mine), Member("b", 2, mine)], Counts(("t", 1)), m => (m.Subscription.Owned, m.Subscription.Generation));
        Assert.Empty(shares["a"]);
        Assert.Equal(mine, shares["b"]);
    }

    [Fact]
    public void Blobs_come_back_as_written_and_newer_versions_are_read()
    {
        var subscription = new Subscription(["t", "u"], [new("t", 1), new("t", 3)], 5, new byte[] { 9 });
        Subscription read = ConsumerProtocol.ReadSubscription(ConsumerProtocol.WriteSubscription(subscription));
        Assert.Equal(subscription.Topics, read.Topics);
        Assert.Equal(subscription.Owned, read.Owned);
        Assert.Equal(5, read.Generation);
        Assert.Equal(new byte[] { 9 }, read.UserData!.Value.ToArray());
        // Version 3 as Java writes it: one topic "t", no user data, nothing owned, generation 2, rack "r".
        Subscription java = ConsumerProtocol.ReadSubscription(Convert.FromHexString("0003" + "00000001" + "000174" + "FFFFFFFF" + "00000000" + "00000002" + "000172"));
        Assert.Equal(("t", 2), (java.Topics[0], java.Generation));
        Assert.Equal([new("t", 1)], ConsumerProtocol.ReadAssignment(ConsumerProtocol.WriteAssignment([new("t", 1)])));
        Assert.Empty(ConsumerProtocol.ReadAssignment(default));
    }

    private static AssignmentMember Member(string id, int generation = -1, IReadOnlyList<TopicPartition>? owned = null, string[]? topics = null) =>
        new(id, null, new Subscription(topics ?? ["t", "u"], owned ?? [], generation, null));

    private static SortedDictionary<string, int> Counts(params (string Topic, int Count)[] counts)
    {
        SortedDictionary<string, int> all = new(StringComparer.Ordinal);
        foreach ((string topic, int count) in counts)
        {
            all[topic] = count;
        }
        return all;
    }
}
