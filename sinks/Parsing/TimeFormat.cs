using System.Buffers.Text;
using System.Text;
using LogPipeline.Files;

namespace LogPipeline.Sinks.Parsing;

/// <summary>How a log writes its times: by a name, or as strftime has it, such as <c>%Y-%m-%d %H:%M:%S</c>. Without an offset it is UTC.</summary>
internal sealed class TimeFormat
{
    private const string Directives = "YmdHMSfbzsyeT%";

    private const long AheadMax = 7 * TimeSpan.TicksPerDay / TimeSpan.TicksPerMicrosecond;

    private static readonly string[] Names = ["auto", "iso8601", "clf", "syslog", "epoch"];

    private readonly string _format;
    private readonly byte[]? _pattern; // strftime's

    private TimeFormat(string format, byte[]? pattern) => (_format, _pattern) = (format, pattern);

    /// <summary>By what it looks like: ISO 8601, an access log's time, or a number of seconds since 1970, or of milliseconds and so on.</summary>
    public static TimeFormat Auto { get; } = new("auto", null);

    /// <exception cref="SinkConfigurationException">Names the nearest format.</exception>
    public static TimeFormat Of(string format)
    {
        int percent = format.IndexOf('%', StringComparison.Ordinal);
        if (percent < 0)
        {
            return Names.Contains(format) ? new TimeFormat(format, null) : throw new SinkConfigurationException(
                $"time format {format} is unknown: {(NearestName.Find(format, Names) is { } near ? $"did you mean {near}?" : $"write {string.Join(", ", Names)}, or")} a pattern such as %Y-%m-%d %H:%M:%S.%f %z");
        }
        for (; percent >= 0; percent = format.IndexOf('%', percent + 2))
        {
            if (percent + 1 == format.Length || !Directives.Contains(format[percent + 1], StringComparison.Ordinal))
            {
                throw new SinkConfigurationException($"time format {format}: `%{format[(percent + 1)..][..Math.Min(1, format.Length - percent - 1)]}` is unknown: write {string.Join(" ", Directives.Select(c => $"%{c}"))}");
            }
            if (percent + 2 >= format.Length)
            {
                break;
            }
        }
        return new TimeFormat(format, Encoding.UTF8.GetBytes(format));
    }

    /// <param name="text">The time alone.</param>
    /// <param name="arrival">Microseconds: when the line came, which decides the year where the text has none.</param>
    /// <param name="microseconds">Since 1970, UTC.</param>
    public bool TryParse(ReadOnlySpan<byte> text, long arrival, out long microseconds) => _format switch
    {
        "auto" => TryIso(text, out microseconds) || TimeLocal.TryParse(text, out microseconds) || TryEpoch(text, out microseconds),
        "iso8601" => TryIso(text, out microseconds),
        "clf" => TimeLocal.TryParse(text, out microseconds),
        "syslog" => SyslogTime(text, arrival, out microseconds) == text.Length && text.Length > 0,
        "epoch" => TryEpoch(text, out microseconds),
        _ => TryPattern(text, arrival, out microseconds),
    };

    /// <summary><c>2026-11-21T13:05:09.123+01:00</c>; a blank for the T, a comma for the point, and no offset are let pass.</summary>
    public static bool TryIso(ReadOnlySpan<byte> text, out long microseconds)
    {
        int length = IsoTime(text, out microseconds);
        return length > 0 && length == text.Length;
    }

    /// <summary>Reads a time at the beginning of a text; returns its length, 0 where there is none.</summary>
    public static int IsoTime(ReadOnlySpan<byte> text, out long microseconds)
    {
        microseconds = 0;
        if (text.Length < 19 || text[4] != '-' || text[7] != '-' || text[10] is not ((byte)'T' or (byte)'t' or (byte)' ') || text[13] != ':' || text[16] != ':')
        {
            return 0;
        }
        var time = new CalendarTime
        {
            Year = CalendarTime.Digits(text, 0, 4),
            Month = CalendarTime.Digits(text, 5, 2),
            Day = CalendarTime.Digits(text, 8, 2),
            Hour = CalendarTime.Digits(text, 11, 2),
            Minute = CalendarTime.Digits(text, 14, 2),
            Second = CalendarTime.Digits(text, 17, 2),
        };
        int at = 19;
        if (at + 1 < text.Length && text[at] is ((byte)'.' or (byte)',') && (uint)(text[at + 1] - '0') <= 9)
        {
            at += 1 + CalendarTime.ReadFraction(text[(at + 1)..], out time.Microsecond);
        }
        at += CalendarTime.ReadOffset(text[at..], out time.Offset);
        return time.TryGet(out microseconds) ? at : 0;
    }

    /// <summary>Reads <c>Nov 21 13:05:09</c> at the beginning of a text, in the latest year that is possible; returns its length, 0 where there is none.</summary>
    public static int SyslogTime(ReadOnlySpan<byte> text, long arrival, out long microseconds)
    {
        const int length = 15;
        microseconds = 0;
        if (text.Length < length || text[3] != ' ' || text[6] != ' ' || text[9] != ':' || text[12] != ':')
        {
            return 0;
        }
        var time = new CalendarTime
        {
            Month = CalendarTime.MonthOf(text),
            Day = text[4] == ' ' ? CalendarTime.Digits(text, 5, 1) : CalendarTime.Digits(text, 4, 2),
            Hour = CalendarTime.Digits(text, 7, 2),
            Minute = CalendarTime.Digits(text, 10, 2),
            Second = CalendarTime.Digits(text, 13, 2),
        };
        return TryLatestYear(time, arrival, out microseconds) ? length : 0;
    }

