namespace LogPipeline.Sinks.Parsing;

/// <summary>
/// A stack trace of Java, .NET or Python that was joined to one line by the agent's <c>multiline</c>: the time and the level of its first line, the
/// exception's type and its message. A line without a trace is not of the form.
/// </summary>
internal sealed class StackTraceParser : ILineParser
{
    private static readonly string[] LevelNames = ["TRACE", "DEBUG", "INFO", "WARN", "WARNING", "ERROR", "FATAL", "CRITICAL", "SEVERE"];
    private static readonly byte[][] Levels = [.. LevelNames.SelectMany(name => new[] { name, $"{name[0]}{name[1..].ToLowerInvariant()}" }).Select(System.Text.Encoding.ASCII.GetBytes)];

    private static class At
    {
        public const int Level = 0, Exception = 1, Message = 2;
    }

    public string Name => "stacktrace";

    public IReadOnlyList<Column> Columns { get; } = [new("level", ColumnKind.Text), new("exception", ColumnKind.Text), new("message", ColumnKind.Text)];

    public bool TryParse(ReadOnlySpan<byte> line, ref ParsedLine into)
    {
        bool isPython = line.IndexOf("Traceback (most recent call last):"u8) >= 0;
        int frame = line.IndexOf("\n\tat "u8);
        frame = frame >= 0 ? frame : line.IndexOf("\n   at "u8);
        frame = frame >= 0 ? frame : line.IndexOf("\n    at "u8);
        if (!isPython && frame < 0)
        {
            return false;
        }
        // The exception stands before its first frame, in Python behind its last.
        ReadOnlySpan<byte> before = isPython ? line.TrimEnd("\r\n"u8) : line[..frame].TrimEnd((byte)'\r');
        int start = before.LastIndexOf((byte)'\n') + 1;
        if (!TryException(before[start..], start, ref into))
        {
            return false;
        }
        int end = line.IndexOf((byte)'\n');
        ReadOnlySpan<byte> first = end < 0 ? line : line[..end];
        int bracket = first.Length > 0 && first[0] == '[' ? 1 : 0;
        if (TimeFormat.IsoTime(first[bracket..], out long time) > 0)
        {
            into.EventTime = time;
        }
        FindLevel(first, ref into);
        return true;
    }

    /// <summary>Finds a type's name, as in <c>java.lang.IllegalStateException: message</c>, perhaps behind other text.</summary>
    private static bool TryException(ReadOnlySpan<byte> line, int start, ref ParsedLine into)
    {
        for (int at = 0; at < line.Length;)
        {
            int length = 0;
            while (at + length < line.Length && (char.IsAsciiLetterOrDigit((char)line[at + length]) || line[at + length] is (byte)'.' or (byte)'_' or (byte)'$'))
            {
                length++;
            }
            ReadOnlySpan<byte> word = line.Slice(at, length);
            int end = at + length;
            bool isType = word.EndsWith("Exception"u8) || word.EndsWith("Error"u8) || word.EndsWith("Throwable"u8);
            if (isType && (end == line.Length || line[end] == ':'))
            {
                into.Fields[At.Exception] = Field.InLine(start + at, length);
                int message = Math.Min(end + (line[end..].StartsWith(": "u8) ? 2 : 1), line.Length);
                into.Fields[At.Message] = message < line.Length ? Field.InLine(start + message, line.Length - message) : default;
                return true;
            }
            at = end + 1;
        }
        return false;
    }

    private static void FindLevel(ReadOnlySpan<byte> line, ref ParsedLine into)
    {
        (int best, int length) = (int.MaxValue, 0);
        foreach (byte[] level in Levels)
        {
            int at = line.IndexOf(level);
            bool isWord = at >= 0 && (at == 0 || !char.IsAsciiLetterOrDigit((char)line[at - 1])) && (at + level.Length == line.Length || !char.IsAsciiLetterOrDigit((char)line[at + level.Length]));
            if (isWord && at < best)
            {
                (best, length) = (at, level.Length);
            }
        }
        if (length > 0)
        {
            into.Fields[At.Level] = Field.InLine(best, length);
        }
    }
}
