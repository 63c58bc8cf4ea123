using LogPipeline.Sinks.Workers;
using LogPipeline.Testing.Time;

namespace LogPipeline.Sinks.Tests;

/// <summary>How soon a partition is flushed again.</summary>
public sealed class FlushPaceTests
{
    private readonly ManualTime _time = new();

    [Fact]
    public void A_flush_rests_for_as_long_as_it_took()
    {
        var pace = new FlushPace(null, _time);
        long taken = Flush(pace, milliseconds: 4);
        Assert.Equal(4, pace.Wait(taken).TotalMilliseconds);
        _time.Advance(TimeSpan.FromMilliseconds(4));
        Assert.Equal(0, pace.Wait(taken).TotalMilliseconds);
    }

    [Fact]
    public void Flushes_beside_each_other_rest_for_their_sum_and_no_partition_for_longer_than_the_most()
    {
        var pace = new FlushPace(null, _time);
        long taken = Flush(pace, milliseconds: 8, atOnce: 4);
        Assert.Equal(32, pace.Wait(taken).TotalMilliseconds);
        taken = Flush(pace, milliseconds: 8, atOnce: 100);
        Assert.Equal(FlushPace.RestMax.TotalMilliseconds - 8, pace.Wait(taken).TotalMilliseconds);
        _time.Advance(FlushPace.RestMax);
        Assert.True(pace.Wait(_time.GetTimestamp()) <= TimeSpan.Zero);
    }

    [Fact]
    public void Behind_a_slow_flush_the_next_begins_at_once()
    {
        var pace = new FlushPace(null, _time);
        Assert.True(pace.Wait(Flush(pace, milliseconds: 3000)) <= TimeSpan.Zero);
    }

    [Fact]
    public void A_given_interval_counts_from_flush_to_flush()
    {
        var pace = new FlushPace(TimeSpan.FromSeconds(1), _time);
        Assert.Equal(990, pace.Wait(Flush(pace, milliseconds: 10)).TotalMilliseconds);
        Assert.Equal(700, pace.Wait(Flush(pace, milliseconds: 300)).TotalMilliseconds);
    }

    private long Flush(FlushPace pace, int milliseconds, int atOnce = 1)
    {
        long taken = _time.GetTimestamp();
        _time.Advance(TimeSpan.FromMilliseconds(milliseconds));
        for (int i = 0; i < atOnce; i++)
        {
            pace.Ended(taken);
        }
        return taken;
    }
}
