using System.Buffers;
using System.Buffers.Binary;
using LogPipeline.Sinks.Parsing;
using LogPipeline.Sinks.Rows;

namespace LogPipeline.Sinks.Postgres;

/// <summary>
/// Writes rows as PostgreSQL's binary COPY form into one pooled buffer, straight from the record's bytes: no string, no object
/// a row. One owner: the flush that copies.
/// </summary>
/// <remarks>
/// <code>
/// "PGCOPY\n\377\r\n\0"  flags i32 = 0  extension i32 = 0
/// row:  fields i16, then per field  length i32 (-1 = NULL), bytes   big-endian
/// end:  -1 i16
/// </code>
/// </remarks>
internal sealed class CopyEncoder(ILineParser parser) : IDisposable
{
    private const int FixedBytes = 2 + 10 * 4 + 4 + 8 + 8 + 4 + 8 + 4 + 1 + 2;

    /// <summary>Microseconds from 1970 to PostgreSQL's zero, 2000-01-01.</summary>
    private const long PostgresEpoch = 946_684_800_000_000;

    private readonly Column[] _columns = [.. parser.Columns];
    private readonly Field[] _fields = new Field[parser.Columns.Count];
    private readonly LineText _text = new();
    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(256 << 10);
    private int _used;

    private static ReadOnlySpan<byte> Signature => [0x50, 0x47, 0x43, 0x4F, 0x50, 0x59, 0x0A, 0xFF, 0x0D, 0x0A, 0x00];

    /// <summary>What is encoded and not yet taken.</summary>
    public ReadOnlyMemory<byte> Pending => _buffer.AsMemory(0, _used);

    /// <summary>Forgets what was taken.</summary>
    public void Drained() => _used = 0;

    public void Begin()
    {
        _used = 0;
        Signature.CopyTo(_buffer);
        _buffer.AsSpan(Signature.Length, 8).Clear();
        _used = Signature.Length + 8;
    }

    public void End()
    {
        Reserve(2);
        BinaryPrimitives.WriteInt16BigEndian(_buffer.AsSpan(_used), -1);
        _used += 2;
    }

    /// <param name="source">The source's id, or 0 for none.</param>
    public void Append(int logId, in Row row, ReadOnlySpan<byte> value, int source)
    {
        ReadOnlySpan<byte> text = _text.Clean(value, out bool exact);
        long eventTime = EventTime.Find(parser, row, text, _fields, out bool parsed);
        Reserve(checked(FixedBytes + _columns.Length * 12 + text.Length * 2 + (exact ? 0 : value.Length)));
        Span<byte> to = _buffer.AsSpan(_used);
        int at = 0;
        BinaryPrimitives.WriteInt16BigEndian(to, (short)(RowColumns.Fixed.Count + _columns.Length));
        at += 2;
        WriteInt32(to, ref at, logId);
        WriteInt64(to, ref at, row.Offset);
        WriteInt64(to, ref at, eventTime - PostgresEpoch);
        if (source == 0)
        {
            WriteNull(to, ref at);
            WriteNull(to, ref at);
        }
        else
        {
            WriteInt32(to, ref at, source);
            WriteInt64(to, ref at, row.LineBegin);
        }
        WriteInt32(to, ref at, row.Part);
        WriteBytes(to, ref at, text);
        if (exact)
        {
            WriteNull(to, ref at);
        }
        else
        {
            WriteBytes(to, ref at, value);
        }
        BinaryPrimitives.WriteInt32BigEndian(to[at..], 1);
        to[at + 4] = parsed ? (byte)1 : (byte)0;
        at += 5;
        BinaryPrimitives.WriteInt32BigEndian(to[at..], 2);
        BinaryPrimitives.WriteInt16BigEndian(to[(at + 4)..], (short)row.Flags);
        at += 6;
        if (parsed)
        {
            WriteFields(to, ref at, text);
        }
        else
        {
            WriteNulls(to, ref at);
        }
        _used += at;
    }

    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = [];
        _text.Dispose();
    }

    private void WriteFields(Span<byte> to, ref int at, ReadOnlySpan<byte> text)
    {
        for (int i = 0; i < _columns.Length; i++)
        {
            ref readonly Field field = ref _fields[i];
            if (!field.HasValue)
            {
                WriteNull(to, ref at);
            }
            else if (_columns[i].Kind == ColumnKind.Text)
            {
                WriteBytes(to, ref at, text.Slice(field.Start, field.Length));
            }
            else if (_columns[i].Kind == ColumnKind.Integer)
            {
                WriteInt32(to, ref at, (int)field.Number);
            }
            else
            {
                WriteInt64(to, ref at, _columns[i].Kind == ColumnKind.Time ? field.Number - PostgresEpoch : field.Number);
            }
        }
    }

    private void WriteNulls(Span<byte> to, ref int at)
    {
        for (int i = 0; i < _columns.Length; i++)
        {
            WriteNull(to, ref at);
        }
    }

    private static void WriteNull(Span<byte> to, ref int at)
    {
        BinaryPrimitives.WriteInt32BigEndian(to[at..], -1);
        at += 4;
    }

    private static void WriteInt32(Span<byte> to, ref int at, int value)
    {
        BinaryPrimitives.WriteInt64BigEndian(to[at..], (4L << 32) | (uint)value);
        at += 8;
    }

    private static void WriteInt64(Span<byte> to, ref int at, long value)
    {
        BinaryPrimitives.WriteInt32BigEndian(to[at..], 8);
        BinaryPrimitives.WriteInt64BigEndian(to[(at + 4)..], value);
        at += 12;
    }

    private static void WriteBytes(Span<byte> to, ref int at, ReadOnlySpan<byte> bytes)
    {
        BinaryPrimitives.WriteInt32BigEndian(to[at..], bytes.Length);
        bytes.CopyTo(to[(at + 4)..]);
        at += 4 + bytes.Length;
    }

    private void Reserve(int bytes)
    {
        if (bytes <= _buffer.Length - _used)
        {
            return;
        }
        byte[] larger = ArrayPool<byte>.Shared.Rent(checked(_used + bytes));
        _buffer.AsSpan(0, _used).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = larger;
    }
}
