using System.Globalization;
using System.Text;
using System.Text.Json;

namespace LogPipeline.Sinks.Parsing;

/// <summary>
/// JSON of a line as PostgreSQL takes it. Its jsonb refuses <c>\u0000</c> and half a surrogate pair, though JSON allows them: they become
/// U+2400 and U+FFFD, as in a line's text. A number beyond its numeric's range becomes a string.
/// </summary>
internal static class JsonText
{
    private const int NumberLengthMax = 300;
    private const int EscapeLength = 6; // \u0000

    /// <summary>Appends a value, checked to be JSON, without the blanks between its tokens.</summary>
    /// <exception cref="JsonException">It is not JSON.</exception>
    public static void Append(ReadOnlySpan<byte> json, PooledBytes to)
    {
        var reader = new Utf8JsonReader(json);
        bool isFirst = true;
        while (reader.Read())
        {
            JsonTokenType token = reader.TokenType;
            if (token is JsonTokenType.EndObject or JsonTokenType.EndArray)
            {
                to.Append(token == JsonTokenType.EndObject ? "}"u8 : "]"u8);
                isFirst = false;
                continue;
            }
            to.Append(isFirst ? ""u8 : ","u8);
            isFirst = token is JsonTokenType.StartObject or JsonTokenType.StartArray or JsonTokenType.PropertyName;
            AppendToken(ref reader, to);
        }
    }

    /// <summary>Appends a text as a JSON string.</summary>
    public static void AppendText(ReadOnlySpan<byte> text, PooledBytes to)
    {
        to.Append("\""u8);
        while (text.IndexOfAnyInRange((byte)0, (byte)0x1F) is var control && text.IndexOfAny((byte)'"', (byte)'\\') is var escaped && Math.Max(control, escaped) >= 0)
        {
            int at = control < 0 ? escaped : escaped < 0 ? control : Math.Min(control, escaped);
            to.Append(text[..at]);
            byte c = text[at];
            to.Append(c >= ' ' ? [(byte)'\\', c] : [(byte)'\\', (byte)'u', (byte)'0', (byte)'0', (byte)('0' + (c >> 4)), "0123456789abcdef"u8[c & 15]]);
            text = text[(at + 1)..];
        }
        to.Append(text);
        to.Append("\""u8);
    }

    /// <summary>Appends what a string between its quotes stands for.</summary>
    public static void Unescape(ReadOnlySpan<byte> text, PooledBytes to)
    {
        while (text.IndexOf((byte)'\\') is >= 0 and var at)
        {
            to.Append(text[..at]);
            char escape = (char)text[at + 1];
            text = text[(at + 2)..];
            if (escape != 'u')
            {
                to.Append([escape switch { 'b' => (byte)'\b', 'f' => (byte)'\f', 'n' => (byte)'\n', 'r' => (byte)'\r', 't' => (byte)'\t', _ => (byte)escape }]);
                continue;
            }
            char unit = Unit(text);
            text = text[4..];
            Rune rune = unit == 0 ? new Rune(0x2400) : Rune.ReplacementChar;
            if (char.IsHighSurrogate(unit) && IsLow(text))
            {
                rune = new Rune(unit, Unit(text[2..]));
                text = text[EscapeLength..];
            }
            else if (unit != 0 && !char.IsSurrogate(unit))
            {
                rune = new Rune(unit);
            }
            to.Used += rune.EncodeToUtf8(to.Reserve(4));
        }
        to.Append(text);
    }

    private static void AppendToken(ref Utf8JsonReader reader, PooledBytes to)
    {
        ReadOnlySpan<byte> value = reader.ValueSpan;
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject: to.Append("{"u8); break;
            case JsonTokenType.StartArray: to.Append("["u8); break;
            case JsonTokenType.PropertyName:
                AppendString(value, to);
                to.Append(":"u8);
                break;
            case JsonTokenType.String: AppendString(value, to); break;
            case JsonTokenType.Number when IsBeyondRange(value): AppendString(value, to); break;
            default: to.Append(value); break;
        }
    }

    private static bool IsBeyondRange(ReadOnlySpan<byte> number) => number.Length > NumberLengthMax
        || number.IndexOfAny((byte)'e', (byte)'E') is >= 0 and var at
            && !(int.TryParse(number[(at + 1)..], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int exponent) && exponent is > -NumberLengthMax and < NumberLengthMax);

    /// <summary>Every escape stands for one of the same length, so the text keeps its own.</summary>
    private static void AppendString(ReadOnlySpan<byte> raw, PooledBytes to)
    {
        Span<byte> copy = to.Reserve(raw.Length + 2)[..(raw.Length + 2)];
        copy[0] = copy[^1] = (byte)'"';
        Span<byte> text = copy[1..^1];
        raw.CopyTo(text);
        for (int at = 0; text[at..].IndexOf((byte)'\\') is >= 0 and var found;)
        {
            at += found;
            if (text[at + 1] != 'u')
            {
                at += 2;
                continue;
            }
            char unit = Unit(text[(at + 2)..]);
            bool isPair = char.IsHighSurrogate(unit) && IsLow(text[(at + EscapeLength)..]);
            if (unit == 0 || (char.IsSurrogate(unit) && !isPair))
            {
                (unit == 0 ? "2400"u8 : "fffd"u8).CopyTo(text[(at + 2)..]);
            }
            at += isPair ? 2 * EscapeLength : EscapeLength;
        }
        to.Used += copy.Length;
    }

    private static bool IsLow(ReadOnlySpan<byte> text) => text.Length >= EscapeLength && text[0] == '\\' && text[1] == 'u' && char.IsLowSurrogate(Unit(text[2..]));

    private static char Unit(ReadOnlySpan<byte> digits) => (char)ushort.Parse(digits[..4], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
}
