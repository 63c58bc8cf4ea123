using System.Globalization;

namespace LogPipeline.Agent.Status;

/// <summary>Bytes as people read them: three digits and a unit, such as <c>12.3 MB</c>.</summary>
public static class ByteCount
{
    private static readonly string[] Units = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];

    public static string Show(long bytes)
    {
        double value = bytes;
        int unit = 0;
        while (value >= 999.5 && unit < Units.Length - 1)
        {
            value /= 1000;
            unit++;
        }
        string digits = unit == 0 || value >= 99.95 ? value.ToString("0", CultureInfo.InvariantCulture) : value.ToString("0.0", CultureInfo.InvariantCulture);
        return $"{digits} {Units[unit]}";
    }
}

/// <summary>A stretch of time as people read it.</summary>
public static class ShortTime
{
    /// <summary>Its largest unit alone, such as <c>3 min</c>.</summary>
    public static string Brief(TimeSpan time) => time switch
    {
        { TotalDays: >= 1 } => $"{(int)time.TotalDays} d",
        { TotalHours: >= 1 } => $"{time.Hours} h",
        { TotalMinutes: >= 1 } => $"{time.Minutes} min",
        _ => $"{(int)Math.Ceiling(time.TotalSeconds)} s",
    };

    /// <summary>Its two largest units, such as <c>3 min 20 s</c>.</summary>
    public static string Show(TimeSpan time) => time switch
    {
        { TotalDays: >= 366 } => "over a year",
        { TotalDays: >= 1 } => $"{(int)time.TotalDays} d {time.Hours} h",
        { TotalHours: >= 1 } => $"{time.Hours} h {time.Minutes} min",
        { TotalMinutes: >= 1 } => $"{time.Minutes} min {time.Seconds} s",
        _ => $"{(int)Math.Ceiling(time.TotalSeconds)} s",
    };
}
