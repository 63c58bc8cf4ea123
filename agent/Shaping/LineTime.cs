namespace LogPipeline.Agent.Shaping;

/// <summary>Reads the times that log lines carry.</summary>
internal static class LineTime
{
    /// <summary>
    /// Reads an ISO 8601 time, such as <c>2026-11-26T08:00:00.123456789Z</c> or <c>2026-11-26 08:00:00,123</c>; without a zone it is UTC.
    /// </summary>
    /// <param name="text">What begins with it.</param>
    /// <param name="milliseconds">Since 1970.</param>
    /// <param name="size">Bytes that it takes.</param>
    public static bool TryReadIso8601(ReadOnlySpan<byte> text, out long milliseconds, out int size)
    {
        (milliseconds, size) = (0, 0);
        if (text.Length < 19 || text[4] != '-' || text[7] != '-' || text[10] is not ((byte)'T' or (byte)'t' or (byte)' ')
            || !TryReadNumber(text[..4], out int year) || !TryReadNumber(text[5..7], out int month) || !TryReadNumber(text[8..10], out int day)
            || !TryReadClock(text[11..], out int seconds))
        {
            return false;
        }
        int at = 19;
        int fraction = 0;
        if (text.Length > at + 1 && text[at] is (byte)'.' or (byte)',' && char.IsAsciiDigit((char)text[at + 1]))
        {
            at++;
            for (int unit = 100; at < text.Length && char.IsAsciiDigit((char)text[at]); unit /= 10, at++)
            {
                fraction += unit * (text[at] - '0');
            }
        }
        at += ReadZone(text[at..], out int zone);
        size = at;
        return TryMake(year, month, day, seconds - zone, fraction, out milliseconds);
    }

    /// <summary>Reads <c>Z</c>, <c>+08:00</c> or <c>+0800</c>; gives the bytes that it takes, 0 where there is none.</summary>
    internal static int ReadZone(ReadOnlySpan<byte> text, out int seconds)
    {
        seconds = 0;
        if (text.IsEmpty || text[0] is (byte)'Z' or (byte)'z')
        {
            return text.IsEmpty ? 0 : 1;
        }
        bool hasColon = text.Length >= 6 && text[3] == ':';
        int minutesAt = hasColon ? 4 : 3;
        if (text.Length < minutesAt + 2 || text[0] is not ((byte)'+' or (byte)'-')
            || !TryReadNumber(text[1..3], out int hours) || !TryReadNumber(text.Slice(minutesAt, 2), out int minutes))
        {
            return 0;
        }
        seconds = (text[0] == '-' ? -1 : 1) * ((hours * 3600) + (minutes * 60));
        return minutesAt + 2;
    }

    /// <summary>Reads <c>hh:mm:ss</c>.</summary>
    internal static bool TryReadClock(ReadOnlySpan<byte> text, out int seconds)
    {
        seconds = 0;
        if (text.Length < 8 || text[2] != ':' || text[5] != ':' || !TryReadNumber(text[..2], out int hour) || !TryReadNumber(text[3..5], out int minute)
            || !TryReadNumber(text[6..8], out int second) || hour > 24 || minute > 59 || second > 60)
        {
            return false;
        }
        seconds = (hour * 3600) + (minute * 60) + second;
        return true;
    }

    internal static bool TryReadNumber(ReadOnlySpan<byte> digits, out int number)
    {
        number = 0;
        foreach (byte digit in digits)
        {
            if (!char.IsAsciiDigit((char)digit))
            {
                return false;
            }
            number = (10 * number) + (digit - '0');
        }
        return !digits.IsEmpty;
    }

    internal static bool TryMake(int year, int month, int day, int seconds, int milliseconds, out long time)
    {
        time = 0;
        if (year is < 1 or > 9999 || month is < 1 or > 12 || day < 1 || day > DateTime.DaysInMonth(year, month))
        {
            return false;
        }
        long days = new DateTime(year, month, day, 0, 0, 0, DateTimeKind.Utc).Ticks / TimeSpan.TicksPerDay;
        const long Days1970 = 719_162;
        time = ((days - Days1970) * 86_400_000L) + (seconds * 1000L) + milliseconds;
        return true;
    }
}
