using LogPipeline.Broker.Groups;

namespace LogPipeline.Broker.Tests.Groups;

public sealed class ProtocolChoiceTests
{
    [Theory]
    [InlineData(1), InlineData(2), InlineData(3)]
    public void The_protocol_that_all_know_and_most_prefer_is_chosen(int seed)
    {
        var random = new Random(seed);
        for (int i = 0; i < 500; i++)
        {
            string[][] members = [.. Enumerable.Range(0, random.Next(1, 6)).Select(_ =>
                Enumerable.Range(0, random.Next(1, 7)).Select(_ => $"p{random.Next(6)}").ToArray())];
            Assert.Equal(ByDefinition(members), ProtocolChoice.Choose(members));
        }
    }

    [Fact]
    public void Members_of_very_many_protocols_are_counted_in_one_pass()
    {
        string[] names = [.. Enumerable.Range(0, 20_000).Select(i => $"p{i}")];
        var counted = new CountingNames(names);
        Assert.Equal("p0", ProtocolChoice.Choose([counted, counted]));
        Assert.InRange(counted.Taken, names.Length, 6 * names.Length);
    }

    private static string? ByDefinition(string[][] members)
    {
        List<string> common = [.. members[0].Where(name => members.All(member => member.Contains(name)))];
        return common.MaxBy(name => members.Count(member => member.First(common.Contains) == name));
    }

    private sealed class CountingNames(string[] names) : IEnumerable<string>
    {
        public int Taken { get; private set; }

        public IEnumerator<string> GetEnumerator()
        {
            foreach (string name in names)
            {
                Taken++;
                yield return name;
            }
        }

        System.Collections.IEnumerator System.Collections.IEnumerable.GetEnumerator() => GetEnumerator();
    }
}
