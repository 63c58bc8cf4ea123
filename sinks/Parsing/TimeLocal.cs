namespace LogPipeline.Sinks.Parsing;

/// <summary>nginx's <c>$time_local</c>: <c>21/Nov/2026:13:05:09 +0100</c>, 26 bytes.</summary>
internal static class TimeLocal
{
    private const long Earliest = -62_135_596_800; // the year 1
    private const long Latest = 253_402_300_799; // the end of 9999

    /// <summary>
    /// Gives microseconds since 1970, the offset taken into account; false when a digit or a range is wrong. An offset may lead out of the
    /// years 1 to 9999: no reader of a database could hold such a time.
    /// </summary>
    public static bool TryParse(ReadOnlySpan<byte> text, out long microseconds)
    {
        microseconds = 0;
        if (text.Length != 26 || text[2] != '/' || text[6] != '/' || text[11] != ':' || text[14] != ':' || text[17] != ':' || text[20] != ' ')
        {
            return false;
        }
        int day = Two(text, 0);
        int month = Month(text.Slice(3, 3));
        int year = Two(text, 7) * 100 + Two(text, 9);
        int hour = Two(text, 12);
        int minute = Two(text, 15);
        int second = Two(text, 18);
        int offset = Two(text, 22) * 60 + Two(text, 24);
        // Two() answers a large negative for a bad digit, so any bad digit fails one of these.
        if (month == 0 || year < 1 || hour is < 0 or > 23 || minute is < 0 or > 59 || second is < 0 or > 60 || offset is < 0 or > 24 * 60)
        {
            return false;
        }
        if (day < 1 || day > DateTime.DaysInMonth(year, month) || text[21] is not ((byte)'+' or (byte)'-'))
        {
            return false;
        }
        long seconds = DaysSince1970(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
        seconds -= (text[21] == '+' ? offset : -offset) * 60L;
        if (seconds is < Earliest or > Latest)
        {
            return false;
        }
        microseconds = seconds * 1_000_000;
        return true;
    }

    private static int Two(ReadOnlySpan<byte> text, int at)
    {
        uint tens = (uint)(text[at] - '0');
        uint ones = (uint)(text[at + 1] - '0');
        return tens > 9 || ones > 9 ? -1_000_000 : (int)(tens * 10 + ones);
    }

    private static int Month(ReadOnlySpan<byte> name) => ((name[0] << 16) | (name[1] << 8) | name[2]) switch
    {
        0x4A616E => 1, // Jan
        0x466562 => 2, // Feb
        0x4D6172 => 3, // Mar
        0x417072 => 4, // Apr
        0x4D6179 => 5, // May
        0x4A756E => 6, // Jun
        0x4A756C => 7, // Jul
        0x417567 => 8, // Aug
        0x536570 => 9, // Sep
        0x4F6374 => 10, // Oct
        0x4E6F76 => 11, // Nov
        0x446563 => 12, // Dec
        _ => 0,
    };

    /// <summary>Days from 1970-01-01 in the Gregorian calendar; the year starts in March so that the leap day comes last.</summary>
    private static long DaysSince1970(int year, int month, int day)
    {
        year -= month <= 2 ? 1 : 0;
        int era = year / 400;
        int yearOfEra = year - era * 400;
        int dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
        int dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear;
        return era * 146_097L + dayOfEra - 719_468;
    }
}
