namespace LogPipeline.Agent.Shaping;

/// <summary>In which form a line says its time.</summary>
public enum TimeForm
{
    None,

    /// <summary><c>2026-11-26T08:00:00.123Z</c>; without a zone it is UTC.</summary>
    Iso8601,

    /// <summary>The common log format of web servers: <c>[26/Nov/2026:08:00:00 +0000]</c>.</summary>
    Clf,

    /// <summary>Syslog's <c>Nov 26 08:00:00</c>: this host's zone, and the latest year that makes it no time to come, but for a clock that is some days ahead.</summary>
    Rfc3164,

    /// <summary>Seconds, milli-, micro- or nanoseconds since 1970, by the number of digits.</summary>
    Epoch,
}

/// <summary>Finds the time of a line in its first bytes.</summary>
internal static class TimeInLine
{
    private const int SearchedMax = 256;
    private const long AheadMax = 7 * TimeSpan.MillisecondsPerDay;

    private static ReadOnlySpan<byte> Months => "JanFebMarAprMayJunJulAugSepOctNovDec"u8;

    /// <summary>The time in milliseconds since 1970; null where the line says none.</summary>
    /// <param name="form">Its form.</param>
    /// <param name="line">The line.</param>
    /// <param name="time">For the year and the zone of syslog's.</param>
    public static long? Read(TimeForm form, ReadOnlySpan<byte> line, TimeProvider time)
    {
        ReadOnlySpan<byte> head = line[..Math.Min(line.Length, SearchedMax)];
        if (form == TimeForm.Clf)
        {
            return head.IndexOf((byte)'[') is >= 0 and int bracket ? ReadClf(head[(bracket + 1)..]) : null;
        }
        if (form == TimeForm.Rfc3164)
        {
            return ReadSyslog(head, time);
        }
        for (int at = 0; at < head.Length; at++)
        {
            int digit = head[at..].IndexOfAnyInRange((byte)'0', (byte)'9');
            if (digit < 0)
            {
                return null;
            }
            at += digit;
            if (form == TimeForm.Iso8601 ? LineTime.TryReadIso8601(head[at..], out long found, out _) : TryReadEpoch(head[at..], out found))
            {
                return found;
            }
            int end = head[at..].IndexOfAnyExceptInRange((byte)'0', (byte)'9');
            at = end < 0 ? head.Length : at + end;
        }
        return null;
    }

    private static long? ReadClf(ReadOnlySpan<byte> text)
    {
        if (text.Length < 20 || text[2] != '/' || text[6] != '/' || text[11] != ':' || !LineTime.TryReadNumber(text[..2], out int day)
            || MonthOf(text[3..6]) is not int month || !LineTime.TryReadNumber(text[7..11], out int year) || !LineTime.TryReadClock(text[12..], out int seconds))
        {
            return null;
        }
        LineTime.ReadZone(text.Length > 21 ? text[21..] : default, out int zone);
        return LineTime.TryMake(year, month, day, seconds - zone, 0, out long found) ? found : null;
    }

    private static long? ReadSyslog(ReadOnlySpan<byte> text, TimeProvider time)
    {
        text = text.StartsWith((byte)'<') && text.IndexOf((byte)'>') is > 0 and int end ? text[(end + 1)..] : text;
        if (text.Length < 15 || text[3] != ' ' || MonthOf(text[..3]) is not int month
            || !LineTime.TryReadNumber(text[4..6].TrimStart((byte)' '), out int day) || !LineTime.TryReadClock(text[7..], out int seconds))
        {
            return null;
        }
        DateTimeOffset now = time.GetUtcNow();
        for (int year = now.Year + 1; year >= now.Year - 1; year--)
        {
            if (LineTime.TryMake(year, month, day, seconds, 0, out long local))
            {
                var said = DateTimeOffset.FromUnixTimeMilliseconds(local);
                long found = local - (long)time.LocalTimeZone.GetUtcOffset(DateTime.SpecifyKind(said.UtcDateTime, DateTimeKind.Unspecified)).TotalMilliseconds;
                if (found <= now.ToUnixTimeMilliseconds() + AheadMax)
                {
                    return found;
                }
            }
        }
        return null;
    }

    private static bool TryReadEpoch(ReadOnlySpan<byte> text, out long milliseconds)
    {
        int length = text.IndexOfAnyExceptInRange((byte)'0', (byte)'9');
        length = length < 0 ? text.Length : length;
        milliseconds = 0;
        if (length is not (10 or 13 or 16 or 19))
        {
            return false;
        }
        for (int i = 0; i < Math.Min(length, 13); i++)
        {
            milliseconds = (10 * milliseconds) + (text[i] - '0');
        }
        if (length == 10)
        {
            bool hasFraction = text.Length >= 14 && text[10] == '.' && LineTime.TryReadNumber(text[11..14], out _);
            int fraction = hasFraction && LineTime.TryReadNumber(text[11..14], out int read) ? read : 0;
            milliseconds = (1000 * milliseconds) + fraction;
        }
        return true;
    }

    private static int? MonthOf(ReadOnlySpan<byte> name) =>
        Months.IndexOf(name) is >= 0 and int at && at % 3 == 0 ? (at / 3) + 1 : null;
}
