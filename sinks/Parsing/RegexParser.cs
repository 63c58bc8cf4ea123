using System.Text;
using System.Text.RegularExpressions;
using LogPipeline.Files;

namespace LogPipeline.Sinks.Parsing;

/// <summary>
/// Columns by the named groups of a regular expression, which runs in time that is linear in the line's length. A line is of the form where it
/// matches and each group's text is of its column's type.
/// </summary>
internal sealed class RegexParser : ILineParser
{
    private readonly Regex _regex;
    private readonly List<(string Group, int Column)> _groups = []; // -1: the event's time
    private readonly TimeFormat _time;

    /// <exception cref="SinkConfigurationException">A setting is wrong.</exception>
    public RegexParser(ParserOptions options)
    {
        Settings = options.Settings;
        string pattern = options.Pattern ?? throw new SinkConfigurationException(@"parser regex needs `pattern` with named groups, such as '^(?<level>\w+) (?<message>.*)$'");
        _regex = Made(pattern);
        _time = TimeFormat.Of(options.TimeFormat ?? "auto");
        string[] names = [.. _regex.GetGroupNames().Where(name => !char.IsAsciiDigit(name[0]))];
        string timeGroup = options.TimeField ?? names.FirstOrDefault(name => name is "time" or "timestamp" or "ts") ?? "";
        foreach (string asked in options.Columns.Select(column => column.Key).Append(timeGroup).Where(name => name.Length > 0 && !names.Contains(name)))
        {
            throw new SinkConfigurationException($"pattern has no group {asked}: " + (NearestName.Find(asked, names) is { } near ? $"did you mean {near}?" : $"its groups are {string.Join(", ", names)}"));
        }
        var columns = new List<Column>();
        foreach (string name in names)
        {
            _groups.Add((name, name == timeGroup ? -1 : columns.Count));
            if (name != timeGroup)
            {
                string kind = options.Columns.FirstOrDefault(column => column.Key == name).Value ?? "text";
                columns.Add(new Column(ColumnNames.Checked(name), FieldText.KindOf(kind, name)));
            }
        }
        if (names.Length == 0)
        {
            throw new SinkConfigurationException(@"pattern has no named group: write (?<status>\d+) for a column status");
        }
        Columns = columns;
    }

    public string Name => "regex";

    public string Settings { get; }

    public IReadOnlyList<Column> Columns { get; }

    public bool TryParse(ReadOnlySpan<byte> line, ref ParsedLine into)
    {
        string text = Encoding.UTF8.GetString(line);
        Match match = _regex.Match(text);
        if (!match.Success)
        {
            return false;
        }
        bool isAscii = text.Length == line.Length;
        foreach ((string name, int column) in _groups)
        {
            Group group = match.Groups[name];
            if (!group.Success)
            {
                continue;
            }
            int start = isAscii ? group.Index : Encoding.UTF8.GetByteCount(text.AsSpan(0, group.Index));
            int length = isAscii ? group.Length : Encoding.UTF8.GetByteCount(group.ValueSpan);
            if (column < 0)
            {
                if (!_time.TryParse(line.Slice(start, length), into.RecordTime, out long time))
                {
                    return false;
                }
                into.EventTime = time;
            }
            else if (!FieldText.TryRead(line, Field.InLine(start, length), Columns[column].Kind, _time, ref into, out into.Fields[column]))
            {
                return false;
            }
        }
        return true;
    }

    private static Regex Made(string pattern)
    {
        try
        {
            return LinearRegex.Of(pattern, RegexOptions.ExplicitCapture);
        }
        catch (RegexParseException error)
        {
            throw new SinkConfigurationException($"pattern: {error.Message}");
        }
        catch (NotSupportedException)
        {
            throw new SinkConfigurationException("pattern: looking ahead or behind, and references to groups, could run away: write it without them");
        }
    }
}
