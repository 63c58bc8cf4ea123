using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using LogPipeline.Cli.Printing;
using LogPipeline.Client.Consuming;

namespace LogPipeline.Cli.KafkaTools;

/// <summary>
/// Prints records as Kafka's console consumer does, by its properties: <c>print.timestamp</c>, <c>print.partition</c>, <c>print.offset</c>,
/// <c>print.epoch</c>, <c>print.delivery</c>, <c>print.headers</c>, <c>print.key</c>, <c>print.value</c>, <c>key.separator</c>,
/// <c>line.separator</c>, <c>headers.separator</c>, <c>null.literal</c>. Keys and values are printed as their bytes, or as the numbers that
/// <c>key.deserializer</c> and <c>value.deserializer</c> say.
/// </summary>
internal sealed class RecordFormatter
{
    private static readonly string[] Known =
    [
        "print.timestamp", "print.partition", "print.offset", "print.headers", "print.key", "print.value", "print.epoch", "print.delivery",
        "key.separator", "line.separator", "headers.separator", "null.literal", "key.deserializer", "value.deserializer",
    ];

    private readonly ArrayBufferWriter<byte> _buffer = new();
    private readonly Stream _to;
    private readonly bool _timestamp;
    private readonly bool _partition;
    private readonly bool _offset;
    private readonly bool _epoch;
    private readonly bool _delivery;
    private readonly bool _headers;
    private readonly bool _key;
    private readonly bool _value;
    private readonly byte[] _keySeparator;
    private readonly byte[] _lineSeparator;
    private readonly byte[] _headersSeparator;
    private readonly byte[] _null;
    private readonly int _keyNumberBytes;
    private readonly int _valueNumberBytes;

    public RecordFormatter(Stream to, IReadOnlyDictionary<string, string> properties)
    {
        _to = to;
        (_timestamp, _partition, _offset) = (Is("print.timestamp", false), Is("print.partition", false), Is("print.offset", false));
        (_epoch, _delivery) = (Is("print.epoch", false), Is("print.delivery", false));
        (_headers, _key, _value) = (Is("print.headers", false), Is("print.key", false), Is("print.value", true));
        (_keySeparator, _lineSeparator) = (Bytes("key.separator", "\t"), Bytes("line.separator", "\n"));
        (_headersSeparator, _null) = (Bytes("headers.separator", ","), Bytes("null.literal", "null"));
        (_keyNumberBytes, _valueNumberBytes) = (NumberBytes("key.deserializer"), NumberBytes("value.deserializer"));
        foreach (string unknown in properties.Keys.Except(Known, StringComparer.Ordinal))
        {
            Console.Error.WriteLine($"WARN the property {unknown} is unknown here and ignored");
        }

        bool Is(string name, bool otherwise) => properties.TryGetValue(name, out string? value) ? value.Trim().Equals("true", StringComparison.OrdinalIgnoreCase) : otherwise;

        // Numbers of a Kafka Streams application are printed as numbers; everything else is text, as it comes.
        int NumberBytes(string name)
        {
            string type = properties.GetValueOrDefault(name, "");
            switch (type[(type.LastIndexOf('.') + 1)..])
            {
                case "LongDeserializer":
                    return sizeof(long);
                case "IntegerDeserializer":
                    return sizeof(int);
                case "ShortDeserializer":
                    return sizeof(short);
                case "" or "StringDeserializer" or "ByteArrayDeserializer":
                    return 0;
                default:
                    Console.Error.WriteLine($"WARN {name}={type} is unknown here: bytes are printed as they are");
                    return 0;
            }
        }

        byte[] Bytes(string name, string otherwise) => Encoding.UTF8.GetBytes(properties.GetValueOrDefault(name, otherwise));
    }

    /// <summary>Why a record cannot be printed; null when it can.</summary>
    public string? Problem(in ConsumedRecord record) =>
        _key && _keyNumberBytes > 0 && record.Key is { } key && key.Length != _keyNumberBytes ? $"Size of a key is not {_keyNumberBytes}, which its deserializer wants: {key.Length}"
        : _value && _valueNumberBytes > 0 && record.Value is { } value && value.Length != _valueNumberBytes
            ? $"Size of a value is not {_valueNumberBytes}, which its deserializer wants: {value.Length}"
        : null;

    public void Write(in ConsumedRecord record)
    {
        bool first = true;
        if (_timestamp)
        {
            Field(ref first, $"{(record.HasAppendTime ? "LogAppendTime" : "CreateTime")}:{Text(record.Timestamp)}");
        }
        if (_partition)
        {
            Field(ref first, $"Partition:{Text(record.Partition.Partition)}");
        }
        if (_offset)
        {
            Field(ref first, $"Offset:{Text(record.Offset)}");
        }
        if (_epoch)
        {
            Field(ref first, $"Epoch:{(record.LeaderEpoch >= 0 ? Text(record.LeaderEpoch) : "NOT_PRESENT")}");
        }
        if (_delivery)
        {
            Field(ref first, "Delivery:NOT_PRESENT"); // share groups count deliveries
        }
        if (_headers)
        {
            Separate(ref first);
            WriteHeaders(record);
        }
        if (_key)
        {
            Separate(ref first);
            WriteBytes(record.Key, _keyNumberBytes);
        }
        if (_value)
        {
            Separate(ref first);
            WriteBytes(record.Value, _valueNumberBytes);
        }
        if (!first)
        {
            _buffer.Write(_lineSeparator);
        }
    }

    public async ValueTask FlushAsync()
    {
        await _to.WriteAsync(_buffer.WrittenMemory);
        await _to.FlushAsync();
        _buffer.ResetWrittenCount();
    }

    private void WriteHeaders(in ConsumedRecord record)
    {
        if (record.HeaderCount == 0)
        {
            _buffer.Write("NO_HEADERS"u8);
        }
        var reader = new HeaderCursor(record.EncodedHeaders);
        for (int i = 0; i < record.HeaderCount; i++)
        {
            (string name, ReadOnlyMemory<byte>? value) = reader.Next();
            if (i > 0)
            {
                _buffer.Write(_headersSeparator);
            }
            _buffer.Write(Encoding.UTF8.GetBytes(name + ":"));
            WriteBytes(value);
        }
    }

    private void Field(ref bool first, string text)
    {
        Separate(ref first);
        _buffer.Write(Encoding.UTF8.GetBytes(text));
    }

    private void Separate(ref bool first)
    {
        if (!first)
        {
            _buffer.Write(_keySeparator);
        }
        first = false;
    }

    /// <param name="bytes">What to print; null prints <c>null.literal</c>.</param>
    /// <param name="numberBytes">The size of a big-endian number that is printed as one; 0: the bytes themselves.</param>
    private void WriteBytes(ReadOnlyMemory<byte>? bytes, int numberBytes = 0)
    {
        if (bytes is { } number && numberBytes > 0)
        {
            long value = numberBytes switch
            {
                sizeof(long) => BinaryPrimitives.ReadInt64BigEndian(number.Span),
                sizeof(int) => BinaryPrimitives.ReadInt32BigEndian(number.Span),
                _ => BinaryPrimitives.ReadInt16BigEndian(number.Span),
            };
            _buffer.Write(Encoding.UTF8.GetBytes(Text(value)));
            return;
        }
        _buffer.Write(bytes is { } given ? given.Span : _null);
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
