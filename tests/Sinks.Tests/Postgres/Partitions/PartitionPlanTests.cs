using LogPipeline.Sinks.Postgres.Partitions;

namespace LogPipeline.Sinks.Tests.Postgres.Partitions;

public sealed class PartitionPlanTests
{
    private static long At(string time) => PartitionPlan.Microseconds(DateTimeOffset.Parse(time, System.Globalization.CultureInfo.InvariantCulture).UtcDateTime);

    private static TimeRange Range(string from, string to) => new(At(from), At(to));

    private static TimeRange Place(string time, int? retentionDays, params TimeRange[] taken) =>
        new PartitionPlan(taken, At("2026-11-27 12:00Z"), retentionDays is { } days ? TimeSpan.FromDays(days) : null).Place(At(time), out _);

    [Theory]
    [InlineData("2026-11-27 00:00Z", null, "2026-11-27Z", "2026-11-28Z")]
    [InlineData("2026-11-27 23:59:59.999999Z", null, "2026-11-27Z", "2026-11-28Z")]
    [InlineData("2026-11-28 00:30+01:00", null, "2026-11-27Z", "2026-11-28Z")]
    [InlineData("2026-12-04 23:00Z", null, "2026-12-04Z", "2026-12-05Z")] // the last of the days ahead
    [InlineData("2026-12-05 00:00Z", null, "2026-12-05Z", "2027-01-01Z")] // what is left of the month
    [InlineData("2027-05-12 00:00Z", null, "2027-05-01Z", "2027-06-01Z")]
    [InlineData("2026-10-27 00:00Z", null, "2026-10-27Z", "2026-10-28Z")] // 31 days back
    [InlineData("2026-10-26 23:59Z", null, "2026-10-01Z", "2026-10-27Z")]
    [InlineData("2026-11-20 00:00Z", 7, "2026-11-20Z", "2026-11-21Z")]
    [InlineData("2026-11-19 23:59Z", 7, "2026-11-01Z", "2026-11-20Z")]
    [InlineData("2026-01-02 00:00Z", 3650, "2026-01-02Z", "2026-01-03Z")] // a year back at most
    [InlineData("2025-01-02 00:00Z", 3650, "2025-01-01Z", "2025-02-01Z")]
    [InlineData("1990-01-01 00:00Z", null, "1990-01-01Z", "1990-02-01Z")]
    [InlineData("2099-12-31 23:59Z", null, "2099-12-01Z", "2100-01-01Z")]
    [InlineData("2028-02-29 12:00Z", null, "2028-02-01Z", "2028-03-01Z")]
    public void A_time_gets_its_day_or_month(string time, int? retentionDays, string from, string to) => Assert.Equal(Range(from, to), Place(time, retentionDays));

    [Theory]
    [InlineData("1970-01-01Z")]
    [InlineData("1989-12-31 23:59:59.999999Z")]
    public void What_nobody_can_mean_goes_to_a_partition_of_its_own(string time)
    {
        Assert.Equal(new TimeRange(long.MinValue, At("1990-01-01Z")), Place(time, 30));
        Assert.Equal(new TimeRange(At("2100-01-01Z"), long.MaxValue), Place("9999-12-31 23:59Z", 30));
    }

    [Fact]
    public void What_is_taken_is_cut_off()
    {
        TimeRange[] taken = [Range("2026-10-10Z", "2026-10-11Z"), Range("2026-10-20Z", "2026-10-21Z")];
        Assert.Equal(Range("2026-10-01Z", "2026-10-10Z"), Place("2026-10-05Z", null, taken));
        Assert.Equal(Range("2026-10-11Z", "2026-10-20Z"), Place("2026-10-15Z", null, taken));
        Assert.Equal(Range("2026-10-21Z", "2026-10-27Z"), Place("2026-10-21Z", null, taken));
        Assert.Equal(taken[0], Place("2026-10-10 05:00Z", null, taken));
    }

    [Fact]
    public void Any_times_get_disjoint_ranges_that_hold_them_and_few_of_them()
    {
        for (int seed = 1; seed <= 300; seed++)
        {
            var random = new Random(seed);
            TimeSpan? retention = random.Next(3) == 0 ? null : TimeSpan.FromDays(random.Next(1, 500));
            long arrival = At("2026-01-01Z") + random.NextInt64(At("2027-01-01Z") - At("2026-01-01Z"));
            var ranges = new List<TimeRange>();
            int steps = 0;
            for (; steps < 40; steps++)
            {
                // Arrivals go on by days, each flush plans anew from what is there, and some partitions are removed.
                arrival += random.NextInt64(At("2026-01-03Z") - At("2026-01-01Z"));
                var plan = new PartitionPlan(ranges, arrival, retention);
                foreach (long day in plan.ComingDays)
                {
                    Add(plan, day);
                }
                for (int i = 0; i < 50; i++)
                {
                    Add(plan, random.Next(4) switch
                    {
                        0 => random.NextInt64(-At("2400-01-01Z"), At("9999-01-01Z")),
                        1 => random.NextInt64(At("1985-01-01Z"), At("2105-01-01Z")),
                        _ => arrival + random.NextInt64(-At("1970-04-01Z"), At("1970-01-15Z")),
                    });
                }
                while (ranges.Count > 0 && random.Next(3) == 0)
                {
                    ranges.RemoveAt(random.Next(ranges.Count));
                }
            }
            ranges.Sort((a, b) => a.From.CompareTo(b.From));
            Assert.All(ranges, range => Assert.True(range.From < range.To, $"seed {seed}: {range} is empty"));
            Assert.All(ranges.Zip(ranges.Skip(1)), pair => Assert.True(pair.First.To <= pair.Second.From, $"seed {seed}: {pair.First} and {pair.Second} overlap"));
            // Every month of 110 years, and for each arrival's window its days: no stream of times makes more.
            Assert.True(ranges.Count < (110 * 12) + 2 + (2 * (366 + 8 + (2 * steps))), $"seed {seed}: {ranges.Count} partitions");

            void Add(PartitionPlan plan, long time)
            {
                TimeRange range = plan.Place(time, out bool isNew);
                Assert.True(range.Contains(time), $"seed {seed}: {range} lacks {time}");
                Assert.Equal(isNew, !ranges.Contains(range));
                Assert.Equal(range, plan.Place(time, out bool isNewAgain));
                Assert.False(isNewAgain);
                if (isNew)
                {
                    ranges.Add(range);
                }
            }
        }
    }
}
