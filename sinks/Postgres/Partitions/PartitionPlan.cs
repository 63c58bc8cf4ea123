namespace LogPipeline.Sinks.Postgres.Partitions;

/// <summary>
/// Which partition a time wants, beside those that are there. Days near the arrival get a partition each. A time farther away, as a late line or
/// a wrong clock has it, gets its month's, so that no stream of odd times makes thousands of partitions; one that nobody can mean goes to one of
/// two partitions of its own. Ranges never overlap: what is taken already is cut off.
/// <code>
/// … 1990 | months … | days: arrival - kept days … arrival + 7 | months … | 2100 …
/// </code>
/// </summary>
internal sealed class PartitionPlan
{
    /// <summary>So many days after the arrival's have a partition before a line needs it.</summary>
    public const int DaysAhead = 7;

    /// <summary>Where no retention says which days people look at.</summary>
    private const int DaysKeptByDefault = 31;
    private const int DaysKeptMax = 366;

    private const long DayLength = TimeSpan.TicksPerDay / TimeSpan.TicksPerMicrosecond;

    private static readonly long Earliest = Microseconds(new DateTime(1990, 1, 1, 0, 0, 0, DateTimeKind.Utc));
    private static readonly long Latest = Microseconds(new DateTime(2100, 1, 1, 0, 0, 0, DateTimeKind.Utc));

    private readonly List<TimeRange> _taken;
    private readonly long _today;
    private readonly long _daysFrom;
    private readonly long _daysTo;

    /// <param name="taken">The ranges of the partitions that are there; disjoint.</param>
    /// <param name="arrival">When the lines arrive: now, in microseconds since 1970.</param>
    /// <param name="retention">How long partitions are kept; null for ever.</param>
    public PartitionPlan(IEnumerable<TimeRange> taken, long arrival, TimeSpan? retention)
    {
        _taken = [.. taken.OrderBy(range => range.From)];
        _today = DayOf(Math.Clamp(arrival, Earliest, Latest));
        int kept = retention is { } age ? (int)Math.Clamp(Math.Ceiling(age.TotalDays), 1, DaysKeptMax) : DaysKeptByDefault;
        _daysFrom = Math.Max(Earliest, _today - (kept * DayLength));
        _daysTo = Math.Min(Latest, _today + ((DaysAhead + 1) * DayLength));
    }

    /// <summary>The first microseconds of today and of the days ahead.</summary>
    public IEnumerable<long> ComingDays => Enumerable.Range(0, DaysAhead + 1).Select(day => _today + (day * DayLength));

    /// <summary>The range of the partition that holds a time; from now on it counts as taken.</summary>
    /// <param name="time">Microseconds since 1970.</param>
    /// <param name="isNew">Whether that partition is still to be made.</param>
    public TimeRange Place(long time, out bool isNew)
    {
        int next = FirstAfter(time);
        TimeRange? before = next > 0 ? _taken[next - 1] : null;
        if (before?.Contains(time) == true)
        {
            isNew = false;
            return before.Value;
        }
        (long from, long to) = Wanted(time);
        isNew = true;
        var fresh = new TimeRange(Math.Max(from, before?.To ?? long.MinValue), Math.Min(to, next < _taken.Count ? _taken[next].From : long.MaxValue));
        _taken.Insert(next, fresh);
        return fresh;
    }

    public static long Microseconds(DateTime time) => (time - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;

    /// <summary>The index of the first range that begins after a time.</summary>
    private int FirstAfter(long time)
    {
        (int low, int high) = (0, _taken.Count);
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            (low, high) = _taken[middle].From > time ? (low, middle) : (middle + 1, high);
        }
        return low;
    }

    private TimeRange Wanted(long time)
    {
        if (time < Earliest)
        {
            return new TimeRange(long.MinValue, Earliest);
        }
        if (time >= Latest)
        {
            return new TimeRange(Latest, long.MaxValue);
        }
        if (time >= _daysFrom && time < _daysTo)
        {
            return new TimeRange(DayOf(time), DayOf(time) + DayLength);
        }
        DateTime moment = DateTime.UnixEpoch.AddTicks(time * TimeSpan.TicksPerMicrosecond);
        var month = new DateTime(moment.Year, moment.Month, 1, 0, 0, 0, DateTimeKind.Utc);
        (long from, long to) = (Microseconds(month), Microseconds(month.AddMonths(1)));
        return time < _daysFrom ? new TimeRange(from, Math.Min(to, _daysFrom)) : new TimeRange(Math.Max(from, _daysTo), to);
    }

    private static long DayOf(long time) => time - (time % DayLength);
}
