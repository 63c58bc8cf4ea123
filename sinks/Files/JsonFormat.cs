using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Parsing;
using LogPipeline.Sinks.Rows;

namespace LogPipeline.Sinks.Files;

/// <summary>
/// One JSON object a line, with the columns of the view that databases have: what is not there is left out, <c>raw</c> is base64 and only there
/// where the line is not the record's bytes.
/// </summary>
internal sealed class JsonFormat(IReadOnlyList<Column> columns) : IRowFormat, IDisposable
{
    public static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly Utf8JsonWriter _json = new(Stream.Null, Options);
    private readonly JsonEncodedText[] _names = [.. columns.Select(column => JsonEncodedText.Encode(column.Name))];
    private readonly byte[] _address = new byte[Addresses.TextLengthMax];

    public string Extension => ".ndjson";

    public ReadOnlySpan<byte> Header => [];

    public void Write(ArrayBufferWriter<byte> to, LogIdentity log, RowBatch rows, int index)
    {
        ref readonly Row row = ref rows.Rows[index];
        ReadOnlySpan<byte> text = rows.Text(row);
        _json.Reset(to);
        _json.WriteStartObject();
        _json.WriteString("topic"u8, log.Topic);
        _json.WriteNumber("partition"u8, log.Partition);
        _json.WriteNumber("log_offset"u8, row.Offset);
        _json.WriteString("time"u8, DateTime.UnixEpoch.AddMicroseconds(row.EventTime));
        if (row.Source >= 0)
        {
            Source source = rows.Sources[row.Source];
            _json.WriteString("host"u8, source.Host);
            _json.WriteString("file"u8, source.File);
            _json.WriteString("generation"u8, source.Key.GenerationText);
            _json.WriteNumber("file_offset"u8, row.LineBegin);
        }
        _json.WriteNumber("part"u8, row.Part);
        _json.WriteString("line"u8, text);
        if (!row.IsExact)
        {
            _json.WriteBase64String("raw"u8, rows.Value(row));
        }
        _json.WriteBoolean("parsed"u8, row.IsParsed);
        ReadOnlySpan<Field> fields = rows.Fields(index);
        for (int i = 0; i < fields.Length; i++)
        {
            if (fields[i].HasValue)
            {
                Write(_names[i], columns[i].Kind, fields[i], rows, text);
            }
        }
        _json.WriteEndObject();
        _json.Flush();
        to.Write("\n"u8);
    }

    public void Dispose() => _json.Dispose();

    private void Write(JsonEncodedText name, ColumnKind kind, in Field field, RowBatch rows, ReadOnlySpan<byte> text)
    {
        switch (kind)
        {
            case ColumnKind.Integer or ColumnKind.BigInteger:
                _json.WriteNumber(name, field.Number);
                break;
            case ColumnKind.Double:
                _json.WriteNumber(name, field.Double);
                break;
            case ColumnKind.Boolean:
                _json.WriteBoolean(name, field.Number != 0);
                break;
            case ColumnKind.Time:
                _json.WriteString(name, DateTime.UnixEpoch.AddMicroseconds(field.Number));
                break;
            case ColumnKind.Json:
                _json.WritePropertyName(name);
                _json.WriteRawValue(rows.Bytes(field, text), skipInputValidation: true);
                break;
            case ColumnKind.Address:
                _json.WriteString(name, _address.AsSpan(0, Addresses.Format(rows.Bytes(field, text), _address)));
                break;
            default:
                _json.WriteString(name, rows.Bytes(field, text));
                break;
        }
    }
}
