using System.Text;

namespace LogPipeline.Sinks.Parsing;

/// <summary>
/// Syslog as it is sent (<c>&lt;34&gt;</c> before it: facility and severity) and as it is written to files, in both its forms:
/// <code>
/// RFC 3164:  Nov 21 13:05:09 host app[123]: message         (the time may be ISO 8601, as rsyslog writes it)
/// RFC 5424:  1 2026-11-21T13:05:09Z host app 123 id [data] message
/// </code>
/// </summary>
internal sealed class SyslogParser : ILineParser
{
    private static readonly byte[][] Levels =
        [.. "emergency alert critical error warning notice info debug".Split(' ').Select(Encoding.ASCII.GetBytes)];

    private static class At
    {
        public const int Facility = 0, Severity = 1, Level = 2, HostName = 3, AppName = 4, ProcessId = 5, MessageId = 6, StructuredData = 7, Message = 8;
    }

    public string Name => "syslog";

    public IReadOnlyList<Column> Columns { get; } =
    [
        new("facility", ColumnKind.Integer), new("severity", ColumnKind.Integer), new("level", ColumnKind.Text), new("host_name", ColumnKind.Text),
        new("app_name", ColumnKind.Text), new("process_id", ColumnKind.Text), new("message_id", ColumnKind.Text), new("structured_data", ColumnKind.Text),
        new("message", ColumnKind.Text),
    ];

    public bool TryParse(ReadOnlySpan<byte> line, ref ParsedLine into)
    {
        int at = 0;
        bool hasPriority = line.Length > 0 && line[0] == '<';
        if (hasPriority)
        {
            int end = line.IndexOf((byte)'>');
            int priority = end is >= 2 and <= 4 ? CalendarTime.Digits(line, 1, end - 1) : -1;
            if (priority is < 0 or > 191)
            {
                return false;
            }
            into.Fields[At.Facility] = Field.Of((long)(priority >> 3));
            into.Fields[At.Severity] = Field.Of((long)(priority & 7));
            byte[] level = Levels[priority & 7];
            into.Fields[At.Level] = Field.InScratch(into.Scratch.Append(level), level.Length);
            at = end + 1;
        }
        return line[at..].StartsWith("1 "u8) ? TryNew(line, at + 2, ref into) : TryOld(line, at, hasPriority, ref into);
    }

    private static bool TryNew(ReadOnlySpan<byte> line, int at, ref ParsedLine into)
    {
        if (!TryWord(line, ref at, out Field time))
        {
            return false;
        }
        ReadOnlySpan<byte> timeText = line.Slice(time.Start, time.Length);
        if (!timeText.SequenceEqual("-"u8))
        {
            if (!TimeFormat.TryIso(timeText, out long microseconds))
            {
                return false;
            }
            into.EventTime = microseconds;
        }
        for (int column = At.HostName; column <= At.MessageId; column++)
        {
            if (!TryWord(line, ref at, out Field word))
            {
                return false;
            }
            into.Fields[column] = AccessLogParser.DashIsNone(line, word.Start, word.Length);
        }
        int end = EndOfData(line, at);
        if (end < 0 || (end < line.Length && line[end] != ' '))
        {
            return false;
        }
        into.Fields[At.StructuredData] = AccessLogParser.DashIsNone(line, at, end - at);
        int message = Math.Min(end + 1, line.Length);
        message += line[message..].StartsWith("\uFEFF"u8) ? 3 : 0;
        into.Fields[At.Message] = Field.InLine(message, line.Length - message);
        return true;
    }

    private static bool TryOld(ReadOnlySpan<byte> line, int at, bool hasPriority, ref ParsedLine into)
    {
        int length = TimeFormat.SyslogTime(line[at..], into.RecordTime, out long time);
        length = length > 0 ? length : TimeFormat.IsoTime(line[at..], out time);
        at += length + 1;
        if (length == 0 || at > line.Length || line[at - 1] != ' ' || !TryHost(line, ref at, out Field host))
        {
            return false;
        }
        int end = line[at..].IndexOfAny(" :["u8);
        if (end <= 0 || (line[at + end] == ' ' && !hasPriority))
        {
            return false; // no program's name: such a line of a file may be anything
        }
        into.EventTime = time;
        into.Fields[At.HostName] = host;
        if (line[at + end] == ' ')
        {
            into.Fields[At.Message] = Field.InLine(at, line.Length - at);
            return true;
        }
        into.Fields[At.AppName] = Field.InLine(at, end);
        at += end;
        if (line[at] == '[')
        {
            int close = line[at..].IndexOf((byte)']');
            if (close < 1)
            {
                return false;
            }
            into.Fields[At.ProcessId] = Field.InLine(at + 1, close - 1);
            at += close + 1;
        }
        if (at >= line.Length || line[at] != ':')
        {
            return false;
        }
        at += at + 1 < line.Length && line[at + 1] == ' ' ? 2 : 1;
        into.Fields[At.Message] = Field.InLine(at, line.Length - at);
        return true;
    }

    /// <summary>
    /// Reads the host's name. Some senders leave it out, as those do that write to <c>/dev/log</c>: a word that ends in a colon is the program's name and
    /// stays to be read. False also where a year stands in its place.
    /// </summary>
    private static bool TryHost(ReadOnlySpan<byte> line, ref int at, out Field host)
    {
        int start = at;
        if (!TryWord(line, ref at, out host))
        {
            return false;
        }
        ReadOnlySpan<byte> word = line.Slice(host.Start, host.Length);
        if (word[^1] == ':' && !word.EndsWith("::"u8))
        {
            (host, at) = (default, start);
        }
        return word.Length != 4 || CalendarTime.Digits(word, 0, 4) < 0;
    }

    /// <summary>Reads up to a blank, which is passed over.</summary>
    private static bool TryWord(ReadOnlySpan<byte> line, ref int at, out Field word)
    {
        int blank = line[at..].IndexOf((byte)' ');
        word = blank > 0 ? Field.InLine(at, blank) : default;
        at += blank + 1;
        return blank > 0;
    }

    /// <summary>The end of `-` or `[id name="value" …][…]`; -1 where there is neither.</summary>
    private static int EndOfData(ReadOnlySpan<byte> line, int at)
    {
        if (at < line.Length && line[at] == '-')
        {
            return at + 1;
        }
        int end = -1;
        while (at < line.Length && line[at] == '[')
        {
            bool isQuoted = false;
            for (at++; at < line.Length && (isQuoted || line[at] != ']'); at++)
            {
                if (line[at] == '\\' && isQuoted)
                {
                    at++;
                }
                else if (line[at] == '"')
                {
                    isQuoted = !isQuoted;
                }
            }
            if (at >= line.Length)
            {
                return -1;
            }
            end = ++at;
        }
        return end;
    }
}