    /// <summary>Seconds since 1970 with or without a fraction; so many digits that they would be beyond 5138 are milliseconds, microseconds or nanoseconds.</summary>
    public static bool TryEpoch(ReadOnlySpan<byte> text, out long microseconds)
    {
        const long seconds = 100_000_000_000;
        microseconds = 0;
        int point = text.IndexOf((byte)'.');
        ReadOnlySpan<byte> whole = point < 0 ? text : text[..point];
        if (whole.Length is 0 or > 19 || whole[0] is (byte)'-' or (byte)'+' || !Utf8Parser.TryParse(whole, out long number, out int used) || used != whole.Length)
        {
            return false;
        }
        int fraction = 0;
        if (point >= 0 && (CalendarTime.ReadFraction(text[(point + 1)..], out fraction) != text.Length - point - 1 || point + 1 == text.Length || number >= seconds))
        {
            return false;
        }
        microseconds = number < seconds ? number * 1_000_000 + fraction : number < seconds * 1000 ? number * 1000 : number < seconds * 1_000_000 ? number : number / 1000;
        return true;
    }

    /// <summary>
    /// Gives a time the latest year in which it is not after its line's arrival, but for a clock that is some days ahead: a line of last
    /// December may be read in November, and none of next December.
    /// </summary>
    private static bool TryLatestYear(CalendarTime time, long arrival, out long microseconds)
    {
        int year = DateTime.UnixEpoch.AddTicks(Math.Clamp(arrival, 0, 250_000_000_000_000_000) * TimeSpan.TicksPerMicrosecond).Year;
        for (time.Year = year + 1; time.Year >= year - 1; time.Year--)
        {
            if (time.TryGet(out microseconds) && microseconds - AheadMax <= arrival)
            {
                return true;
            }
        }
        microseconds = 0;
        return false;
    }

    private bool TryPattern(ReadOnlySpan<byte> text, long arrival, out long microseconds)
    {
        var time = new CalendarTime { Day = 1, Month = 1 };
        int at = 0;
        microseconds = 0;
        for (int i = 0; i < _pattern!.Length; i++)
        {
            if (_pattern[i] != '%')
            {
                if (at >= text.Length || text[at++] != _pattern[i])
                {
                    return false;
                }
                continue;
            }
            int length = Read(text[Math.Min(at, text.Length)..], (char)_pattern[++i], ref time, ref microseconds);
            if (length <= 0)
            {
                return false;
            }
            at += length;
        }
        if (at != text.Length || microseconds != 0)
        {
            return at == text.Length;
        }
        return time.Year == 0 ? TryLatestYear(time, arrival, out microseconds) : time.TryGet(out microseconds);
    }

    private static int Read(ReadOnlySpan<byte> text, char directive, ref CalendarTime time, ref long epoch)
    {
        switch (directive)
        {
            case 'Y': return (time.Year = CalendarTime.Digits(text, 0, 4)) < 0 ? 0 : 4;
            case 'y': return (time.Year = 2000 + CalendarTime.Digits(text, 0, 2)) < 0 ? 0 : 2;
            case 'm': return (time.Month = CalendarTime.Digits(text, 0, 2)) < 0 ? 0 : 2;
            case 'd': return (time.Day = CalendarTime.Digits(text, 0, 2)) < 0 ? 0 : 2;
            case 'e':
                time.Day = text.Length > 0 && text[0] == ' ' ? CalendarTime.Digits(text, 1, 1) : CalendarTime.Digits(text, 0, 2);
                return time.Day < 0 ? 0 : 2;
            case 'b': return (time.Month = CalendarTime.MonthOf(text)) == 0 ? 0 : 3;
            case 'H': return (time.Hour = CalendarTime.Digits(text, 0, 2)) < 0 ? 0 : 2;
            case 'M': return (time.Minute = CalendarTime.Digits(text, 0, 2)) < 0 ? 0 : 2;
            case 'S': return (time.Second = CalendarTime.Digits(text, 0, 2)) < 0 ? 0 : 2;
            case 'T':
                (time.Hour, time.Minute, time.Second) = (CalendarTime.Digits(text, 0, 2), CalendarTime.Digits(text, 3, 2), CalendarTime.Digits(text, 6, 2));
                return text.Length < 8 || text[2] != ':' || text[5] != ':' ? 0 : 8;
            case 'f': return CalendarTime.ReadFraction(text, out time.Microsecond);
            case 'z': return CalendarTime.ReadOffset(text, out time.Offset);
            case 's':
                int digits = 0;
                while (digits < text.Length && (uint)(text[digits] - '0') <= 9)
                {
                    digits++;
                }
                return TryEpoch(text[..digits], out epoch) ? digits : 0;
            default: return text.Length > 0 && text[0] == directive ? 1 : 0;
        }
    }
}
