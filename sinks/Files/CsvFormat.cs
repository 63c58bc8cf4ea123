using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Text;
using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Parsing;
using LogPipeline.Sinks.Rows;

namespace LogPipeline.Sinks.Files;

/// <summary>
/// Comma-separated values (RFC 4180, with line feeds), the columns of the view that databases have; a file begins with their names. A value that is
/// not there is empty, an empty text is <c>""</c>.
/// </summary>
internal sealed class CsvFormat(IReadOnlyList<Column> columns) : IRowFormat
{
    private static readonly string[] Fixed = ["topic", "partition", "log_offset", "time", "host", "file", "generation", "file_offset", "part", "line", "raw", "parsed"];
    private static readonly SearchValues<byte> Special = SearchValues.Create(",\"\r\n"u8);

    private readonly byte[] _header = Encoding.UTF8.GetBytes(string.Join(',', Fixed.Concat(columns.Select(column => column.Name))) + "\n");
    private readonly byte[] _address = new byte[Addresses.TextLengthMax];

    public string Extension => ".csv";

    public ReadOnlySpan<byte> Header => _header;

    public void Write(ArrayBufferWriter<byte> to, LogIdentity log, RowBatch rows, int index)
    {
        ref readonly Row row = ref rows.Rows[index];
        ReadOnlySpan<byte> text = rows.Text(row);
        Source? source = row.Source >= 0 ? rows.Sources[row.Source] : null;
        Text(to, log.Topic);
        Comma(to);
        Number(to, log.Partition);
        Comma(to);
        Number(to, row.Offset);
        Comma(to);
        Time(to, row.EventTime);
        Comma(to);
        Text(to, source?.Host);
        Comma(to);
        Text(to, source?.File);
        Comma(to);
        Text(to, source?.Key.GenerationText);
        Comma(to);
        if (source is not null)
        {
            Number(to, row.LineBegin);
        }
        Comma(to);
        Number(to, row.Part);
        Comma(to);
        Text(to, text);
        Comma(to);
        if (!row.IsExact)
        {
            Text(to, Convert.ToBase64String(rows.Value(row)));
        }
        Comma(to);
        to.Write(row.IsParsed ? "true"u8 : "false"u8);
        ReadOnlySpan<Field> fields = rows.Fields(index);
        for (int i = 0; i < fields.Length; i++)
        {
            Comma(to);
            if (fields[i].HasValue)
            {
                Value(to, columns[i].Kind, fields[i], columns[i].Kind is ColumnKind.Text or ColumnKind.Json or ColumnKind.Address ? rows.Bytes(fields[i], text) : []);
            }
        }
        to.Write("\n"u8);
    }

    private void Value(ArrayBufferWriter<byte> to, ColumnKind kind, in Field field, ReadOnlySpan<byte> bytes)
    {
        switch (kind)
        {
            case ColumnKind.Integer or ColumnKind.BigInteger:
                Number(to, field.Number);
                break;
            case ColumnKind.Double:
                Text(to, field.Double.ToString("R", CultureInfo.InvariantCulture));
                break;
            case ColumnKind.Boolean:
                to.Write(field.Number != 0 ? "true"u8 : "false"u8);
                break;
            case ColumnKind.Time:
                Time(to, field.Number);
                break;
            case ColumnKind.Address:
                Text(to, _address.AsSpan(0, Addresses.Format(bytes, _address)));
                break;
            default:
                Text(to, bytes);
                break;
        }
    }

    private static void Comma(ArrayBufferWriter<byte> to) => to.Write(","u8);

    private static void Number(ArrayBufferWriter<byte> to, long number)
    {
        Utf8Formatter.TryFormat(number, to.GetSpan(20), out int length);
        to.Advance(length);
    }

    /// <summary>Microseconds since 1970 as <c>2026-11-21T13:05:09.1230000Z</c>.</summary>
    private static void Time(ArrayBufferWriter<byte> to, long microseconds)
    {
        Utf8Formatter.TryFormat(DateTime.UnixEpoch.AddMicroseconds(microseconds), to.GetSpan(33), out int length, 'O');
        to.Advance(length);
    }

    private static void Text(ArrayBufferWriter<byte> to, string? text)
    {
        if (text is not null)
        {
            Text(to, Encoding.UTF8.GetBytes(text));
        }
    }

    private static void Text(ArrayBufferWriter<byte> to, ReadOnlySpan<byte> text)
    {
        if (!text.IsEmpty && !text.ContainsAny(Special))
        {
            to.Write(text);
            return;
        }
        to.Write("\""u8);
        while (text.IndexOf((byte)'"') is >= 0 and int quote)
        {
            to.Write(text[..(quote + 1)]);
            to.Write("\""u8);
            text = text[(quote + 1)..];
        }
        to.Write(text);
        to.Write("\""u8);
    }
}
