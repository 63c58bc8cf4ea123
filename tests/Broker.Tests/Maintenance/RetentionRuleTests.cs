using LogPipeline.Broker.Maintenance;
using LogPipeline.Storage;

namespace LogPipeline.Broker.Tests.Maintenance;

public sealed class RetentionRuleTests
{
    private const long Now = 1_000_000;

    [Theory]
    [InlineData(0, null)] // exactly as old as is kept
    [InlineData(1, 10L)]
    [InlineData(101, 20L)]
    [InlineData(201, 30L)] // the active one as a whole
    public void Segments_older_than_the_limit_go(long later, long? firstKept) =>
        Assert.Equal(firstKept, FirstKept(Three(), new RetentionLimits(TimeSpan.FromMilliseconds(1000), null), now: Three()[0].Time + 1000 + later));

    [Theory]
    [InlineData(300, null)]
    [InlineData(201, null)] // without the first segment too little would be left
    [InlineData(200, 10L)]
    [InlineData(99, 20L)]
    [InlineData(0, 30L)]
    public void What_is_beyond_the_size_goes_in_whole_segments(long bytes, long? firstKept) =>
        Assert.Equal(firstKept, FirstKept(Three(), new RetentionLimits(null, bytes), Now));

    [Fact]
    public void A_segment_of_the_far_future_keeps_those_behind_it()
    {
        SegmentInfo[] segments = Three();
        segments[0] = segments[0] with { Time = long.MaxValue };
        Assert.Null(FirstKept(segments, new RetentionLimits(TimeSpan.FromMilliseconds(1), null), Now));
    }

    [Fact]
    public void Nothing_beyond_the_high_watermark_goes_and_an_empty_active_segment_stays()
    {
        var limits = new RetentionLimits(TimeSpan.Zero, null);
        Assert.Equal(20, RetentionRule.FirstKept(Three(), 300, 0, limits, highWatermark: 29, Now));
        SegmentInfo[] segments = [.. Three()[..2], new SegmentInfo(20, 20, 0, 0, true)];
        Assert.Equal(20, FirstKept(segments, limits, Now));
    }

    [Fact]
    public void What_a_client_has_deleted_goes_though_no_limit_is_passed()
    {
        var limits = new RetentionLimits(null, null);
        Assert.Equal(10, RetentionRule.FirstKept(Three(), 300, 15, limits, 30, Now));
        Assert.Equal(30, RetentionRule.FirstKept(Three(), 300, 30, limits, 30, Now));
    }

    [Fact]
    public void The_rule_looks_no_further_than_the_first_segment_that_stays()
    {
        int looked = 0;
        IEnumerable<SegmentInfo> segments = Three().Select(segment =>
        {
            looked++;
            return segment with { Time = Now };
        });
        Assert.Null(RetentionRule.FirstKept(segments, 300, 0, new RetentionLimits(TimeSpan.FromHours(1), 300), 30, Now));
        Assert.Equal(1, looked);
    }

    [Fact]
    public void Of_any_log_a_prefix_of_whole_segments_goes_that_is_wholly_past_a_limit_and_no_shorter_one_would_do()
    {
        for (int seed = 0; seed < 2000; seed++)
        {
            var random = new Random(seed);
            SegmentInfo[] segments = RandomLog.Segments(random, Now);
            long size = segments.Sum(static segment => segment.SizeBytes);
            long start = random.Next(2) == 0 ? 0 : random.NextInt64(segments[^1].EndOffset + 1);
            long highWatermark = random.Next(2) == 0 ? segments[^1].EndOffset : random.NextInt64(start, segments[^1].EndOffset + 1);
            var limits = new RetentionLimits(
                random.Next(3) == 0 ? null : TimeSpan.FromMilliseconds(random.Next(1000)), random.Next(3) == 0 ? null : random.NextInt64(size + 100));
            long kept = RetentionRule.FirstKept(segments, size, start, limits, highWatermark, Now) ?? segments[0].BaseOffset;

            SegmentInfo[] gone = [.. segments.Where(segment => segment.EndOffset <= kept && segment.SizeBytes > 0)];
            Assert.Equal(kept, gone.Length == 0 ? segments[0].BaseOffset : gone[^1].EndOffset);
            Assert.True(kept <= highWatermark || gone.Length == 0);
            Assert.All(gone, segment => Assert.True(MayGo(segment), $"seed {seed}"));
            SegmentInfo? first = segments.Skip(gone.Length).Select(static segment => (SegmentInfo?)segment).FirstOrDefault();
            Assert.False(first is { SizeBytes: > 0 } stays && stays.EndOffset <= highWatermark && MayGo(stays), $"seed {seed}");

            bool MayGo(SegmentInfo segment)
            {
                long behind = segments.Where(other => other.BaseOffset > segment.BaseOffset).Sum(static other => other.SizeBytes);
                return segment.EndOffset <= start
                    || (limits.Time is { } time && Now - segment.Time > time.TotalMilliseconds)
                    || (limits.Bytes is { } bytes && behind >= bytes);
            }
        }
    }

    private static long? FirstKept(SegmentInfo[] segments, RetentionLimits limits, long now) =>
        RetentionRule.FirstKept(segments, segments.Sum(static segment => segment.SizeBytes), 0, limits, long.MaxValue, now);

    // A hundred bytes and milliseconds each.
    private static SegmentInfo[] Three() =>
        [new(0, 10, 100, Now - 5000, false), new(10, 20, 100, Now - 4900, false), new(20, 30, 100, Now - 4800, true)];
}

/// <summary>Logs as they may be.</summary>
internal static class RandomLog
{
    /// <summary>One to six segments; now and then the active one is empty, or one is of the future.</summary>
    public static SegmentInfo[] Segments(Random random, long now)
    {
        var segments = new SegmentInfo[random.Next(1, 7)];
        long offset = random.Next(100);
        for (int i = 0; i < segments.Length; i++)
        {
            bool isActive = i == segments.Length - 1;
            bool isEmpty = isActive && random.Next(4) == 0;
            long end = offset + (isEmpty ? 0 : random.Next(1, 50));
            segments[i] = new SegmentInfo(offset, end, isEmpty ? 0 : random.Next(1, 500), now - random.Next(-100, 2000), isActive);
            offset = end;
        }
        return segments;
    }
}
