using System.Text;
using System.Text.RegularExpressions;

namespace LogPipeline.Sinks.Parsing;

/// <summary>
/// Lines of an nginx <c>log_format</c>: each variable is a column of its name, up to the text that follows it. <c>$request</c> becomes method,
/// path, query and protocol. A dash is no value. Numbers and times are typed; a line in which one of them is something else is not of the format.
/// </summary>
internal sealed partial class NginxFormatParser : ILineParser
{
    private static readonly Dictionary<string, ColumnKind> Kinds = new()
    {
        ["status"] = ColumnKind.Integer, ["server_port"] = ColumnKind.Integer, ["remote_port"] = ColumnKind.Integer,
        ["body_bytes_sent"] = ColumnKind.BigInteger, ["bytes_sent"] = ColumnKind.BigInteger, ["request_length"] = ColumnKind.BigInteger,
        ["content_length"] = ColumnKind.BigInteger, ["connection"] = ColumnKind.BigInteger, ["connection_requests"] = ColumnKind.BigInteger,
        ["request_time"] = ColumnKind.Double, ["gzip_ratio"] = ColumnKind.Double, ["connection_time"] = ColumnKind.Double,
        ["time_local"] = ColumnKind.Time, ["time_iso8601"] = ColumnKind.Time, ["msec"] = ColumnKind.Time,
    };

    private readonly List<Part> _parts = [];

    /// <exception cref="SinkConfigurationException">The format cannot be read.</exception>
    public NginxFormatParser(ParserOptions options)
    {
        Settings = options.Settings;
        string format = options.Format ?? throw new SinkConfigurationException(
            "parser nginx needs `format`, the text of nginx's log_format, such as '$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent'");
        if (format.TrimStart().StartsWith('\''))
        {
            format = string.Concat(Piece().Matches(format).Select(piece => piece.Groups[1].Value)); // as it stands in nginx.conf
        }
        var columns = new List<Column>();
        for (int at = 0; at < format.Length;)
        {
            int dollar = format.IndexOf('$', at);
            if (dollar != at)
            {
                int end = dollar < 0 ? format.Length : dollar;
                _parts.Add(new Part(Encoding.UTF8.GetBytes(format[at..end]), "", 0));
                at = end;
                continue;
            }
            Match variable = Variable().Match(format, at);
            if (!variable.Success)
            {
                throw new SinkConfigurationException($"format: a `$` without a variable's name at `{format[at..Math.Min(format.Length, at + 20)]}`: write $status or ${{status}}");
            }
            if (_parts.Count > 0 && _parts[^1].Literal is null)
            {
                throw new SinkConfigurationException($"format: nothing stands between ${_parts[^1].Variable} and {variable.Value}, so a line cannot be told apart there");
            }
            string name = variable.Groups[1].Success ? variable.Groups[1].Value : variable.Groups[2].Value;
            _parts.Add(new Part(null, name, columns.Count));
            string[] names = name == "request" ? ["method", "path", "query", "protocol"] : [name];
            columns.AddRange(names.Select(one => new Column(ColumnNames.Of(one), Kinds.GetValueOrDefault(one, ColumnKind.Text))));
            at += variable.Length;
        }
        if (columns.Count == 0)
        {
            throw new SinkConfigurationException("format: there is no variable in it, such as $status");
        }
        Columns = ColumnNames.Distinct(columns);
    }

    public string Name => "nginx";

    public string Settings { get; }

    public IReadOnlyList<Column> Columns { get; }

    public bool TryParse(ReadOnlySpan<byte> line, ref ParsedLine into)
    {
        int at = 0;
        for (int i = 0; i < _parts.Count; i++)
        {
            Part part = _parts[i];
            if (part.Literal is { } literal)
            {
                if (!line[at..].StartsWith(literal))
                {
                    return false;
                }
                at += literal.Length;
                continue;
            }
            int length = i + 1 == _parts.Count ? line.Length - at : LengthUpTo(line[at..], _parts[i + 1].Literal, mayBeList: IsList(part.Variable));
            if (length < 0 || !TryTake(line, at, length, part, ref into))
            {
                return false;
            }
            at += length;
        }
        return at == line.Length;
    }

    private bool TryTake(ReadOnlySpan<byte> line, int start, int length, Part part, ref ParsedLine into)
    {
        if (part.Variable == "request")
        {
            AccessLogParser.SplitRequest(line, start, length, into.Fields[part.Column..]);
            return true;
        }
        Field found = AccessLogParser.DashIsNone(line, start, length);
        if (!found.HasValue)
        {
            return true;
        }
        ColumnKind kind = Columns[part.Column].Kind;
        if (!FieldText.TryRead(line, found, kind, TimeFormat.Auto, ref into, out into.Fields[part.Column]))
        {
            return false;
        }
        if (kind == ColumnKind.Time && into.EventTime == ParsedLine.NoTime)
        {
            into.EventTime = into.Fields[part.Column].Number;
        }
        return true;
    }

    /// <summary>Variables that may hold several values: nginx puts <c>, </c> between the servers that it asked and <c> : </c> at a redirect within.</summary>
    private static bool IsList(string variable) => variable.StartsWith("upstream_", StringComparison.Ordinal) || variable.EndsWith("x_forwarded_for", StringComparison.Ordinal);

    /// <summary>
    /// Finds the text that ends a value; where it begins with a quote, one behind a backslash is the value's, and where it begins with a blank, one
    /// between the values of a list is.
    /// </summary>
    private static int LengthUpTo(ReadOnlySpan<byte> line, ReadOnlySpan<byte> end, bool mayBeList)
    {
        int at = 0;
        while (line[at..].IndexOf(end) is >= 0 and var found)
        {
            at += found;
            int slashes = 0;
            while (end[0] == '"' && at - slashes > 0 && line[at - slashes - 1] == '\\')
            {
                slashes++;
            }
            bool isWithin = slashes % 2 != 0 || (mayBeList && end[0] == ' ' && !end.StartsWith(" :"u8) && IsBetweenValues(line, at));
            if (!isWithin)
            {
                return at;
            }
            at++;
        }
        return -1;
    }

    /// <summary>Whether the blank at a place belongs to a comma or a colon between two values.</summary>
    private static bool IsBetweenValues(ReadOnlySpan<byte> line, int at) =>
        (at > 0 && line[at - 1] == ',') || line[at..].StartsWith(" : "u8) || (at > 1 && line[at - 1] == ':' && line[at - 2] == ' ');

    [GeneratedRegex(@"\G\$(?:\{([A-Za-z0-9_]+)\}|([A-Za-z0-9_]+))")]
    private static partial Regex Variable();

    [GeneratedRegex("'([^']*)'")]
    private static partial Regex Piece();

    /// <summary>A piece of the format: a text, or a variable and its first column.</summary>
    private sealed record Part(byte[]? Literal, string Variable, int Column);
}
