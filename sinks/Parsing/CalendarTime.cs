namespace LogPipeline.Sinks.Parsing;

/// <summary>A time of the Gregorian calendar as a log writes it, field by field.</summary>
internal struct CalendarTime
{
    private const long Earliest = -62_135_596_800; // the year 1
    private const long Latest = 253_402_300_799; // the end of 9999

    public int Year;
    public int Month;
    public int Day;
    public int Hour;
    public int Minute;
    public int Second;
    public int Microsecond;

    /// <summary>Minutes east of UTC.</summary>
    public int Offset;

    /// <summary>Returns microseconds since 1970; false where a field is out of its range, or an offset leads out of the years 1 to 9999.</summary>
    public readonly bool TryGet(out long microseconds)
    {
        microseconds = 0;
        if (Year is < 1 or > 9999 || Month is < 1 or > 12 || Day < 1 || Day > DateTime.DaysInMonth(Year, Month)
            || Hour is < 0 or > 23 || Minute is < 0 or > 59 || Second is < 0 or > 60 || Offset is < -24 * 60 or > 24 * 60)
        {
            return false;
        }
        long seconds = DaysSince1970(Year, Month, Day) * 86_400 + Hour * 3600 + Minute * 60 + Second - Offset * 60L;
        if (seconds is < Earliest or > Latest)
        {
            return false;
        }
        microseconds = seconds * 1_000_000 + Microsecond;
        return true;
    }

    /// <summary>Reads a number of just so many digits; a large negative where one is no digit, which no range has.</summary>
    public static int Digits(ReadOnlySpan<byte> text, int at, int count)
    {
        int value = 0;
        for (int i = at; i < at + count; i++)
        {
            uint digit = i < text.Length ? (uint)(text[i] - '0') : 10;
            if (digit > 9)
            {
                return -1_000_000;
            }
            value = value * 10 + (int)digit;
        }
        return value;
    }

    /// <summary>The month of an English name of three letters; 0 for none.</summary>
    public static int MonthOf(ReadOnlySpan<byte> name) => name.Length < 3 ? 0 : ((name[0] << 16) | (name[1] << 8) | name[2]) switch
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

    /// <summary>Reads `Z`, `+01:00`, `+0100` or `+01` at a place; returns its length, 0 where there is none.</summary>
    public static int ReadOffset(ReadOnlySpan<byte> text, out int minutes)
    {
        minutes = 0;
        if (text.Length > 0 && text[0] is ((byte)'Z' or (byte)'z'))
        {
            return 1;
        }
        if (text.Length < 3 || text[0] is not ((byte)'+' or (byte)'-') || Digits(text, 1, 2) < 0)
        {
            return 0;
        }
        int colon = text.Length > 3 && text[3] == ':' ? 1 : 0;
        int rest = Digits(text, 3 + colon, 2);
        minutes = Digits(text, 1, 2) * 60 + Math.Max(rest, 0);
        minutes = text[0] == '-' ? -minutes : minutes;
        return rest >= 0 ? 5 + colon : 3;
    }

    /// <summary>Reads a fraction of a second behind its point or comma, of any length; returns the length.</summary>
    public static int ReadFraction(ReadOnlySpan<byte> text, out int microseconds)
    {
        (microseconds, int length) = (0, 0);
        for (int unit = 100_000; length < text.Length && (uint)(text[length] - '0') <= 9; length++, unit /= 10)
        {
            microseconds += (text[length] - '0') * unit;
        }
        return length;
    }

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
