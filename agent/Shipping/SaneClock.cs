namespace LogPipeline.Agent.Shipping;

/// <summary>The time that records get. A clock that is wrong by decades would be refused or hide the records: it is clamped, and said.</summary>
internal static class SaneClock
{
    private static readonly long Earliest = new DateTimeOffset(2020, 1, 1, 0, 0, 0, TimeSpan.Zero).ToUnixTimeMilliseconds();
    private static readonly long Latest = new DateTimeOffset(2100, 1, 1, 0, 0, 0, TimeSpan.Zero).ToUnixTimeMilliseconds();

    public static long Now(TimeProvider time, out bool clamped)
    {
        long now = time.GetUtcNow().ToUnixTimeMilliseconds();
        long sane = Math.Clamp(now, Earliest, Latest);
        clamped = sane != now;
        return sane;
    }
}
