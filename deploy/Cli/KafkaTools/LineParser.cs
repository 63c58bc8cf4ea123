using System.Globalization;
using System.Text;
using LogPipeline.Client.Producing;

namespace LogPipeline.Cli.KafkaTools;

/// <summary>
/// Makes a record of a line, by the properties of Kafka's console producer: <c>parse.key</c>, <c>key.separator</c>, <c>parse.headers</c>,
/// <c>headers.delimiter</c>, <c>headers.separator</c>, <c>headers.key.separator</c>, <c>null.marker</c>, <c>ignore.error</c>. A line is
/// <c>[headers delimiter] [key separator] value</c>; values are bytes and stay as they are.
/// </summary>
internal sealed class LineParser
{
    private static readonly string[] Known =
        ["parse.key", "key.separator", "parse.headers", "headers.delimiter", "headers.separator", "headers.key.separator", "null.marker", "ignore.error"];

    private readonly string _topic;
    private readonly byte[]? _keySeparator;
    private readonly byte[]? _headersDelimiter;
    private readonly string _headersSeparator;
    private readonly string _headerKeySeparator;
    private readonly byte[]? _nullMarker;
    private readonly bool _ignoresErrors;
    private long _line;

    public LineParser(string topic, IReadOnlyDictionary<string, string> properties)
    {
        _topic = topic;
        _keySeparator = IsTrue("parse.key") ? Bytes("key.separator", "\t") : null;
        _headersDelimiter = IsTrue("parse.headers") ? Bytes("headers.delimiter", "\t") : null;
        _headersSeparator = properties.GetValueOrDefault("headers.separator", ",");
        _headerKeySeparator = properties.GetValueOrDefault("headers.key.separator", ":");
        _nullMarker = properties.ContainsKey("null.marker") ? Bytes("null.marker", "") : null;
        _ignoresErrors = IsTrue("ignore.error");
        foreach (string unknown in properties.Keys.Except(Known, StringComparer.Ordinal))
        {
            Console.Error.WriteLine($"WARN the property {unknown} is unknown here and ignored");
        }

        bool IsTrue(string name) => properties.TryGetValue(name, out string? value) && value.Trim().Equals("true", StringComparison.OrdinalIgnoreCase);

        byte[] Bytes(string name, string otherwise) => Encoding.UTF8.GetBytes(properties.GetValueOrDefault(name, otherwise));
    }

    /// <exception cref="KafkaToolException">A separator is missing, and <c>ignore.error</c> is not set.</exception>
    public ProducerRecord Parse(ReadOnlyMemory<byte> line)
    {
        _line++;
        ReadOnlyMemory<byte> rest = line;
        List<RecordHeader>? headers = null;
        if (_headersDelimiter is not null && Cut(ref rest, _headersDelimiter, "headers delimiter", line) is { } encoded && !IsNull(encoded))
        {
            headers = [.. Encoding.UTF8.GetString(encoded.Span).Split(_headersSeparator).Select(Header)];
        }
        ReadOnlyMemory<byte>? key = _keySeparator is null ? null : Cut(ref rest, _keySeparator, "key separator", line);
        return new ProducerRecord
        {
            Topic = _topic,
            Key = key is { } found && IsNull(found) ? (ReadOnlyMemory<byte>?)null : key,
            Value = IsNull(rest) ? (ReadOnlyMemory<byte>?)null : rest,
            Headers = headers,
        };
    }

    // What stands before the separator, which is taken off; null when it is missing and errors are ignored.
    private ReadOnlyMemory<byte>? Cut(ref ReadOnlyMemory<byte> rest, byte[] separator, string what, ReadOnlyMemory<byte> line)
    {
        int at = rest.Span.IndexOf(separator);
        if (at < 0)
        {
            return _ignoresErrors ? null : throw Wrong($"No {what} found on line number {Number}: '{Encoding.UTF8.GetString(line.Span)}'");
        }
        ReadOnlyMemory<byte> before = rest[..at];
        rest = rest[(at + separator.Length)..];
        return before;
    }

    private RecordHeader Header(string text)
    {
        int at = text.IndexOf(_headerKeySeparator, StringComparison.Ordinal);
        if (at < 0)
        {
            return _ignoresErrors
                ? new RecordHeader(text, null)
                : throw Wrong($"No header key separator found in pair '{text}' on line number {Number}");
        }
        byte[] value = Encoding.UTF8.GetBytes(text[(at + _headerKeySeparator.Length)..]);
        return new RecordHeader(text[..at], IsNull(value) ? null : value);
    }

    private string Number => _line.ToString(CultureInfo.InvariantCulture);

    private bool IsNull(ReadOnlyMemory<byte> text) => _nullMarker is not null && text.Span.SequenceEqual(_nullMarker);

    private static KafkaToolException Wrong(string message) => new(message, "org.apache.kafka.common.KafkaException");
}
