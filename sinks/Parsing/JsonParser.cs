using System.Text.Json;

namespace LogPipeline.Sinks.Parsing;

/// <summary>
/// A line that is a JSON object. Its members become columns as <see cref="KeyedColumns"/> says, also those of objects in it (<c>user.id</c>); the
/// others are kept as JSON. A line in which a value is not of its column's type is not of the form.
/// </summary>
internal sealed class JsonParser(ParserOptions options) : ILineParser
{
    private const int MembersMax = 256; // that can be taken out of the rest
    private const int PathMax = 256; // bytes

    private readonly KeyedColumns _columns = new(options);

    public string Name => "json";

    public string Settings { get; } = options.Settings;

    public IReadOnlyList<Column> Columns => _columns.All;

    public bool TryParse(ReadOnlySpan<byte> line, ref ParsedLine into)
    {
        ReadOnlySpan<byte> trimmed = line.Trim(" \t\r\n"u8);
        if (trimmed.Length < 2 || trimmed[0] != '{' || trimmed[^1] != '}')
        {
            return false; // told without an exception
        }
        Span<bool> taken = stackalloc bool[MembersMax];
        taken.Clear();
        try
        {
            Span<byte> path = stackalloc byte[PathMax];
            return TryMembers(line, 0, path, 0, taken, ref into) && KeepRest(line, taken, ref into);
        }
        catch (JsonException)
        {
            return false;
        }
    }

    /// <summary>Reads the members of an object, which lies at a place in the line; <paramref name="path"/> leads to it.</summary>
    private bool TryMembers(ReadOnlySpan<byte> json, int start, scoped Span<byte> path, int pathLength, scoped Span<bool> taken, ref ParsedLine into)
    {
        var reader = new Utf8JsonReader(json);
        reader.Read();
        for (int member = 0; reader.Read() && reader.TokenType == JsonTokenType.PropertyName; member++)
        {
            int keyLength = Math.Min(reader.ValueSpan.Length, PathMax);
            bool fits = pathLength + keyLength < PathMax && !reader.ValueIsEscaped;
            if (fits)
            {
                reader.ValueSpan.CopyTo(path[pathLength..]);
            }
            ReadOnlySpan<byte> key = fits ? path[..(pathLength + keyLength)] : default;
            reader.Read();
            int from = (int)reader.TokenStartIndex;
            JsonTokenType token = reader.TokenType;
            bool isEscaped = token == JsonTokenType.String && reader.ValueIsEscaped;
            reader.Skip();
            ReadOnlySpan<byte> value = json[from..(int)reader.BytesConsumed];
            if (_columns.HasPaths && fits && token == JsonTokenType.StartObject && _columns.LeadsInto(key))
            {
                path[key.Length] = (byte)'.';
                if (!TryMembers(value, start + from, path, key.Length + 1, default, ref into))
                {
                    return false;
                }
            }
            int column = fits ? _columns.Find(key) : KeyedColumns.None;
            bool isTaken = false;
            if (column != KeyedColumns.None && !TryTake(column, value, start + from, token, isEscaped, ref into, out isTaken))
            {
                return false;
            }
            if (member < taken.Length)
            {
                taken[member] = isTaken;
            }
        }
        return !reader.Read(); // throws where something follows
    }

    private bool TryTake(int column, ReadOnlySpan<byte> value, int start, JsonTokenType token, bool isEscaped, ref ParsedLine into, out bool isTaken)
    {
        isTaken = true;
        ColumnKind kind = column >= 0 ? Columns[column].Kind : ColumnKind.Time;
        bool isContainer = token is JsonTokenType.StartObject or JsonTokenType.StartArray;
        if (token == JsonTokenType.Null)
        {
            return true;
        }
        if (kind == ColumnKind.Json || (isContainer && kind == ColumnKind.Text))
        {
            int at = into.Scratch.Used;
            JsonText.Append(value, into.Scratch);
            into.Fields[column] = Field.InScratch(at, into.Scratch.Used - at);
            return true;
        }
        if (token != JsonTokenType.String)
        {
            return _columns.TryTake(column, value, Field.InLine(0, value.Length), ref into, out isTaken) && Moved(isTaken ? column : KeyedColumns.None, start, ref into);
        }
        if (!isEscaped)
        {
            return _columns.TryTake(column, value, Field.InLine(1, value.Length - 2), ref into, out isTaken) && Moved(isTaken ? column : KeyedColumns.None, start, ref into);
        }
        int begin = into.Scratch.Used;
        JsonText.Unescape(value[1..^1], into.Scratch);
        int length = into.Scratch.Used - begin;
        return _columns.TryTake(column, into.Scratch.Span(0, into.Scratch.Used), Field.InScratch(begin, length), ref into, out isTaken);
    }

    /// <summary>A stretch of the value becomes one of the line.</summary>
    private static bool Moved(int column, int start, ref ParsedLine into)
    {
        if (column >= 0 && into.Fields[column] is { Place: FieldPlace.Line } field)
        {
            into.Fields[column] = Field.InLine(start + field.Start, field.Length);
        }
        return true;
    }

    private bool KeepRest(ReadOnlySpan<byte> line, scoped ReadOnlySpan<bool> taken, ref ParsedLine into)
    {
        int begin = into.Scratch.Used;
        into.Scratch.Append("{"u8);
        var reader = new Utf8JsonReader(line);
        reader.Read();
        for (int member = 0; reader.Read() && reader.TokenType == JsonTokenType.PropertyName; member++)
        {
            ReadOnlySpan<byte> key = line[(int)reader.TokenStartIndex..((int)reader.TokenStartIndex + reader.ValueSpan.Length + 2)];
            reader.Read();
            int from = (int)reader.TokenStartIndex;
            reader.Skip();
            if (member < taken.Length && taken[member])
            {
                continue;
            }
            into.Scratch.Append(into.Scratch.Used > begin + 1 ? ","u8 : ""u8);
            JsonText.Append(key, into.Scratch);
            into.Scratch.Append(":"u8);
            JsonText.Append(line[from..(int)reader.BytesConsumed], into.Scratch);
        }
        into.Scratch.Append("}"u8);
        if (into.Scratch.Used > begin + 2)
        {
            into.Fields[_columns.Rest] = Field.InScratch(begin, into.Scratch.Used - begin);
        }
        return true;
    }
}
