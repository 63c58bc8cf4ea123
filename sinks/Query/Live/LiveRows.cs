using System.Text;
using LogPipeline.Client;
using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Parsing;
using LogPipeline.Sinks.Rows;

namespace LogPipeline.Sinks.Query.Live;

/// <summary>Makes of records the rows that a sink makes of them.</summary>
internal sealed class LiveRows(ILineParser parser) : IDisposable
{
    private readonly LineText _text = new();
    private readonly Field[] _fields = new Field[parser.Columns.Count];

    public LogRow Make(TopicPartition partition, RowBatch rows, in Row row)
    {
        ReadOnlySpan<byte> value = rows.Value(row);
        ReadOnlySpan<byte> text = _text.Clean(value, out bool exact);
        long time = EventTime.Find(parser, row, text, _fields, out bool parsed);
        object?[] columns = new object?[_fields.Length];
        for (int i = 0; parsed && i < columns.Length; i++)
        {
            columns[i] = Column(_fields[i], parser.Columns[i].Kind, text);
        }
        Source? source = row.Source < 0 ? null : rows.Sources[row.Source];
        return new LogRow(
            partition.Topic, partition.Partition, row.Offset, At(time), source?.Host, source?.File, source?.Key.GenerationText, source is null ? null : row.LineBegin,
            row.Part, Encoding.UTF8.GetString(text), exact ? null : value.ToArray(), parsed, columns);
    }

    public void Dispose() => _text.Dispose();

    private static object? Column(in Field field, ColumnKind kind, ReadOnlySpan<byte> text) => !field.HasValue ? null : kind switch
    {
        ColumnKind.Text => Encoding.UTF8.GetString(text.Slice(field.Start, field.Length)),
        ColumnKind.Time => At(field.Number),
        _ => field.Number,
    };

    private static DateTimeOffset At(long microseconds) => DateTimeOffset.UnixEpoch.AddTicks(microseconds * TimeSpan.TicksPerMicrosecond);
}
