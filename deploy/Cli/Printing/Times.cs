using System.Globalization;

namespace LogPipeline.Cli.Printing;

/// <summary>Times as they are printed: always UTC, and readable by <c>--since</c> again.</summary>
internal static class Times
{
    /// <summary>With milliseconds, for programs.</summary>
    public static string Exact(DateTimeOffset time) => time.ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    /// <summary>To the second, for people.</summary>
    public static string Short(DateTimeOffset time) => time.ToUniversalTime().ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);
}
