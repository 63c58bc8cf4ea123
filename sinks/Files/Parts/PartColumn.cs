using System.Text;
using System.Text.Json;
using LogPipeline.Sinks.Parsing;
using Parquet;
using Parquet.Schema;

namespace LogPipeline.Sinks.Files.Parts;

/// <summary>One column of a Parquet file: values of a row group, from staged JSON or back to it.</summary>
internal abstract class PartColumn(DataField field)
{
    private static readonly Column[] Fixed =
    [
        new("topic", ColumnKind.Text), new("partition", ColumnKind.Integer), new("log_offset", ColumnKind.BigInteger), new("time", ColumnKind.Time), new("host", ColumnKind.Text),
        new("file", ColumnKind.Text), new("generation", ColumnKind.Text), new("file_offset", ColumnKind.BigInteger), new("part", ColumnKind.Integer), new("line", ColumnKind.Text),
    ];

    public DataField Field { get; } = field;

    protected JsonEncodedText Name { get; } = JsonEncodedText.Encode(field.Name);

    /// <summary>The columns of the view that databases have, in its order.</summary>
    public static PartColumn[] Of(IReadOnlyList<Column> parsed) =>
        [.. Fixed.Select(Of), new BytesColumn("raw"), Of(new Column("parsed", ColumnKind.Boolean)), .. parsed.Select(Of)];

    /// <summary>Adds the value that the reader is at.</summary>
    /// <param name="reader">Of the line.</param>
    /// <param name="line">All of it.</param>
    public abstract void Add(ref Utf8JsonReader reader, ReadOnlySpan<byte> line);

    /// <summary>Adds nulls up to so many values.</summary>
    public abstract void Fill(int count);

    public abstract void Clear();

    public abstract Task WriteAsync(ParquetRowGroupWriter group);

    /// <summary>Reads all values of a row group.</summary>
    /// <param name="group">Of a file.</param>
    /// <param name="field">The column in that file's schema.</param>
    /// <param name="cancellation">Ends it.</param>
    public abstract ValueTask ReadAsync(ParquetRowGroupReader group, DataField field, CancellationToken cancellation);

    /// <summary>Writes a value as the staged line has it: nothing where there is none.</summary>
    public abstract void Write(Utf8JsonWriter json, int row);

    /// <summary>What readers may leave row groups out by; null where the library tells it right.</summary>
    public virtual PartStatistics? Statistics => null;

    private static PartColumn Of(Column column) => column.Kind switch
    {
        ColumnKind.Integer => new NumberColumn<int>(column.Name, static (ref reader) => reader.GetInt32(), static (json, name, value) => json.WriteNumber(name, value)),
        ColumnKind.BigInteger => new NumberColumn<long>(column.Name, static (ref reader) => reader.GetInt64(), static (json, name, value) => json.WriteNumber(name, value)),
        ColumnKind.Double => new NumberColumn<double>(column.Name, static (ref reader) => reader.GetDouble(), static (json, name, value) => json.WriteNumber(name, value)),
        ColumnKind.Boolean => new NumberColumn<bool>(column.Name, static (ref reader) => reader.GetBoolean(), static (json, name, value) => json.WriteBoolean(name, value)),
        ColumnKind.Time => new TimeColumn(column.Name),
        _ => new TextColumn(column),
    };

    private delegate T Reading<T>(ref Utf8JsonReader reader);

    private class NumberColumn<T>(DataField field, Reading<T> read, Action<Utf8JsonWriter, JsonEncodedText, T> write) : PartColumn(field) where T : struct
    {
        public NumberColumn(string name, Reading<T> read, Action<Utf8JsonWriter, JsonEncodedText, T> write) : this(new DataField(name, typeof(T), isNullable: true), read, write)
        {
        }

        protected List<T?> Values { get; } = [];

        public override void Add(ref Utf8JsonReader reader, ReadOnlySpan<byte> line) => Values.Add(read(ref reader));

        public override void Fill(int count) => Values.AddRange(Enumerable.Repeat<T?>(null, count - Values.Count));

        public override void Clear() => Values.Clear();

