using System.Globalization;
using LogPipeline.Hosting.Configuration;

namespace LogPipeline.Cli.Verbs;

/// <summary>Times as people type them: <c>15m</c> (ago), <c>2026-11-21</c>, <c>"2026-11-21 08:30"</c>, ISO 8601; UTC where no offset is given.</summary>
internal static class PointInTime
{
    /// <exception cref="ConfigurationException">The text is no time.</exception>
    public static DateTimeOffset? Parse(string? text, string option, DateTimeOffset now)
    {
        if (text is null)
        {
            return null;
        }
        if (text == "now")
        {
            return now;
        }
        if (Quantity.TryParseDuration(text, out TimeSpan ago))
        {
            return now - ago;
        }
        if (DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AllowWhiteSpaces, out DateTimeOffset time))
        {
            return time;
        }
        throw new ConfigurationException($"{option} {text}: write how long ago (15m, 2h, 1d) or a time (2026-11-21T08:30:00Z; UTC without an offset)");
    }
}
