using LogPipeline.Broker.Maintenance;
using LogPipeline.Storage;

namespace LogPipeline.Broker.Tests.Maintenance;

public sealed class BudgetRuleTests
{
    private const long Now = 1_000_000;

    [Fact]
    public void Nothing_goes_while_the_budget_holds() => Assert.Empty(BudgetRule.Choose(Two(), 600, 600));

    [Fact]
    public void The_oldest_closed_segments_of_any_log_go_first_down_to_nine_tenths()
    {
        Assert.Equal([new BudgetCut<string>("b", 10, 100)], BudgetRule.Choose(Two(), 600, 599));
        // 600 to 540 and below: b's first, of time 1, and a's first, of time 2.
        Assert.Equal([new BudgetCut<string>("a", 10, 100), new BudgetCut<string>("b", 10, 100)], BudgetRule.Choose(Two(), 600, 500));
    }

    [Fact]
    public void When_no_closed_segment_is_left_the_largest_active_one_goes()
    {
        BudgetedLog<string>[] logs =
        [
            new("a", [new SegmentInfo(0, 5, 100, 1, false), new SegmentInfo(5, 9, 50, 3, true)], 9),
            new("b", [new SegmentInfo(0, 7, 300, 2, true)], 7),
        ];
        Assert.Equal([new BudgetCut<string>("a", 5, 100), new BudgetCut<string>("b", 7, 300)], BudgetRule.Choose(logs, 450, 200));
    }

    [Fact]
    public void Bytes_of_logs_that_may_not_go_count_all_the_same()
    {
        Assert.Equal(600, BudgetRule.Choose(Two(), 10_000, 100).Sum(static cut => cut.Bytes));
        Assert.Empty(BudgetRule.Choose<string>([], 10_000, 100));
    }

    [Fact]
    public void Of_any_logs_only_prefixes_go_the_budget_holds_if_it_can_and_nothing_older_stays_closed()
    {
        for (int seed = 0; seed < 2000; seed++)
        {
            var random = new Random(seed);
            SegmentInfo[][] logs = [.. Enumerable.Range(0, random.Next(1, 6)).Select(_ => RandomLog.Segments(random, Now))];
            long[] marks = [.. logs.Select(log => random.Next(4) == 0 ? random.NextInt64(log[^1].EndOffset + 1) : log[^1].EndOffset)];
            long fixedBytes = random.Next(3) == 0 ? random.Next(1000) : 0;
            long total = logs.Sum(static log => log.Sum(static segment => segment.SizeBytes)) + fixedBytes;
            long budget = random.NextInt64(total + 100);
            IReadOnlyList<BudgetCut<int>> cuts = BudgetRule.Choose(logs.Select((log, i) => new BudgetedLog<int>(i, log, marks[i])), total, budget);

            SegmentInfo[][] gone = [.. logs.Select((log, i) => Gone(log, cuts.Where(cut => cut.Log == i).Select(static cut => cut.FirstKept).SingleOrDefault(-1)))];
            long left = total - gone.Sum(static log => log.Sum(static segment => segment.SizeBytes));
            Assert.Equal(total - cuts.Sum(static cut => cut.Bytes), left);
            SegmentInfo?[] next = [.. logs.Select((log, i) => Next(log, gone[i].Length, marks[i]))];
            Assert.True(left <= budget || Array.TrueForAll(next, static one => one is null), $"seed {seed}: {left} of {budget}, and more may go");
            Assert.All(logs.Zip(gone, marks), static log => Assert.True(log.Second.Length == 0 || log.Second[^1].EndOffset <= log.Third));
            bool takesActive = gone.Any(static log => log.Any(static segment => segment.IsActive));
            Assert.False(takesActive && next.Any(static one => one is { IsActive: false }), $"seed {seed}: an active segment before a closed one");
            Assert.True(total > budget || cuts.Count == 0);
            if (!takesActive && cuts.Count > 0)
            {
                // Not one segment more than nine tenths ask for.
                Assert.True(left + gone.Max(static log => log.Length == 0 ? 0 : log[^1].SizeBytes) > budget - (budget / 10), $"seed {seed}");
            }
        }
    }

    private static SegmentInfo[] Gone(SegmentInfo[] log, long firstKept) => [.. log.Where(segment => segment.SizeBytes > 0 && segment.EndOffset <= firstKept)];

    private static SegmentInfo? Next(SegmentInfo[] log, int gone, long mark) =>
        gone < log.Length && log[gone].SizeBytes > 0 && log[gone].EndOffset <= mark ? log[gone] : null;

    private static BudgetedLog<string>[] Two() =>
    [
        new("a", [new SegmentInfo(0, 10, 100, 2, false), new SegmentInfo(10, 20, 100, 4, false), new SegmentInfo(20, 30, 100, 6, true)], 30),
        new("b", [new SegmentInfo(0, 10, 100, 1, false), new SegmentInfo(10, 20, 100, 5, false), new SegmentInfo(20, 30, 100, 7, true)], 30),
    ];
}
