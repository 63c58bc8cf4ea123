using System.Text;
using LogPipeline.Client;
using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Parsing;
using LogPipeline.Sinks.Rows;

namespace LogPipeline.Sinks.Query.Live;

/// <summary>Makes of records the rows that a sink makes of them.</summary>
internal sealed class LiveRows(ILineParser parser)
{
    private readonly byte[] _address = new byte[Addresses.TextLengthMax];

    /// <param name="rows">Parsed.</param>
    public LogRow Make(TopicPartition partition, RowBatch rows, int index)
    {
        ref readonly Row row = ref rows.Rows[index];
        ReadOnlySpan<byte> text = rows.Text(row);
        ReadOnlySpan<Field> fields = rows.Fields(index);
        object?[] columns = new object?[fields.Length];
        for (int i = 0; i < columns.Length; i++)
        {
            columns[i] = !fields[i].HasValue ? null : Column(fields[i], parser.Columns[i].Kind, rows, text);
        }
        Source? source = row.Source < 0 ? null : rows.Sources[row.Source];
        return new LogRow(
            partition.Topic, partition.Partition, row.Offset, At(row.EventTime), source?.Host, source?.File, source?.Key.GenerationText,
            source is null ? null : row.LineBegin, row.Part, Encoding.UTF8.GetString(text), row.IsExact ? null : rows.Value(row).ToArray(), row.IsParsed, columns);
    }

    private object Column(in Field field, ColumnKind kind, RowBatch rows, ReadOnlySpan<byte> text) => kind switch
    {
        ColumnKind.Text or ColumnKind.Json => Encoding.UTF8.GetString(rows.Bytes(field, text)),
        ColumnKind.Address => Encoding.ASCII.GetString(_address, 0, Addresses.Format(rows.Bytes(field, text), _address)),
        ColumnKind.Time => At(field.Number),
        ColumnKind.Double => field.Double,
        ColumnKind.Boolean => field.Number != 0,
        _ => field.Number,
    };

    private static DateTimeOffset At(long microseconds) => DateTimeOffset.UnixEpoch.AddTicks(microseconds * TimeSpan.TicksPerMicrosecond);
}
