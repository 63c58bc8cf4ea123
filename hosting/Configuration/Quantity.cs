using System.Globalization;

namespace LogPipeline.Hosting.Configuration;

/// <summary>Durations and sizes as people write them: <c>200ms</c>, <c>5s</c>, <c>1h</c>; <c>512KiB</c>, <c>1GB</c>, <c>4096</c>.</summary>
public static class Quantity
{
    private static readonly (string Unit, double Milliseconds)[] Durations =
        [("ms", 1), ("s", 1e3), ("min", 6e4), ("m", 6e4), ("h", 3.6e6), ("d", 8.64e7)];

    private static readonly (string Unit, double Bytes)[] Sizes =
        [("KiB", 1L << 10), ("MiB", 1L << 20), ("GiB", 1L << 30), ("TiB", 1L << 40), ("KB", 1e3), ("MB", 1e6), ("GB", 1e9), ("TB", 1e12), ("B", 1)];

    /// <summary>A duration with its unit; a bare number has no meaning here (0 excepted).</summary>
    public static bool TryParseDuration(string text, out TimeSpan duration)
    {
        duration = default;
        if (text == "0")
        {
            return true;
        }
        if (!TryParse(text, Durations, out double milliseconds) || milliseconds > TimeSpan.MaxValue.TotalMilliseconds / 2)
        {
            return false;
        }
        duration = TimeSpan.FromMilliseconds(milliseconds);
        return true;
    }

    /// <summary>A size in bytes; without a unit the number is bytes.</summary>
    public static bool TryParseSize(string text, out long bytes)
    {
        if (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out bytes))
        {
            return true;
        }
        if (!TryParse(text, Sizes, out double value) || value > long.MaxValue / 2)
        {
            return false;
        }
        bytes = (long)value;
        return true;
    }

    /// <summary>The shortest exact way to write a duration, such as <c>5s</c>.</summary>
    public static string Format(TimeSpan duration)
    {
        foreach ((string? unit, double milliseconds) in Durations.Reverse().Where(d => d.Unit != "min"))
        {
            if (duration.TotalMilliseconds >= milliseconds && duration.TotalMilliseconds % milliseconds == 0)
            {
                return string.Create(CultureInfo.InvariantCulture, $"{duration.TotalMilliseconds / milliseconds}{unit}");
            }
        }
        return string.Create(CultureInfo.InvariantCulture, $"{duration.TotalMilliseconds}ms");
    }

    /// <summary>The shortest exact way to write a size, such as <c>512KiB</c>.</summary>
    public static string Format(long bytes)
    {
        foreach ((string? unit, double size) in Sizes.Where(s => s.Unit.EndsWith("iB", StringComparison.Ordinal)).Reverse())
        {
            if (bytes >= size && bytes % (long)size == 0)
            {
                return string.Create(CultureInfo.InvariantCulture, $"{bytes / (long)size}{unit}");
            }
        }
        return bytes.ToString(CultureInfo.InvariantCulture);
    }

    private static bool TryParse(string text, (string Unit, double Factor)[] units, out double value)
    {
        value = 0;
        foreach ((string? unit, double factor) in units)
        {
            if (!text.EndsWith(unit, StringComparison.OrdinalIgnoreCase))
            {
                continue;
            }
            if (!double.TryParse(text[..^unit.Length].TrimEnd(), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out value))
            {
                continue;
            }
            value *= factor;
            return true;
        }
        return false;
    }
}
