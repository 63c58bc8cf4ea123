using System.Buffers.Text;
using LogPipeline.Sinks.Parsing;

namespace LogPipeline.Sinks.Tests.Parsing;

/// <summary>Lines <c>text|int|bigint|double|bool|time|address|json</c>, of which each may be empty; text is taken from the scratch where it begins with `!`.</summary>
internal sealed class EveryKindParser : ILineParser
{
    public string Name => "kinds";

    public IReadOnlyList<Column> Columns { get; } = [.. Enum.GetValues<ColumnKind>().Select(kind => new Column($"a_{kind.ToString().ToLowerInvariant()}", kind))];

    public bool TryParse(ReadOnlySpan<byte> line, ref ParsedLine into)
    {
        int column = 0;
        foreach (Range range in line.Split((byte)'|'))
        {
            ReadOnlySpan<byte> text = line[range];
            if (column == into.Fields.Length || !TryTake(text, range.Start.GetOffset(line.Length), Columns[column].Kind, ref into, out into.Fields[column]))
            {
                return false;
            }
            column++;
        }
        return column == into.Fields.Length;
    }

    private static bool TryTake(ReadOnlySpan<byte> text, int start, ColumnKind kind, ref ParsedLine into, out Field field)
    {
        field = default;
        if (text.IsEmpty)
        {
            return true;
        }
        switch (kind)
        {
            case ColumnKind.Text or ColumnKind.Json:
                field = text[0] == '!' ? Field.InScratch(into.Scratch.Append(text[1..]), text.Length - 1) : Field.InLine(start, text.Length);
                return true;
            case ColumnKind.Double:
                bool isDouble = Utf8Parser.TryParse(text, out double number, out int used);
                field = Field.Of(number);
                return isDouble && used == text.Length;
            case ColumnKind.Boolean:
                field = Field.Of(text.SequenceEqual("true"u8));
                return true;
            case ColumnKind.Address:
                return Addresses.TryParse(text, into.Scratch, out field);
            default:
                bool isWhole = Utf8Parser.TryParse(text, out long whole, out int taken);
                field = Field.Of(whole);
                into.EventTime = kind == ColumnKind.Time ? whole : into.EventTime;
                return isWhole && taken == text.Length;
        }
    }
}
