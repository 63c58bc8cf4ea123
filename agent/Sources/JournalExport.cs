using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;

namespace LogPipeline.Agent.Sources;

/// <summary>
/// Reads systemd's journal export format (systemd.io/JOURNAL_EXPORT_FORMATS) and gives each entry as one JSON line with journald's own field names:
/// <code>
///   KEY=text LF
///   KEY LF  length u64 little endian  bytes LF     where a value holds a line feed or is no text
///   LF                                             the entry ends
/// </code>
/// As in <c>journalctl -o json</c>, a field that is given twice is a list, a value that is no UTF-8 a list of its bytes, and one that is
/// longer than a bound is null. The bound of MESSAGE, which is the line that was logged, is 512 KiB, that of other fields 64 KiB.
/// </summary>
/// <param name="after">The cursor of an entry that is left out where the stream begins with it: what comes behind it is wanted. Null = none is.</param>
internal sealed class JournalExport(string? after = null) : ILineFraming
{
    public const string CursorField = "__CURSOR";

    private const string MessageField = "MESSAGE";
    private const int MessageBytesMax = 512 << 10;
    private const int FieldBytesMax = 64 << 10;
    private const int EntryBytesMax = 1 << 20;
    private const int LineBytesMax = 16 << 20;

    private static readonly JsonWriterOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly StreamRest _rest = new();
    private readonly List<(string Key, byte[]? Value)> _fields = [];
    private string? _after = after;
    private int _entryBytes;
    private ulong _skip;

    /// <summary>Called for a MESSAGE that is too long, with its length in bytes.</summary>
    public Action<ulong>? MessageLeftOut { get; init; }

    /// <summary>Adds bytes of the stream, and a line for each entry that is whole to <paramref name="lines"/>.</summary>
    /// <exception cref="InvalidDataException">This is no export stream.</exception>
    public void Add(ReadOnlySpan<byte> bytes, IBufferWriter<byte> lines)
    {
        _rest.Add(bytes);
        ReadOnlySpan<byte> left = _rest.Bytes;
        while (TryTake(ref left, lines))
        {
        }
        if (left.Length > LineBytesMax)
        {
            throw new InvalidDataException("a field of the journal's export has no end");
        }
        _rest.Keep(left.Length);
    }

    /// <summary>An entry that is not whole is no line: the journal has it still.</summary>
    public void End(IBufferWriter<byte> lines)
    {
    }

    /// <summary>The cursor in a line that <see cref="Add"/> gave; null when it is no such line.</summary>
    public static string? CursorOf(ReadOnlySpan<byte> line)
    {
        var reader = new Utf8JsonReader(line);
        try
        {
            while (reader.Read())
            {
                if (reader.TokenType == JsonTokenType.PropertyName && reader.CurrentDepth == 1 && reader.ValueTextEquals(CursorField))
                {
                    return reader.Read() ? reader.GetString() : null;
                }
            }
        }
        catch (Exception damaged) when (damaged is JsonException or InvalidOperationException)
        {
            // A line that a crash cut.
        }
        return null;
    }

    /// <summary>Whether a line is the whole of one that <see cref="Add"/> gave.</summary>
    public static bool IsEntry(ReadOnlySpan<byte> line)
    {
        var reader = new Utf8JsonReader(line);
        try
        {
            while (reader.Read())
            {
            }
        }
        catch (JsonException)
        {
            return false;
        }
        return CursorOf(line) is not null;
    }

    private bool TryTake(ref ReadOnlySpan<byte> left, IBufferWriter<byte> lines)
    {
        if (_skip > 0)
        {
            int skipped = (int)Math.Min(_skip, (ulong)left.Length);
            left = left[skipped..];
            _skip -= (ulong)skipped;
            return skipped > 0;
        }
        int end = left.IndexOf((byte)'\n');
        if (end < 0)
        {
            return false;
        }
        ReadOnlySpan<byte> line = left[..end];
        if (line.IsEmpty)
        {
            EndEntry(lines);
            left = left[1..];
            return true;
        }
        int equals = line.IndexOf((byte)'=');
        if (equals >= 0)
        {
            Keep(Encoding.ASCII.GetString(line[..equals]), line[(equals + 1)..]);
            left = left[(end + 1)..];
            return true;
        }
        return TryTakeBinary(ref left, end);
    }

    private bool TryTakeBinary(ref ReadOnlySpan<byte> left, int end)
    {
        ReadOnlySpan<byte> value = left[(end + 1)..];
        if (value.Length < sizeof(ulong))
        {
            return false;
        }
        ulong length = BinaryPrimitives.ReadUInt64LittleEndian(value);
        value = value[sizeof(ulong)..];
        string key = Encoding.ASCII.GetString(left[..end]);
        if (length > (ulong)BoundOf(key))
        {
            LeaveOut(key, length);
            _skip = length + 1;
            left = value;
            return true;
        }
        if ((ulong)value.Length < length + 1)
        {
            return false;
        }
        Keep(key, value[..(int)length]);
        left = value[((int)length + 1)..];
        return true;
    }

    private static int BoundOf(string key) => key == MessageField ? MessageBytesMax : FieldBytesMax;

    private void Keep(string key, ReadOnlySpan<byte> value)
    {
        if (value.Length > BoundOf(key) || _entryBytes + value.Length > EntryBytesMax)
        {
            LeaveOut(key, (ulong)value.Length);
            return;
        }
        _entryBytes += value.Length;
        _fields.Add((key, value.ToArray()));
    }

    private void LeaveOut(string key, ulong length)
    {
        _fields.Add((key, null));
        if (key == MessageField)
        {
            MessageLeftOut?.Invoke(length);
        }
    }

    private void EndEntry(IBufferWriter<byte> lines)
    {
        if (_fields.Count > 0 && !IsLeftOut())
        {
            using (var json = new Utf8JsonWriter(lines, Json))
            {
                json.WriteStartObject();
                foreach (IGrouping<string, byte[]?> field in _fields.GroupBy(static field => field.Key, static field => field.Value))
                {
                    json.WritePropertyName(field.Key);
                    WriteAll(json, [.. field]);
                }
                json.WriteEndObject();
            }
            lines.Write("\n"u8);
        }
        _fields.Clear();
        _entryBytes = 0;
    }

    private bool IsLeftOut()
    {
        string? after = _after;
        _after = null;
        return after is not null && _fields.Exists(field => field.Key == CursorField && field.Value.AsSpan().SequenceEqual(Encoding.ASCII.GetBytes(after)));
    }

    private static void WriteAll(Utf8JsonWriter json, List<byte[]?> values)
    {
        if (values.Count == 1)
        {
            WriteValue(json, values[0]);
            return;
        }
        json.WriteStartArray();
        values.ForEach(value => WriteValue(json, value));
        json.WriteEndArray();
    }

    private static void WriteValue(Utf8JsonWriter json, byte[]? value)
    {
        if (value is null)
        {
            json.WriteNullValue();
        }
        else if (Utf8.IsValid(value))
        {
            json.WriteStringValue(value);
        }
        else
        {
            json.WriteStartArray();
            foreach (byte one in value)
            {
                json.WriteNumberValue(one);
            }
            json.WriteEndArray();
        }
    }
}
