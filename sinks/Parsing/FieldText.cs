using System.Buffers.Text;
using System.Text;
using System.Text.Json;
using LogPipeline.Files;

namespace LogPipeline.Sinks.Parsing;

/// <summary>Values written as text, as fields of a column's kind.</summary>
internal static class FieldText
{
    private static readonly (string Name, ColumnKind Kind)[] Kinds =
    [
        ("text", ColumnKind.Text), ("int", ColumnKind.Integer), ("bigint", ColumnKind.BigInteger), ("double", ColumnKind.Double),
        ("bool", ColumnKind.Boolean), ("time", ColumnKind.Time), ("inet", ColumnKind.Address), ("json", ColumnKind.Json),
    ];

    /// <summary>What a kind is called in the configuration.</summary>
    public static string NameOf(ColumnKind kind) => Array.Find(Kinds, one => one.Kind == kind).Name;

    /// <exception cref="SinkConfigurationException">Names the nearest type.</exception>
    public static ColumnKind KindOf(string name, string column) => Array.FindIndex(Kinds, one => one.Name == name) is >= 0 and var at ? Kinds[at].Kind
        : throw new SinkConfigurationException($"type {name} of column {column} is unknown: "
            + (NearestName.Find(name, Kinds.Select(one => one.Name)) is { } near ? $"did you mean {near}?" : $"write {string.Join(", ", Kinds.Select(one => one.Name))}"));

    /// <summary>Reads a stretch of the line, or of the scratch; false where it is no value of the kind. An empty one is no value, but of text.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, Field at, ColumnKind kind, TimeFormat time, ref ParsedLine into, out Field field)
    {
        ReadOnlySpan<byte> text = bytes.Slice(at.Start, at.Length);
        field = default;
        if (kind == ColumnKind.Text)
        {
            field = at;
            return true;
        }
        if (text.IsEmpty)
        {
            return true;
        }
        if (at.Place == FieldPlace.Scratch && kind is ColumnKind.Address or ColumnKind.Json)
        {
            text = text.ToArray(); // the scratch may move while these append to it
        }
        int used;
        switch (kind)
        {
            case ColumnKind.Integer:
                bool isInteger = Utf8Parser.TryParse(text, out int integer, out used) && used == text.Length;
                field = Field.Of((long)integer);
                return isInteger;
            case ColumnKind.BigInteger:
                bool isBig = Utf8Parser.TryParse(text, out long big, out used) && used == text.Length;
                field = Field.Of(big);
                return isBig;
            case ColumnKind.Double:
                bool isDouble = Utf8Parser.TryParse(text, out double number, out used) && used == text.Length && double.IsFinite(number);
                field = Field.Of(number);
                return isDouble;
            case ColumnKind.Boolean:
                bool isTrue = Ascii.EqualsIgnoreCase(text, "true"u8) || text.SequenceEqual("1"u8);
                field = Field.Of(isTrue);
                return isTrue || Ascii.EqualsIgnoreCase(text, "false"u8) || text.SequenceEqual("0"u8);
            case ColumnKind.Time:
                bool isTime = time.TryParse(text, into.RecordTime, out long microseconds);
                field = Field.Of(microseconds);
                return isTime;
            case ColumnKind.Address:
                return Addresses.TryParse(text, into.Scratch, out field);
            default:
                return TryJson(text, into.Scratch, out field);
        }
    }

    private static bool TryJson(ReadOnlySpan<byte> text, PooledBytes scratch, out Field field)
    {
        int start = scratch.Used;
        field = default;
        try
        {
            var reader = new Utf8JsonReader(text);
            reader.Read();
            int from = (int)reader.TokenStartIndex;
            reader.Skip();
            ReadOnlySpan<byte> value = text[from..(int)reader.BytesConsumed];
            if (reader.Read())
            {
                return false;
            }
            JsonText.Append(value, scratch);
        }
        catch (JsonException)
        {
            scratch.Used = start;
            return false;
        }
        field = Field.InScratch(start, scratch.Used - start);
        return true;
    }
}
