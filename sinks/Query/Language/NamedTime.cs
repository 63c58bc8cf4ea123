using System.Globalization;
using System.Text.RegularExpressions;

namespace LogPipeline.Sinks.Query.Language;

/// <summary>
/// A time as people name it: a point (<c>15m</c> ago, <c>now</c>), or a span by how much of it is written: <c>2026-11-21</c> is a day, <c>2026-11-21T08</c> an hour.
/// </summary>
/// <param name="Begin">The point, or where the span begins.</param>
/// <param name="End">Where the span ends, exclusive; the same as its begin for a point.</param>
/// <param name="IsAgo">Named by how long ago it was.</param>
internal readonly partial record struct NamedTime(DateTimeOffset Begin, DateTimeOffset End, bool IsAgo = false)
{
    private static readonly (string Format, TimeSpan Length)[] Spans =
    [
        ("yyyy-MM-dd", TimeSpan.FromDays(1)), ("yyyy-MM-ddTHH", TimeSpan.FromHours(1)), ("yyyy-MM-ddTHH:mm", TimeSpan.FromMinutes(1)), ("yyyy-MM-ddTHH:mm:ss", TimeSpan.FromSeconds(1)),
    ];

    /// <summary>Null when the text names no time.</summary>
    public static NamedTime? Parse(string text, DateTimeOffset now)
    {
        var today = new DateTimeOffset(now.UtcDateTime.Date, TimeSpan.Zero);
        switch (text.ToLowerInvariant())
        {
            case "now": return new NamedTime(now, now);
            case "today": return new NamedTime(today, today.AddDays(1));
            case "yesterday": return new NamedTime(today.AddDays(-1), today);
            default: return Ago(text, now) ?? Absolute(text);
        }
    }

    /// <summary>Rows of this time; for a time that is long ago, those since then.</summary>
    public QueryNode Within(QueryField field) => IsAgo ? From(field)
        : Begin == End ? new Comparison(field, ComparisonSign.Equal, Begin)
        : new AllOf([From(field), Before(field, End)]);

    public QueryNode From(QueryField field) => new Comparison(field, ComparisonSign.GreaterOrEqual, Begin);

    public QueryNode After(QueryField field) => new Comparison(field, Begin == End ? ComparisonSign.Greater : ComparisonSign.GreaterOrEqual, End);

    public QueryNode Before(QueryField field) => Before(field, Begin);

    public QueryNode UpTo(QueryField field) => Begin == End ? new Comparison(field, ComparisonSign.LessOrEqual, End) : Before(field, End);

    private static Comparison Before(QueryField field, DateTimeOffset end) => new(field, ComparisonSign.Less, end);

    private static NamedTime? Ago(string text, DateTimeOffset now)
    {
        Match match = AgoPattern().Match(text);
        if (!match.Success || !double.TryParse(match.Groups[1].Value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double count))
        {
            return null;
        }
        double seconds = count * match.Groups[2].Value switch { "ms" => 0.001, "s" => 1, "m" => 60, "h" => 3600, "d" => 86_400, _ => 7 * 86_400 };
        DateTimeOffset then = seconds < (now - DateTimeOffset.UnixEpoch).TotalSeconds ? now.AddSeconds(-seconds) : DateTimeOffset.UnixEpoch;
        return new NamedTime(then, then, IsAgo: true);
    }

    private static NamedTime? Absolute(string text)
    {
        const DateTimeStyles utc = DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal;
        string iso = text.Replace(' ', 'T');
        foreach ((string format, TimeSpan length) in Spans)
        {
            if (DateTimeOffset.TryParseExact(iso, [format, format + "K"], CultureInfo.InvariantCulture, utc, out DateTimeOffset begin))
            {
                return new NamedTime(begin, begin + length);
            }
        }
        return char.IsAsciiDigit(iso[0]) && iso.Contains('-', StringComparison.Ordinal) && DateTimeOffset.TryParse(iso, CultureInfo.InvariantCulture, utc, out DateTimeOffset point)
            ? new NamedTime(point, point) : null;
    }

    [GeneratedRegex(@"^(?:now)?-?(\d+(?:\.\d+)?)(ms|s|m|h|d|w)$", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex AgoPattern();
}
