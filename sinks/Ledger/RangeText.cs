using System.Globalization;
using System.Text;

namespace LogPipeline.Sinks.Ledger;

/// <summary>Stored ranges as PostgreSQL writes a multirange: <c>{[0,100),[200,300)}</c>.</summary>
public static class RangeText
{
    public static string Format(StoredRanges stored)
    {
        var text = new StringBuilder("{");
        foreach ((long begin, long end) in stored.Ranges)
        {
            text.Append(text.Length > 1 ? "," : "").Append(CultureInfo.InvariantCulture, $"[{begin},{end})");
        }
        return text.Append('}').ToString();
    }

    /// <exception cref="FormatException">The text is not of this form.</exception>
    public static StoredRanges Parse(string text)
    {
        if (text.Length < 2 || text[0] != '{' || text[^1] != '}')
        {
            throw new FormatException($"'{text}' is not a multirange");
        }
        var ranges = new List<FileRange>();
        foreach (string part in text[1..^1].Split(['[', ')'], StringSplitOptions.RemoveEmptyEntries))
        {
            if (part == ",")
            {
                continue;
            }
            int comma = part.IndexOf(',', StringComparison.Ordinal);
            ranges.Add(new FileRange(long.Parse(part[..comma], CultureInfo.InvariantCulture), long.Parse(part[(comma + 1)..], CultureInfo.InvariantCulture)));
        }
        return new StoredRanges(ranges);
    }
}
