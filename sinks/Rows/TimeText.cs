namespace LogPipeline.Sinks.Rows;

/// <summary>Time as text that sorts: <c>2026-11-21 13:05:09.123Z</c>, 24 bytes, UTC; what SQLite's date functions read.</summary>
public static class TimeText
{
    public const int Length = 24;

    private const long Latest = 253_402_300_799_999; // the end of 9999

    /// <param name="microseconds">Since 1970; clamped to 1970…9999.</param>
    public static void Write(Span<byte> to, long microseconds)
    {
        long milliseconds = Math.Clamp(microseconds / 1000, 0, Latest);
        DateTime time = DateTime.UnixEpoch.AddMilliseconds(milliseconds);
        time.TryFormat(to, out _, "yyyy-MM-dd HH:mm:ss.fff", System.Globalization.CultureInfo.InvariantCulture);
        to[Length - 1] = (byte)'Z';
    }

    public static string Format(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss.fff", System.Globalization.CultureInfo.InvariantCulture) + "Z";
}
