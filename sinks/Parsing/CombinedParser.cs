namespace LogPipeline.Sinks.Parsing;

/// <summary>
/// nginx's and Apache's access log:
/// <code>remote_addr - remote_user [time_local] "request" status body_bytes_sent "http_referer" "http_user_agent"</code>
/// Columns are the text as logged, escapes included. A dash is no value. A request that is not `method target protocol` leaves
/// its four columns empty and the line still counts as parsed; text after the user agent is let pass.
/// </summary>
public sealed class CombinedParser : ILineParser
{
    private const int TimeLength = 26; // 21/Nov/2026:00:00:00 +0000

    public string Name => "combined";

    public IReadOnlyList<Column> Columns { get; } =
    [
        new("remote_addr", ColumnKind.Text), new("remote_user", ColumnKind.Text), new("time_local", ColumnKind.Time),
        new("method", ColumnKind.Text), new("path", ColumnKind.Text), new("query", ColumnKind.Text), new("protocol", ColumnKind.Text),
        new("status", ColumnKind.Integer), new("body_bytes_sent", ColumnKind.BigInteger),
        new("http_referer", ColumnKind.Text), new("http_user_agent", ColumnKind.Text),
    ];

    private static class At
    {
        public const int RemoteAddr = 0, RemoteUser = 1, TimeLocal = 2, Method = 3, Path = 4, Query = 5, Protocol = 6, Status = 7,
            BodyBytesSent = 8, Referer = 9, UserAgent = 10, Count = 11;
    }

    public bool TryParse(ReadOnlySpan<byte> line, ref ParsedLine into)
    {
        Span<Field> fields = into.Fields[..At.Count];
        int space = line.IndexOf((byte)' ');
        if (space <= 0)
        {
            return false;
        }
        fields[At.RemoteAddr] = Field.InLine(0, space);

        // The user may hold spaces and brackets: it ends where the first thing that reads as a time begins.
        int position = space + 1;
        int identity = line[position..].IndexOf((byte)' ');
        if (identity <= 0)
        {
            return false;
        }
        int userStart = position + identity + 1;
        if (!TryFindTime(line, userStart, out int bracket, out long time))
        {
            return false;
        }
        fields[At.RemoteUser] = DashIsNone(line, userStart, bracket - 1 - userStart);
        fields[At.TimeLocal] = Field.Of(time);
        into.EventTime = time;
        position = bracket + TimeLength + 2; // after `]`

        return TryQuoted(line, ref position, out int requestStart, out int requestLength)
            && TryNumbers(line, ref position, fields)
            && TryQuoted(line, ref position, out int refererStart, out int refererLength)
            && TryQuoted(line, ref position, out int agentStart, out int agentLength)
            && (position == line.Length || line[position] == ' ')
            && Fill(line, fields, (requestStart, requestLength), (refererStart, refererLength), (agentStart, agentLength));
    }

    private static bool Fill(
        ReadOnlySpan<byte> line, Span<Field> fields, (int Start, int Length) request, (int Start, int Length) referer, (int Start, int Length) agent)
    {
        SplitRequest(line, request.Start, request.Length, fields);
        fields[At.Referer] = DashIsNone(line, referer.Start, referer.Length);
        fields[At.UserAgent] = DashIsNone(line, agent.Start, agent.Length);
        return true;
    }

    /// <summary>Finds ` [time] `; <paramref name="bracket"/> is the index of `[`.</summary>
    private static bool TryFindTime(ReadOnlySpan<byte> line, int start, out int bracket, out long time)
    {
        bracket = start;
        time = long.MinValue;
        while (true)
        {
            int found = line[bracket..].IndexOf(" ["u8);
            if (found < 0)
            {
                return false;
            }
            bracket += found + 1;
            int end = bracket + 1 + TimeLength;
            if (end < line.Length && line[end] == ']' && TimeLocal.TryParse(line.Slice(bracket + 1, TimeLength), out time))
            {
                return true;
            }
        }
    }

    /// <summary>Reads ` "…"` at <paramref name="position"/>; a backslash keeps the byte after it from closing.</summary>
    private static bool TryQuoted(ReadOnlySpan<byte> line, ref int position, out int start, out int length)
    {
        start = position + 2;
        length = 0;
        if (start > line.Length || line[position] != ' ' || line[position + 1] != '"')
        {
            return false;
        }
        int at = start;
        while (true)
        {
            int found = line[at..].IndexOfAny((byte)'"', (byte)'\\');
            if (found < 0)
            {
                return false;
            }
            at += found;
            if (line[at] == '"')
            {
                break;
            }
            at += 2;
            if (at > line.Length)
            {
                return false;
            }
        }
        length = at - start;
        position = at + 1;
        return true;
    }

    /// <summary>Reads ` status bytes`; the bytes may be a dash.</summary>
    private static bool TryNumbers(ReadOnlySpan<byte> line, ref int position, Span<Field> fields)
    {
        if (!TryNumber(line, ref position, 9, out long status, out bool isDash) || isDash)
        {
            return false;
        }
        fields[At.Status] = Field.Of(status);
        if (!TryNumber(line, ref position, 18, out long bytes, out isDash))
        {
            return false;
        }
        if (!isDash)
        {
            fields[At.BodyBytesSent] = Field.Of(bytes);
        }
        return true;
    }

    private static bool TryNumber(ReadOnlySpan<byte> line, ref int position, int digitsMax, out long number, out bool isDash)
    {
        number = 0;
        isDash = false;
        if (position >= line.Length || line[position] != ' ')
        {
            return false;
        }
        int at = position + 1;
        int first = at;
        if (at < line.Length && line[at] == '-')
        {
            isDash = true;
            position = at + 1;
            return true;
        }
        for (; at < line.Length && at - first < digitsMax && (uint)(line[at] - '0') <= 9; at++)
        {
            number = number * 10 + (line[at] - '0');
        }
        position = at;
        return at > first && at < line.Length && line[at] == ' ';
    }

    private static void SplitRequest(ReadOnlySpan<byte> line, int start, int length, Span<Field> fields)
    {
        ReadOnlySpan<byte> request = line.Slice(start, length);
        int methodLength = request.IndexOf((byte)' ');
        if (methodLength <= 0 || request[..methodLength].ContainsAnyExceptInRange((byte)'A', (byte)'Z'))
        {
            return;
        }
        int protocolStart = request.LastIndexOf((byte)' ') + 1;
        int targetStart = methodLength + 1;
        int targetEnd = length;
        if (request[protocolStart..].StartsWith("HTTP/"u8))
        {
            fields[At.Protocol] = Field.InLine(start + protocolStart, length - protocolStart);
            targetEnd = protocolStart - 1;
        }
        if (targetEnd <= targetStart)
        {
            fields[At.Protocol] = default;
            return;
        }
        fields[At.Method] = Field.InLine(start, methodLength);
        int question = request[targetStart..targetEnd].IndexOf((byte)'?');
        if (question >= 0)
        {
            int queryStart = targetStart + question + 1;
            fields[At.Query] = Field.InLine(start + queryStart, targetEnd - queryStart);
            targetEnd = targetStart + question;
        }
        fields[At.Path] = Field.InLine(start + targetStart, targetEnd - targetStart);
    }

    private static Field DashIsNone(ReadOnlySpan<byte> line, int start, int length) =>
        length == 1 && line[start] == '-' || length < 0 ? default : Field.InLine(start, length);
}
