using LogPipeline.Agent.Shipping;

namespace LogPipeline.Agent.Inspection;

/// <summary>Points in time as they are printed: UTC, to the second.</summary>
internal static class Times
{
    private const long NanosecondsPerMillisecond = 1_000_000;

    public static string OfNanoseconds(long since1970) => since1970 == 0 ? "at a time that the file system does not say" : OfMilliseconds(since1970 / NanosecondsPerMillisecond);

    public static string OfMilliseconds(long since1970) =>
        Trouble.Show(DateTimeOffset.FromUnixTimeMilliseconds(since1970));
}
