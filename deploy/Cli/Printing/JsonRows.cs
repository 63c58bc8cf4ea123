using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using LogPipeline.Sinks.Query;

namespace LogPipeline.Cli.Printing;

/// <summary>One JSON object a row and line; <c>array</c> puts brackets around all of them and commas between. Raw bytes are base64.</summary>
internal sealed class JsonRows(IReadOnlyList<RowColumn> columns, TextWriter output, bool array) : IRowWriter
{
    private static readonly JsonWriterOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly ArrayBufferWriter<byte> _object = new();
    private bool _any;

    public void Write(LogRow row)
    {
        if (array)
        {
            output.Write(_any ? ",\n" : "[\n");
        }
        _any = true;
        _object.ResetWrittenCount();
        using (var writer = new Utf8JsonWriter(_object, Readable))
        {
            writer.WriteStartObject();
            foreach (RowColumn column in columns)
            {
                Write(writer, column.Name, column.Of(row));
            }
            writer.WriteEndObject();
        }
        output.Write(Encoding.UTF8.GetString(_object.WrittenSpan));
        if (!array)
        {
            output.Write('\n');
        }
    }

    public void End()
    {
        if (array)
        {
            output.Write(_any ? "\n]\n" : "[]\n");
        }
    }

    private static void Write(Utf8JsonWriter writer, string name, object? value)
    {
        switch (value)
        {
            case null: writer.WriteNull(name); break;
            case string text: writer.WriteString(name, text); break;
            case bool flag: writer.WriteBoolean(name, flag); break;
            case int number: writer.WriteNumber(name, number); break;
            case long number: writer.WriteNumber(name, number); break;
            case double number: writer.WriteNumber(name, number); break;
            case byte[] bytes: writer.WriteBase64String(name, bytes); break;
            case DateTimeOffset time: writer.WriteString(name, Times.Exact(time)); break;
            default: writer.WriteString(name, Convert.ToString(value, CultureInfo.InvariantCulture)); break;
        }
    }
}
