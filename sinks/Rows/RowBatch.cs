using System.Buffers;
using System.Runtime.CompilerServices;
using LogPipeline.Contract;
using LogPipeline.Sinks.Ledger;

namespace LogPipeline.Sinks.Rows;

/// <summary>What becomes of a record in a flush.</summary>
public enum RowState : byte
{
    Store,

    /// <summary>Marked `again` and its range is stored: left out.</summary>
    Known,

    /// <summary>The table refused it: it goes to the dead letters.</summary>
    Refused,
}

/// <summary>One record on its way to a row; the value lies in the batch's bytes.</summary>
public struct Row
{
    public long Offset;

    /// <summary>The record's timestamp, milliseconds since 1970.</summary>
    public long Timestamp;

    /// <summary>Index into <see cref="RowBatch.Sources"/>; -1 for a record without a position.</summary>
    public int Source;

    public int ValueStart;
    public int ValueLength;

    /// <summary>0 = a whole line, else 1, 2, …</summary>
    public int Part;

    /// <summary>First byte of the line in its file; meaningless without a source.</summary>
    public long LineBegin;

    /// <summary>The file range that the record answers for.</summary>
    public long CoveredBegin;
    public long CoveredEnd;

    public PositionFlags Flags;

    /// <summary>With the flag Shaped: the sum of the file's bytes that it was made of; 0 where that is not known.</summary>
    public int FileSum;
    public RowState State;
}

/// <summary>A row the table would not take, with the database's reason.</summary>
public readonly record struct RowRefusal(int Index, string State, string Reason);

/// <summary>
/// The records of one flush of one log: rows and their bytes in two pooled arrays, used again flush after flush. Filled by
/// the collector of records, walked by the store. One owner: the partition's loop.
/// </summary>
public sealed class RowBatch : IDisposable
{
    private Row[] _rows = ArrayPool<Row>.Shared.Rent(1024);
    private byte[] _bytes = ArrayPool<byte>.Shared.Rent(64 << 10);
    private int _used;

    public int Count { get; private set; }

    /// <summary>The rows, in offset order.</summary>
    public Span<Row> Rows => _rows.AsSpan(0, Count);

    /// <summary>The sources that the rows point at, in order of first sight.</summary>
    public List<Source> Sources { get; } = [];

    /// <summary>Filled by the store.</summary>
    public List<RowRefusal> Refusals { get; } = [];

    /// <summary>Memory that the rows take: their values, and a row's own fixed size for each.</summary>
    public long HeldBytes => _used + (long)Count * Unsafe.SizeOf<Row>();

    public ReadOnlySpan<byte> Value(in Row row) => _bytes.AsSpan(row.ValueStart, row.ValueLength);

    public ReadOnlyMemory<byte> ValueMemory(in Row row) => _bytes.AsMemory(row.ValueStart, row.ValueLength);

    /// <summary>Adds a row and copies its value; the caller fills in the rest.</summary>
    public ref Row Add(ReadOnlySpan<byte> value)
    {
        if (Count == _rows.Length)
        {
            Grow(ref _rows, Count, Count + 1);
        }
        if (value.Length > _bytes.Length - _used)
        {
            Grow(ref _bytes, _used, checked(_used + value.Length));
        }
        value.CopyTo(_bytes.AsSpan(_used));
        ref Row row = ref _rows[Count++];
        row = default;
        row.ValueStart = _used;
        row.ValueLength = value.Length;
        _used += value.Length;
        return ref row;
    }

    public void Clear()
    {
        Count = 0;
        _used = 0;
        Sources.Clear();
        Refusals.Clear();
    }

    public void Dispose()
    {
        ArrayPool<Row>.Shared.Return(_rows);
        ArrayPool<byte>.Shared.Return(_bytes);
        _rows = [];
        _bytes = [];
        Clear();
    }

    private static void Grow<T>(ref T[] array, int used, int needed)
    {
        T[] larger = ArrayPool<T>.Shared.Rent((int)Math.Min(Array.MaxLength, Math.Max(needed, array.Length * 2L)));
        array.AsSpan(0, used).CopyTo(larger);
        ArrayPool<T>.Shared.Return(array);
        array = larger;
    }
}
