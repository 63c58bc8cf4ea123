using System.Data.Common;
using System.Globalization;
using LogPipeline.Sinks.Parsing;

namespace LogPipeline.Sinks.Query;

/// <summary>Takes a row of the view from a reader.</summary>
internal sealed class RowDecoder(ISqlDialect dialect, ILineParser parser)
{
    private const int FixedColumns = 12;

    /// <summary>The columns to select, in the order in which they are taken.</summary>
    public string Selected { get; } = "topic, partition, log_offset, time, host, file, generation, file_offset, part, line, raw, parsed"
        + string.Concat(parser.Columns.Select(c => $", {(c.Kind == ColumnKind.Address ? dialect.AddressText(c.Name) : c.Name)}")) + (dialect.RowId is null ? "" : ", row_id");

    public LogRow Row(DbDataReader reader)
    {
        object?[] columns = new object?[parser.Columns.Count];
        for (int i = 0; i < columns.Length; i++)
        {
            int at = FixedColumns + i;
            columns[i] = reader.IsDBNull(at) ? null : parser.Columns[i].Kind switch
            {
                ColumnKind.Text or ColumnKind.Address or ColumnKind.Json => reader.GetString(at),
                ColumnKind.Time => dialect.ReadTime(reader, at),
                ColumnKind.Double => reader.GetDouble(at),
                ColumnKind.Boolean => reader.GetBoolean(at),
                _ => Convert.ToInt64(reader.GetValue(at), CultureInfo.InvariantCulture),
            };
        }
        string? Text(int at) => reader.IsDBNull(at) ? null : reader.GetString(at);
        return new LogRow(
            reader.GetString(0), reader.GetInt32(1), reader.GetInt64(2), dialect.ReadTime(reader, 3), Text(4), Text(5), Text(6),
            reader.IsDBNull(7) ? null : reader.GetInt64(7), reader.GetInt32(8), Text(9), reader.IsDBNull(10) ? null : reader.GetFieldValue<byte[]>(10),
            reader.GetBoolean(11), columns)
        {
            RowId = dialect.RowId is null ? 0 : reader.GetInt64(FixedColumns + columns.Length),
        };
    }
}
