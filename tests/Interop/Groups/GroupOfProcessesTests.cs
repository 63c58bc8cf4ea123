namespace LogPipeline.Interop.Groups;

/// <summary>Consumer groups of real processes on a topic of four partitions: who has what, and that nothing is missed or read twice.</summary>
public sealed class GroupOfProcessesTests(BrokerFixture broker) : IClassFixture<BrokerFixture>
{
    private const int Partitions = 4;
    private const int EachTime = 100;

    [RequiresFact("kcat")]
    public async Task Two_share_evenly_one_takes_over_from_the_dead_and_gives_back_half()
    {
        const string Topic = "for_two";
        await broker.CreateTopicAsync(Topic, Partitions);
        await ProduceAsync(Topic, "first");
        await using var group = new KcatGroup(broker.Address, "two", Topic);
        ForeignProcess dies = group.Join();
        ForeignProcess stays = group.Join();
        await group.UntilAsync(static now => now.Shares is [2, 2] && now.Read.Count >= Partitions * EachTime);
        AssertOnceAndInOrder(group, "first");

        await group.KillAsync(dies);
        await group.UntilAsync(static now => now.Shares is [Partitions]);
        Assert.Equal([0, 1, 2, 3], group.OwnedBy(stays).Order());
        await ProduceAsync(Topic, "second");
        await group.UntilAsync(static now => Count(now, "second") >= Partitions * EachTime);
        AssertOnceAndInOrder(group, "second");

        group.Join();
        await group.UntilAsync(static now => now.Shares is [2, 2]);
        await ProduceAsync(Topic, "third");
        await group.UntilAsync(static now => Count(now, "third") >= Partitions * EachTime);
        AssertOnceAndInOrder(group, "third");
    }

    [RequiresFact("kcat")]
    public async Task Four_have_one_each_a_fifth_idles_until_one_dies()
    {
        const string Topic = "for_four";
        await broker.CreateTopicAsync(Topic, Partitions);
        await ProduceAsync(Topic, "first");
        await using var group = new KcatGroup(broker.Address, "four", Topic);
        for (int i = 0; i < Partitions; i++)
        {
            group.Join();
        }
        await group.UntilAsync(static now => now.Shares is [1, 1, 1, 1] && now.Read.Count >= Partitions * EachTime);
        ForeignProcess fifth = group.Join();
        await group.UntilAsync(static now => now.Shares is [1, 1, 1, 1, 0]);
        await ProduceAsync(Topic, "second");
        await group.UntilAsync(static now => Count(now, "second") >= Partitions * EachTime);
        AssertOnceAndInOrder(group, "second");

        ForeignProcess dies = group.Owner(besides: fifth);
        await group.KillAsync(dies);
        await group.UntilAsync(static now => now.Shares is [1, 1, 1, 1]);
        await ProduceAsync(Topic, "third");
        await group.UntilAsync(static now => Count(now, "third") >= Partitions * EachTime);
        AssertOnceAndInOrder(group, "third");
    }

    private async Task ProduceAsync(string topic, string round)
    {
        for (int partition = 0; partition < Partitions; partition++)
        {
            string lines = string.Concat(Enumerable.Range(0, EachTime).Select(i => $"{round} {partition} {i}\n"));
            await ForeignProgram.RunAsync("kcat", ["-b", broker.Address, "-P", "-t", topic, "-p", $"{partition}"], lines);
        }
    }

    private static int Count(KcatGroup group, string round) => group.Read.Count(record => record.Value.StartsWith(round, StringComparison.Ordinal));

    // What was produced while the group was at rest is read once; within a partition in the order of writing.
    private static void AssertOnceAndInOrder(KcatGroup group, string round)
    {
        for (int partition = 0; partition < Partitions; partition++)
        {
            Assert.Equal(
                Enumerable.Range(0, EachTime).Select(i => $"{round} {partition} {i}"),
                group.Read.Where(record => record.Partition == partition && record.Value.StartsWith(round, StringComparison.Ordinal)).Select(static record => record.Value));
        }
    }
}
