using LogPipeline.Sinks.Parsing;

namespace LogPipeline.Sinks.Rows;

/// <summary>When a row's event was.</summary>
internal static class EventTime
{
    private const long LatestMilliseconds = 253_402_300_799_999; // the end of 9999

    /// <summary>Parses a row's line, unless it is a part of one; gives the line's own time, else the record's timestamp within 1970 to 9999.</summary>
    /// <returns>Microseconds since 1970.</returns>
    public static long Find(ILineParser parser, in Row row, ReadOnlySpan<byte> text, Span<Field> fields, out bool isParsed)
    {
        long time = long.MinValue;
        isParsed = row.Part == 0 && parser.TryParse(text, fields, out time);
        return isParsed && time != long.MinValue ? time : Math.Clamp(row.Timestamp, 0, LatestMilliseconds) * 1000;
    }
}