        public override Task WriteAsync(ParquetRowGroupWriter group) => group.WriteAsync<T>(Field, Values.ToArray());

        public override async ValueTask ReadAsync(ParquetRowGroupReader group, DataField field, CancellationToken cancellation)
        {
            var values = new T?[group.RowCount];
            await group.ReadAsync<T>(field, values, null, cancellation);
            Values.Clear();
            Values.AddRange(values);
        }

        public override void Write(Utf8JsonWriter json, int row)
        {
            if (Values[row] is { } value)
            {
                write(json, Name, value);
            }
        }
    }

    private sealed class TimeColumn(string name) : NumberColumn<DateTime>(
        new DateTimeDataField(name, DateTimeFormat.Timestamp, isAdjustedToUTC: true, DateTimeTimeUnit.Micros, isNullable: true),
        static (ref reader) => reader.GetDateTime(), static (json, column, value) => json.WriteString(column, value))
    {
        public override PartStatistics? Statistics => new(
            Values.Count(value => value is null), Values.Min() is { } least ? Microseconds(least) : null, Values.Max() is { } greatest ? Microseconds(greatest) : null);

        private static long Microseconds(DateTime time) => (time - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
    }

    /// <summary>Text, addresses as text, and JSON as its text.</summary>
    private sealed class TextColumn(Column column) : PartColumn(new DataField(column.Name, typeof(string), isNullable: true))
    {
        private readonly List<string?> _values = [];

        public override PartStatistics? Statistics => new(_values.Count(value => value is null), null, null);

        public override void Add(ref Utf8JsonReader reader, ReadOnlySpan<byte> line)
        {
            if (column.Kind != ColumnKind.Json)
            {
                _values.Add(reader.GetString());
                return;
            }
            int begin = (int)reader.TokenStartIndex;
            reader.Skip();
            _values.Add(Encoding.UTF8.GetString(line[begin..(int)reader.BytesConsumed]));
        }

        public override void Fill(int count) => _values.AddRange(Enumerable.Repeat<string?>(null, count - _values.Count));

        public override void Clear() => _values.Clear();

        public override Task WriteAsync(ParquetRowGroupWriter group) => group.WriteAsync(Field, (IReadOnlyCollection<string>)_values);

        public override async ValueTask ReadAsync(ParquetRowGroupReader group, DataField field, CancellationToken cancellation)
        {
            string?[] values = new string?[group.RowCount];
            await group.ReadAsync(field, values.AsMemory()!, null, cancellation);
            _values.Clear();
            _values.AddRange(values);
        }

        public override void Write(Utf8JsonWriter json, int row)
        {
            if (_values[row] is not { } value)
            {
                return;
            }
            if (column.Kind == ColumnKind.Json)
            {
                json.WritePropertyName(Name);
                json.WriteRawValue(value, skipInputValidation: true);
                return;
            }
            json.WriteString(Name, value);
        }
    }

    private sealed class BytesColumn(string name) : PartColumn(new DataField(name, typeof(byte[]), isNullable: true))
    {
        private readonly List<byte[]?> _values = [];

        public override PartStatistics? Statistics => new(_values.Count(value => value is null), null, null);

        public override void Add(ref Utf8JsonReader reader, ReadOnlySpan<byte> line) => _values.Add(reader.GetBytesFromBase64());

        public override void Fill(int count) => _values.AddRange(Enumerable.Repeat<byte[]?>(null, count - _values.Count));

        public override void Clear() => _values.Clear();

        public override Task WriteAsync(ParquetRowGroupWriter group) => group.WriteAsync(Field, (IReadOnlyCollection<byte[]>)_values);

        public override async ValueTask ReadAsync(ParquetRowGroupReader group, DataField field, CancellationToken cancellation)
        {
            byte[]?[] values = new byte[]?[group.RowCount];
            await group.ReadAsync(field, values.AsMemory()!, null, cancellation);
            _values.Clear();
            _values.AddRange(values);
        }

        public override void Write(Utf8JsonWriter json, int row)
        {
            if (_values[row] is { } value)
            {
                json.WriteBase64String(Name, value);
            }
        }
    }
}
