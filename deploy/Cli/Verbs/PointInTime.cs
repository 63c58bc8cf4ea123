using System.Globalization;
using LogPipeline.Hosting.Configuration;

namespace LogPipeline.Cli.Verbs;

/// <summary>
/// Times as people type them: <c>15m</c> (ago), <c>today</c>, <c>2026-11-21</c>, <c>"2026-11-21 08:30"</c>, ISO 8601, <c>08:30</c> of today; UTC where no
/// offset is given. .NET alone would read more: it takes <c>1.5</c> for the fifth of January.
/// </summary>
internal static class PointInTime
{
    private const int YearLength = 4;

    /// <exception cref="ConfigurationException">The text is no time.</exception>
    public static DateTimeOffset? Parse(string? text, string option, DateTimeOffset now)
    {
        if (text is null)
        {
            return null;
        }
        var today = new DateTimeOffset(now.UtcDateTime.Date, TimeSpan.Zero);
        if (text.ToLowerInvariant() is var name && name is "now" or "today" or "yesterday")
        {
            return name == "now" ? now : name == "today" ? today : today.AddDays(-1);
        }
        if (Quantity.TryParseDuration(text, out TimeSpan ago))
        {
            return ago < now - DateTimeOffset.UnixEpoch ? now - ago : DateTimeOffset.UnixEpoch;
        }
        if (TimeOnly.TryParseExact(text, ["H:mm", "H:mm:ss"], CultureInfo.InvariantCulture, DateTimeStyles.None, out TimeOnly clock))
        {
            return today + clock.ToTimeSpan();
        }
        if (text.IndexOf('-', StringComparison.Ordinal) == YearLength && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AllowWhiteSpaces, out DateTimeOffset time))
        {
            return time;
        }
        throw new ConfigurationException($"{option} {text}: write how long ago (15m, 2h, 1d), today, yesterday, or a time (2026-11-21T08:30:00Z; UTC without an offset)");
    }
}
