using System.Buffers.Text;

namespace LogPipeline.Sinks.Parsing;

/// <summary>
/// nginx's and Apache's access log:
/// <code>remote_addr - remote_user [time_local] "request" status body_bytes_sent "http_referer" "http_user_agent"</code>
/// `common` ends before the referer, `vhost_combined` begins with `server:port`. In place of the address there may be the list of a proxy's
/// X-Forwarded-For: its first one counts. Columns are the text as logged, escapes included. A dash is no value. A request that is not
/// `method target protocol` leaves its four columns empty and the line still counts as parsed; text after the end is let pass.
/// </summary>
public sealed class AccessLogParser : ILineParser
{
    private readonly bool _hasAgent;
    private readonly bool _hasServer;

    /// <param name="name">`combined`, `common` or `vhost_combined`.</param>
    public AccessLogParser(string name)
    {
        (Name, _hasAgent, _hasServer) = (name, name != "common", name == "vhost_combined");
        Column[] all =
        [
            new("remote_addr", ColumnKind.Text), new("remote_user", ColumnKind.Text), new("time_local", ColumnKind.Time),
            new("method", ColumnKind.Text), new("path", ColumnKind.Text), new("query", ColumnKind.Text), new("protocol", ColumnKind.Text),
            new("status", ColumnKind.Integer), new("body_bytes_sent", ColumnKind.BigInteger),
            new("http_referer", ColumnKind.Text), new("http_user_agent", ColumnKind.Text), new("server_name", ColumnKind.Text), new("server_port", ColumnKind.Integer),
        ];
        Columns = all[..(_hasServer ? At.Count : _hasAgent ? At.ServerName : At.Referer)];
    }

    public string Name { get; }

    public IReadOnlyList<Column> Columns { get; }

    private static class At
    {
        public const int RemoteAddr = 0, RemoteUser = 1, TimeLocal = 2, Method = 3, Status = 7, BodyBytesSent = 8, Referer = 9, UserAgent = 10,
            ServerName = 11, ServerPort = 12, Count = 13;
    }

    public bool TryParse(ReadOnlySpan<byte> line, ref ParsedLine into)
    {
        Span<Field> fields = into.Fields;
        int position = 0;
        if ((_hasServer && !TryServer(line, ref position, fields)) || !TryAddress(line, ref position, fields))
        {
            return false;
        }

        // The user may hold spaces and brackets: it ends where the first thing that reads as a time begins.
        int identity = line[position..].IndexOf((byte)' ');
        if (identity <= 0 || IsAddress(line.Slice(position, identity)))
        {
            return false; // an address in the second place: the first one was a server's name
        }
        int userStart = position + identity + 1;
        if (!TryFindTime(line, userStart, out int bracket, out long time))
        {
            return false;
        }
        fields[At.RemoteUser] = DashIsNone(line, userStart, bracket - 1 - userStart);
        fields[At.TimeLocal] = Field.Of(time);
        into.EventTime = time;
        position = bracket + TimeLocal.Length + 2; // after `]`

        if (!TryQuoted(line, ref position, out int start, out int length) || !TryNumbers(line, ref position, fields))
        {
            return false;
        }
        SplitRequest(line, start, length, fields[At.Method..]);
        return (!_hasAgent || (TryQuoted(line, ref position, fields, At.Referer) && TryQuoted(line, ref position, fields, At.UserAgent)))
            && (position == line.Length || line[position] == ' ');
    }

    /// <summary>Reads `address ` or `address, address, … `.</summary>
    private static bool TryAddress(ReadOnlySpan<byte> line, ref int position, Span<Field> fields)
    {
        int space = line[position..].IndexOf((byte)' ');
        if (space <= 0)
        {
            return false;
        }
        int first = line[position + space - 1] == ',' ? space - 1 : space;
        if (first == 0 || line.Slice(position, first).SequenceEqual("-"u8))
        {
            return false;
        }
        fields[At.RemoteAddr] = Field.InLine(position, first);
        bool isList = first < space;
        position += space + 1;
        while (isList)
        {
            space = line[position..].IndexOf((byte)' ');
            if (space <= 1)
            {
                return false; // an identity, where an address should follow the comma
            }
            isList = line[position + space - 1] == ',';
            position += space + 1;
        }
        return true;
    }

    private static bool IsAddress(ReadOnlySpan<byte> text)
    {
        if (text.Length < 2 || !(char.IsAsciiHexDigit((char)text[0]) || text[0] == ':'))
        {
            return false;
        }
        Span<byte> address = stackalloc byte[16];
        return Addresses.TryParse(text, address) > 0;
    }

    /// <summary>Reads `server:port ` or `server `.</summary>
    private static bool TryServer(ReadOnlySpan<byte> line, ref int position, Span<Field> fields)
    {
        int space = line.IndexOf((byte)' ');
        if (space <= 0)
        {
            return false;
        }
        int colon = line[..space].LastIndexOf((byte)':');
        int end = space;
        if (colon > 0 && Utf8Parser.TryParse(line[(colon + 1)..space], out int port, out int used) && used == space - colon - 1 && port is >= 0 and <= 65_535)
        {
            fields[At.ServerPort] = Field.Of((long)port);
            end = colon;
        }
        fields[At.ServerName] = Field.InLine(0, end);
        position = space + 1;
        return true;
    }

    private static bool TryQuoted(ReadOnlySpan<byte> line, ref int position, Span<Field> fields, int column)
    {
        if (!TryQuoted(line, ref position, out int start, out int length))
        {
            return false;
        }
        fields[column] = DashIsNone(line, start, length);
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
            int end = bracket + 1 + TimeLocal.Length;
            if (end < line.Length && line[end] == ']' && TimeLocal.TryParse(line.Slice(bracket + 1, TimeLocal.Length), out time))
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
        return at > first && (at == line.Length || line[at] == ' ');
    }

    /// <summary>Fills the columns method, path, query and protocol, or none of them.</summary>
    internal static void SplitRequest(ReadOnlySpan<byte> line, int start, int length, Span<Field> fields)
    {
        const int method = 0, path = 1, query = 2, protocol = 3;
        ReadOnlySpan<byte> request = line.Slice(start, length);
        int methodLength = request.IndexOf((byte)' ');
        if (methodLength <= 0 || request[..methodLength].ContainsAnyExceptInRange((byte)'A', (byte)'Z'))
        {
            return;
        }
        int protocolStart = request.LastIndexOf((byte)' ') + 1;
        int targetStart = methodLength + 1;
        int targetEnd = length;
        bool hasProtocol = request[protocolStart..].StartsWith("HTTP/"u8);
        if (hasProtocol)
        {
            targetEnd = protocolStart - 1;
        }
        if (targetEnd <= targetStart)
        {
            return;
        }
        if (hasProtocol)
        {
            fields[protocol] = Field.InLine(start + protocolStart, length - protocolStart);
        }
        fields[method] = Field.InLine(start, methodLength);
        int question = request[targetStart..targetEnd].IndexOf((byte)'?');
        if (question >= 0)
        {
            int queryStart = targetStart + question + 1;
            fields[query] = Field.InLine(start + queryStart, targetEnd - queryStart);
            targetEnd = targetStart + question;
        }
        fields[path] = Field.InLine(start + targetStart, targetEnd - targetStart);
    }

    internal static Field DashIsNone(ReadOnlySpan<byte> line, int start, int length) =>
        length == 1 && line[start] == '-' || length < 0 ? default : Field.InLine(start, length);
}
