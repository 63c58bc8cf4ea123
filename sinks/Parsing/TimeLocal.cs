namespace LogPipeline.Sinks.Parsing;

/// <summary>nginx's <c>$time_local</c>: <c>21/Nov/2026:13:05:09 +0100</c>, 26 bytes.</summary>
internal static class TimeLocal
{
    public const int Length = 26;

    /// <summary>Returns microseconds since 1970, the offset taken into account; false when a digit or a range is wrong.</summary>
    public static bool TryParse(ReadOnlySpan<byte> text, out long microseconds)
    {
        microseconds = 0;
        if (text.Length != Length || text[2] != '/' || text[6] != '/' || text[11] != ':' || text[14] != ':' || text[17] != ':' || text[20] != ' '
            || text[21] is not ((byte)'+' or (byte)'-'))
        {
            return false;
        }
        int offset = CalendarTime.Digits(text, 22, 2) * 60 + CalendarTime.Digits(text, 24, 2);
        var time = new CalendarTime
        {
            Year = CalendarTime.Digits(text, 7, 4),
            Month = CalendarTime.MonthOf(text[3..]),
            Day = CalendarTime.Digits(text, 0, 2),
            Hour = CalendarTime.Digits(text, 12, 2),
            Minute = CalendarTime.Digits(text, 15, 2),
            Second = CalendarTime.Digits(text, 18, 2),
            Offset = text[21] == '+' ? offset : -offset,
        };
        return offset >= 0 && time.TryGet(out microseconds);
    }
}
