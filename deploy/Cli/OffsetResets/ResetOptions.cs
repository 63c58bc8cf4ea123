using System.CommandLine;
using System.Globalization;
using System.Xml;
using LogPipeline.Hosting.Configuration;

namespace LogPipeline.Cli.OffsetResets;

/// <summary>The options that say which offsets a group is to have, with Kafka's names; exactly one of them must be given.</summary>
internal sealed class ResetOptions
{
    private readonly Option<bool> _toEarliest = new("--to-earliest") { Description = "To the log's start" };
    private readonly Option<bool> _toLatest = new("--to-latest") { Description = "To the log's end" };
    private readonly Option<bool> _toCurrent = new("--to-current") { Description = "To what they are, within the log" };
    private readonly Option<long?> _toOffset = new("--to-offset") { Description = "To this offset", HelpName = "N" };
    private readonly Option<long?> _shiftBy = new("--shift-by") { Description = "So many records further, or back when negative", HelpName = "N" };
    private readonly Option<string?> _toDatetime = new("--to-datetime") { Description = "To the first record not older than this time, 2026-11-21T08:30:00.000; UTC without an offset", HelpName = "TIME" };
    private readonly Option<string?> _byDuration = new("--by-duration") { Description = "To the first record not older than so long ago: PT2H or 2h", HelpName = "DURATION" };
    private readonly Option<string?> _fromFile = new("--from-file") { Description = "To what a file of topic,partition,offset lines says", HelpName = "FILE" };

    public IReadOnlyList<Option> All => [_toEarliest, _toLatest, _toCurrent, _toOffset, _shiftBy, _toDatetime, _byDuration, _fromFile];

    /// <exception cref="InvalidDataException">None of the options is there, or several, or one cannot be read; one line for people.</exception>
    public ResetTarget Target(ParseResult parsed)
    {
        List<ResetTarget> asked =
        [
            .. parsed.GetValue(_toEarliest) ? new ResetTarget[] { new(ResetKind.Earliest) } : [],
            .. parsed.GetValue(_toLatest) ? new ResetTarget[] { new(ResetKind.Latest) } : [],
            .. parsed.GetValue(_toCurrent) ? new ResetTarget[] { new(ResetKind.Current) } : [],
            .. parsed.GetValue(_toOffset) is { } offset ? new ResetTarget[] { new(ResetKind.Offset, offset) } : [],
            .. parsed.GetValue(_shiftBy) is { } shift ? new ResetTarget[] { new(ResetKind.Shift, shift) } : [],
            .. parsed.GetValue(_toDatetime) is { } time ? new ResetTarget[] { new(ResetKind.Time, Time: Time(time)) } : [],
            .. parsed.GetValue(_byDuration) is { } ago ? new ResetTarget[] { new(ResetKind.Time, Time: TimeProvider.System.GetUtcNow() - Duration(ago)) } : [],
            .. parsed.GetValue(_fromFile) is { } file ? new ResetTarget[] { new(ResetKind.File, Offsets: ResetFile.Read(file)) } : [],
        ];
        return asked.Count == 1 ? asked[0] : throw new InvalidDataException("Option '[reset-offsets]' requires one of the following scenarios: "
            + "[[to-earliest], [to-current], [to-latest], [by-duration], [to-datetime], [from-file], [shift-by], [to-offset]]");
    }

    private static DateTimeOffset Time(string text) => DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset time)
        ? time
        : throw new InvalidDataException($"'{text}' is no time; write YYYY-MM-DDTHH:mm:SS.sss");

    private static TimeSpan Duration(string text)
    {
        if (Quantity.TryParseDuration(text, out TimeSpan ago))
        {
            return ago;
        }
        try
        {
            return XmlConvert.ToTimeSpan(text); // ISO 8601
        }
        catch (FormatException)
        {
            throw new InvalidDataException($"'{text}' is no duration; write PnDTnHnMnS, such as P1DT2H, or 26h");
        }
    }
}
