namespace LogPipeline.Sinks.Parsing;

/// <summary>
/// A line of <c>key=value</c> pairs with blanks between, a value with blanks in double quotes. The pairs become columns as
/// <see cref="KeyedColumns"/> says. A word that is no pair makes a line one of another form: prose is not guessed at.
/// </summary>
internal sealed class LogfmtParser(ParserOptions options) : ILineParser
{
    private readonly KeyedColumns _columns = new(options);

    public string Name => "logfmt";

    public string Settings { get; } = options.Settings;

    public IReadOnlyList<Column> Columns => _columns.All;

    public bool TryParse(ReadOnlySpan<byte> line, ref ParsedLine into)
    {
        // What is left for `fields` is written once all columns are taken: both need the scratch.
        for (int at = 0, pairs = 0; ; pairs++)
        {
            if (!TryPair(line, ref at, out Field key, out Field value))
            {
                return pairs > 0 && at == line.Length && KeepRest(line, ref into);
            }
            int column = _columns.Find(line.Slice(key.Start, key.Length));
            if (column != KeyedColumns.None && !TryTake(column, line, value, ref into))
            {
                return false;
            }
        }
    }

    private bool TryTake(int column, ReadOnlySpan<byte> line, Field value, ref ParsedLine into)
    {
        ReadOnlySpan<byte> text = line.Slice(value.Start, value.Length);
        if (!text.Contains((byte)'\\') || line[value.Start - 1] != '"')
        {
            return _columns.TryTake(column, line, value, ref into, out _);
        }
        int begin = into.Scratch.Used;
        JsonText.Unescape(text, into.Scratch);
        int length = into.Scratch.Used - begin;
        return _columns.TryTake(column, into.Scratch.Span(0, into.Scratch.Used), Field.InScratch(begin, length), ref into, out _);
    }

    private bool KeepRest(ReadOnlySpan<byte> line, ref ParsedLine into)
    {
        int begin = into.Scratch.Used;
        Span<bool> seen = stackalloc bool[Columns.Count];
        seen.Clear();
        into.Scratch.Append("{"u8);
        for (int at = 0; TryPair(line, ref at, out Field key, out Field value);)
        {
            int column = _columns.Find(line.Slice(key.Start, key.Length));
            bool isTaken = column >= 0 ? !seen[column] : column == KeyedColumns.Time && into.EventTime != ParsedLine.NoTime;
            if (column >= 0)
            {
                seen[column] = true;
            }
            if (isTaken)
            {
                continue;
            }
            into.Scratch.Append(into.Scratch.Used > begin + 1 ? ","u8 : ""u8);
            JsonText.AppendText(line.Slice(key.Start, key.Length), into.Scratch);
            into.Scratch.Append(":"u8);
            if (line[value.Start - 1] == '"')
            {
                JsonText.Append(line.Slice(value.Start - 1, value.Length + 2), into.Scratch);
            }
            else
            {
                JsonText.AppendText(line.Slice(value.Start, value.Length), into.Scratch);
            }
        }
        into.Scratch.Append("}"u8);
        if (into.Scratch.Used > begin + 2)
        {
            into.Fields[_columns.Rest] = Field.InScratch(begin, into.Scratch.Used - begin);
        }
        return true;
    }

    /// <summary>Reads a pair and the blanks behind it; false at the end, and where none is: then there is text left.</summary>
    private static bool TryPair(ReadOnlySpan<byte> line, ref int at, out Field key, out Field value)
    {
        (key, value) = (default, default);
        int start = at;
        int end = at;
        while (end < line.Length && (char.IsAsciiLetterOrDigit((char)line[end]) || line[end] is (byte)'_' or (byte)'.' or (byte)'-' or (byte)'@' or (byte)'/'))
        {
            end++;
        }
        if (end == start || end == line.Length || line[end] != '=')
        {
            return false;
        }
        key = Field.InLine(start, end - start);
        int from = end + 1;
        int to = from;
        if (from < line.Length && line[from] == '"')
        {
            to = ++from;
            if (!TryQuoted(line, ref to))
            {
                return false;
            }
            value = Field.InLine(from, to - from);
            to++;
        }
        else
        {
            int blank = line[from..].IndexOfAny((byte)' ', (byte)'\t');
            to = blank < 0 ? line.Length : from + blank;
            value = Field.InLine(from, to - from);
            if (line[from..to].Contains((byte)'"'))
            {
                return false;
            }
        }
        if (to < line.Length && !IsBlank(line[to]))
        {
            return false;
        }
        while (to < line.Length && IsBlank(line[to]))
        {
            to++;
        }
        at = to;
        return true;
    }

    private static bool IsBlank(byte c) => c is (byte)' ' or (byte)'\t';

    /// <summary>Finds the quote that ends a value whose escapes are JSON's.</summary>
    private static bool TryQuoted(ReadOnlySpan<byte> line, ref int at)
    {
        for (; at < line.Length && line[at] != '"'; at++)
        {
            if (line[at] < ' ')
            {
                return false;
            }
            if (line[at] != '\\')
            {
                continue;
            }
            at++;
            if (at >= line.Length || "\"\\/bfnrtu"u8.IndexOf(line[at]) < 0)
            {
                return false;
            }
            for (int digit = 1; line[at] == 'u' && digit <= 4; digit++)
            {
                if (at + digit >= line.Length || !char.IsAsciiHexDigit((char)line[at + digit]))
                {
                    return false;
                }
            }
        }
        return at < line.Length;
    }
}
