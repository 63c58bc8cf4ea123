using System.Buffers;
using System.Runtime.CompilerServices;
using LogPipeline.Contract;
using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Parsing;

namespace LogPipeline.Sinks.Rows;

/// <summary>What becomes of a record in a flush.</summary>
public enum RowState : byte
{
    Store,

    /// <summary>Marked `again` and its range is stored: left out.</summary>
    Known,

    /// <summary>The table refused it: it goes to the dead letters.</summary>
    Refused,

    /// <summary>The sink's <c>where</c> leaves it out. Its range counts as stored.</summary>
    Unwanted,
}

/// <summary>One record on its way to a row; its value lies in the batch's bytes.</summary>
public struct Row
{
    public long Offset;

    /// <summary>The record's timestamp, milliseconds since 1970.</summary>
    public long Timestamp;

    /// <summary>When the event was, microseconds since 1970: the line's own time, else the record's timestamp. Known once the batch is parsed.</summary>
    public long EventTime;

    /// <summary>Index into <see cref="RowBatch.Sources"/>; -1 for a record without a position.</summary>
    public int Source;

    public int ValueStart;
    public int ValueLength;

    /// <summary>Where the text lies that stands for a value that is no text; see <see cref="RowBatch.Text"/>.</summary>
    internal int CleanStart;
    internal int CleanLength;

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

    /// <summary>The line is of the parser's form, so that its fields have a meaning. Known once the batch is parsed.</summary>
    public bool IsParsed;

    /// <summary>The text is the value, byte for byte. Known once the batch is parsed.</summary>
    public bool IsExact;
}

/// <summary>A row the table would not take, with the database's reason.</summary>
public readonly record struct RowRefusal(int Index, string State, string Reason);

/// <summary>
/// The records of one flush of one log: rows, their bytes and what the parser found in them, in pooled arrays that are used again flush after
/// flush. Filled by the collector of records, parsed by the partition's loop, walked by the store. One owner: the partition's loop.
/// </summary>
public sealed class RowBatch : IDisposable
{
    private const long LatestMilliseconds = 253_402_300_799_999; // the end of 9999

    private readonly PooledBytes _values = new(64 << 10);
    private readonly PooledBytes _clean = new();
    private readonly PooledBytes _scratch = new();
    private Row[] _rows = ArrayPool<Row>.Shared.Rent(1024);
    private Field[] _fields = [];
    private int _columns; // of the parser
    private int _parsed; // rows, from the first on

    public int Count { get; private set; }

    /// <summary>The rows, in offset order.</summary>
    public Span<Row> Rows => _rows.AsSpan(0, Count);

    /// <summary>The sources that the rows point at, in order of first sight.</summary>
    public List<Source> Sources { get; } = [];

    /// <summary>Filled by the store.</summary>
    public List<RowRefusal> Refusals { get; } = [];

    /// <summary>Memory that the rows take: their bytes, and what is of a fixed size for each.</summary>
    public long HeldBytes => (long)_values.Used + _clean.Used + _scratch.Used + (long)Count * Unsafe.SizeOf<Row>() + (long)_parsed * _columns * Unsafe.SizeOf<Field>();

    public ReadOnlySpan<byte> Value(scoped in Row row) => _values.Span(row.ValueStart, row.ValueLength);

    public ReadOnlyMemory<byte> ValueMemory(in Row row) => _values.Memory(row.ValueStart, row.ValueLength);

    /// <summary>The value as text that a database takes, which the row's fields are stretches of.</summary>
    public ReadOnlySpan<byte> Text(scoped in Row row) => row.IsExact ? Value(row) : _clean.Span(row.CleanStart, row.CleanLength);

    /// <summary>What the parser found in a row's line, one for each of its columns; without values where the line is not of its form.</summary>
    public ReadOnlySpan<Field> Fields(int index) => _fields.AsSpan(index * _columns, _columns);

