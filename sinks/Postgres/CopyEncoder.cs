using System.Buffers;
using System.Buffers.Binary;
using LogPipeline.Sinks.Parsing;
using LogPipeline.Sinks.Rows;

namespace LogPipeline.Sinks.Postgres;

/// <summary>
/// Writes rows as PostgreSQL's binary COPY form into one pooled buffer, straight from the batch's bytes: no string, no object
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

    /// <summary>Of a field, beside the bytes that it is a stretch of.</summary>
    private const int FieldBytesMax = 4 + 8;

    private const byte JsonbVersion = 1;

    /// <summary>Microseconds from 1970 to PostgreSQL's zero, 2000-01-01.</summary>
    private const long PostgresEpoch = 946_684_800_000_000;

    private readonly ColumnKind[] _kinds = [.. parser.Columns.Select(column => column.Kind)];
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
    public void Append(int logId, RowBatch rows, int index, int source)
    {
        ref readonly Row row = ref rows.Rows[index];
        ReadOnlySpan<byte> text = rows.Text(row);
        ReadOnlySpan<Field> fields = rows.Fields(index);
        Reserve(checked(FixedBytes + text.Length + (row.IsExact ? 0 : row.ValueLength) + SizeOf(fields)));
        Span<byte> to = _buffer.AsSpan(_used);
        int at = 0;
        BinaryPrimitives.WriteInt16BigEndian(to, (short)(RowColumns.Fixed.Count + _kinds.Length));
        at += 2;
        WriteInt32(to, ref at, logId);
        WriteInt64(to, ref at, row.Offset);
        WriteInt64(to, ref at, row.EventTime - PostgresEpoch);
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
        if (row.IsExact)
        {
            WriteNull(to, ref at);
        }
        else
        {
            WriteBytes(to, ref at, rows.Value(row));
        }
        BinaryPrimitives.WriteInt32BigEndian(to[at..], 1);
        to[at + 4] = row.IsParsed ? (byte)1 : (byte)0;
        at += 5;
        BinaryPrimitives.WriteInt32BigEndian(to[at..], 2);
        BinaryPrimitives.WriteInt16BigEndian(to[(at + 4)..], (short)row.Flags);
        at += 6;
        for (int i = 0; i < fields.Length; i++)
        {
            WriteField(to, ref at, fields[i], _kinds[i], rows, text);
        }
        _used += at;
    }

    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = [];
    }

    private static int SizeOf(ReadOnlySpan<Field> fields)
    {
        int size = fields.Length * FieldBytesMax;
        foreach (ref readonly Field field in fields)
        {
            size = checked(size + field.Length);
        }
        return size;
    }

    private static void WriteField(Span<byte> to, ref int at, in Field field, ColumnKind kind, RowBatch rows, ReadOnlySpan<byte> text)
    {
        if (!field.HasValue)
        {
            WriteNull(to, ref at);
            return;
        }
        switch (kind)
        {
            case ColumnKind.Text: WriteBytes(to, ref at, rows.Bytes(field, text)); break;
            case ColumnKind.Integer: WriteInt32(to, ref at, (int)field.Number); break;
            case ColumnKind.Time: WriteInt64(to, ref at, field.Number - PostgresEpoch); break;
            case ColumnKind.BigInteger or ColumnKind.Double: WriteInt64(to, ref at, field.Number); break;
            case ColumnKind.Boolean: WriteBytes(to, ref at, [(byte)field.Number]); break;
            case ColumnKind.Address: WriteAddress(to, ref at, rows.Bytes(field, text)); break;
            case ColumnKind.Json: WriteBytes(to, ref at, rows.Bytes(field, text), [JsonbVersion]); break;
            default: throw new ArgumentOutOfRangeException(nameof(kind), kind, null);
        }
    }

    // Family (2: IPv4, 3: IPv6), bits of the network, is it a cidr, length, address.
    private static void WriteAddress(Span<byte> to, ref int at, ReadOnlySpan<byte> address) =>
        WriteBytes(to, ref at, address, [address.Length == 4 ? (byte)2 : (byte)3, (byte)(address.Length * 8), 0, (byte)address.Length]);

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

    /// <summary>Writes bytes, and before them, in the same field, others.</summary>
    private static void WriteBytes(Span<byte> to, ref int at, ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> before = default)
    {
        BinaryPrimitives.WriteInt32BigEndian(to[at..], before.Length + bytes.Length);
        before.CopyTo(to[(at + 4)..]);
        bytes.CopyTo(to[(at + 4 + before.Length)..]);
        at += 4 + before.Length + bytes.Length;
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
