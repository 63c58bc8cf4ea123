using FsCheck;
using FsCheck.Fluent;
using LogPipeline.Sinks.Ledger;

namespace LogPipeline.Sinks.Tests.Ledger;

public sealed class StoredRangesTests
{
    [Fact]
    public void It_agrees_with_a_set_of_bytes() => Prop.ForAll<byte[]>(numbers =>
    {
        var ranges = new StoredRanges();
        var bytes = new SortedSet<int>();
        for (int i = 0; i + 1 < numbers.Length; i += 2)
        {
            int begin = numbers[i] % 64, end = begin + 1 + numbers[i + 1] % 16;
            var covered = Enumerable.Range(begin, end - begin).ToList();
            Assert.Equal(covered.All(bytes.Contains), ranges.Contains(begin, end));
            Assert.Equal(covered.Any(bytes.Contains), ranges.Overlaps(begin, end));
            Assert.Equal(!covered.Any(bytes.Contains), ranges.Add(begin, end));
            bytes.UnionWith(covered);
            Assert.Equal(bytes, ranges.Ranges.SelectMany(r => Enumerable.Range((int)r.Begin, (int)(r.End - r.Begin))));
            Assert.True(ranges.Ranges.Zip(ranges.Ranges.Skip(1)).All(p => p.First.End < p.Second.Begin), "ranges that touch are one");
        }
    }).Check(Config.QuickThrowOnFailure.WithMaxTest(500));
}