    /// <summary>The bytes of a field that is a stretch.</summary>
    /// <param name="field">Of the row whose text this is.</param>
    /// <param name="text">See <see cref="Text"/>.</param>
    public ReadOnlySpan<byte> Bytes(scoped in Field field, ReadOnlySpan<byte> text) =>
        field.Place == FieldPlace.Line ? text.Slice(field.Start, field.Length) : _scratch.Span(field.Start, field.Length);

    /// <summary>Adds a row and copies its value; the caller fills in the rest.</summary>
    public ref Row Add(ReadOnlySpan<byte> value)
    {
        Grow(ref _rows, Count, Count + 1);
        ref Row row = ref _rows[Count++];
        row = default;
        row.ValueStart = _values.Append(value);
        row.ValueLength = value.Length;
        return ref row;
    }

    /// <summary>Marks a row that the store does not take, with the store's reason.</summary>
    public void Refuse(int index, string state, string reason)
    {
        _rows[index].State = RowState.Refused;
        Refusals.Add(new RowRefusal(index, state, reason));
    }

    /// <summary>Parses the rows that are not parsed yet, each once, by one parser for all.</summary>
    /// <returns>The memory that this took: how much <see cref="HeldBytes"/> has grown.</returns>
    public long Parse(ILineParser parser)
    {
        long before = HeldBytes;
        _columns = parser.Columns.Count;
        Grow(ref _fields, _parsed * _columns, checked(Count * _columns));
        for (; _parsed < Count; _parsed++)
        {
            Parse(ref _rows[_parsed], _fields.AsSpan(_parsed * _columns, _columns), parser);
        }
        return HeldBytes - before;
    }

    /// <summary>A store's first look at a batch.</summary>
    /// <exception cref="InvalidOperationException">The rows were not parsed, or for other columns.</exception>
    internal void RequireParsed(int columns)
    {
        if (_parsed < Count || _columns != columns)
        {
            throw new InvalidOperationException($"{_parsed} of {Count} rows are parsed, for {_columns} columns: {columns} are stored");
        }
    }

    public void Clear()
    {
        Count = 0;
        _parsed = 0;
        (_values.Used, _clean.Used, _scratch.Used) = (0, 0, 0);
        Sources.Clear();
        Refusals.Clear();
    }

    public void Dispose()
    {
        Clear();
        ArrayPool<Row>.Shared.Return(_rows);
        _rows = [];
        if (_fields.Length > 0)
        {
            ArrayPool<Field>.Shared.Return(_fields);
            _fields = [];
        }
        _values.Dispose();
        _clean.Dispose();
        _scratch.Dispose();
    }

    private void Parse(ref Row row, Span<Field> fields, ILineParser parser)
    {
        ReadOnlySpan<byte> value = Value(row);
        row.IsExact = LineText.IsClean(value);
        if (!row.IsExact)
        {
            row.CleanStart = _clean.Used;
            LineText.Clean(value, _clean);
            row.CleanLength = _clean.Used - row.CleanStart;
        }
        long recordTime = Math.Clamp(row.Timestamp, 0, LatestMilliseconds) * 1000;
        var line = new ParsedLine(fields, _scratch) { RecordTime = recordTime };
        int scratch = _scratch.Used;
        row.IsParsed = row.Part == 0 && parser.TryParse(Text(row), ref line);
        if (!row.IsParsed)
        {
            fields.Clear();
            _scratch.Used = scratch;
        }
        bool hasTime = row.IsParsed && line.EventTime != ParsedLine.NoTime;
        row.EventTime = hasTime ? line.EventTime : recordTime;
    }

    private static void Grow<T>(ref T[] array, int used, int needed)
    {
        if (needed <= array.Length)
        {
            return;
        }
        T[] larger = ArrayPool<T>.Shared.Rent((int)Math.Min(Array.MaxLength, Math.Max(needed, array.Length * 2L)));
        array.AsSpan(0, used).CopyTo(larger);
        if (array.Length > 0)
        {
            ArrayPool<T>.Shared.Return(array);
        }
        array = larger;
    }
}
