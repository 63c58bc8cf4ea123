using System.Buffers;
using System.Text;
using System.Text.Json;
using LogPipeline.Client.Consuming;
using LogPipeline.Hosting;

namespace LogPipeline.Cli.Printing;

/// <summary>How records are written, each with a line feed behind it.</summary>
internal enum RecordForm
{
    /// <summary>The value, byte for byte: for files and programs.</summary>
    Bytes,

    /// <summary>The value as text without characters that a terminal obeys: for people.</summary>
    Text,

    /// <summary>One object a record.</summary>
    Json,
}

/// <summary>Writes records for people and programs.</summary>
internal sealed class RecordOutput(Stream to, RecordForm form) : IAsyncDisposable
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);
    private readonly ArrayBufferWriter<byte> _buffer = new();

    public void Write(in ConsumedRecord record)
    {
        switch (form)
        {
            case RecordForm.Json:
                WriteJson(record);
                break;
            case RecordForm.Text:
                WriteText(record.Value.GetValueOrDefault().Span);
                break;
            default:
                _buffer.Write(record.Value.GetValueOrDefault().Span);
                break;
        }
        _buffer.Write("\n"u8);
    }

    public async ValueTask FlushAsync()
    {
        await to.WriteAsync(_buffer.WrittenMemory);
        await to.FlushAsync();
        _buffer.ResetWrittenCount();
    }

    public async ValueTask DisposeAsync() => await to.DisposeAsync();

    // A record of several lines, such as a stack trace, stays one.
    private void WriteText(ReadOnlySpan<byte> value) =>
        Encoding.UTF8.GetBytes(string.Join('\n', Encoding.UTF8.GetString(value).Split('\n').Select(ControlCharacters.Show)), _buffer);

    private void WriteJson(in ConsumedRecord record)
    {
        using var writer = new Utf8JsonWriter(_buffer, new JsonWriterOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        writer.WriteStartObject();
        writer.WriteString("topic", record.Partition.Topic);
        writer.WriteNumber("partition", record.Partition.Partition);
        writer.WriteNumber("offset", record.Offset);
        writer.WriteString("timestamp", Times.Exact(DateTimeOffset.FromUnixTimeMilliseconds(record.Timestamp)));
        WriteBytes(writer, "key", record.Key);
        writer.WriteStartObject("headers");
        WriteHeaders(writer, record);
        writer.WriteEndObject();
        WriteBytes(writer, "value", record.Value);
        writer.WriteEndObject();
    }

    private static void WriteHeaders(Utf8JsonWriter writer, in ConsumedRecord record)
    {
        var reader = new HeaderCursor(record.EncodedHeaders);
        for (int i = 0; i < record.HeaderCount; i++)
        {
            (string? key, ReadOnlyMemory<byte>? value) = reader.Next();
            WriteBytes(writer, key, value);
        }
    }

    // Text where the bytes are text, else { "base64": … }: nothing is lost in either form.
    private static void WriteBytes(Utf8JsonWriter writer, string name, ReadOnlyMemory<byte>? bytes)
    {
        if (bytes is not { } value)
        {
            writer.WriteNull(name);
            return;
        }
        try
        {
            writer.WriteString(name, Strict.GetString(value.Span));
        }
        catch (DecoderFallbackException)
        {
            writer.WriteStartObject(name);
            writer.WriteBase64String("base64", value.Span);
            writer.WriteEndObject();
        }
    }
}
