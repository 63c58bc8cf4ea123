using System.Globalization;
using System.Text;
using LogPipeline.Sinks.Parsing;
using LogPipeline.Sinks.Rows;

namespace LogPipeline.Sinks;

/// <summary>What a parser made of a column in a sample.</summary>
/// <param name="Filled">In how many lines it has a value.</param>
/// <param name="Example">The first value as text.</param>
public sealed record TriedColumn(string Name, string Type, int Filled, string Example);

/// <summary>What a parser makes of a sample of lines.</summary>
/// <param name="Fits">How many are of its form.</param>
/// <param name="Columns">Those that it filled, in their order.</param>
public sealed record ParserTrial(string Parser, int Lines, int Fits, IReadOnlyList<TriedColumn> Columns)
{
    public double Share => Lines == 0 ? 0 : (double)Fits / Lines;

    /// <summary>Columns that the usual line fills: of parsers that fit alike, the one that finds more says more.</summary>
    public int Found => Columns.Count(column => column.Filled * 2 > Fits);

    /// <param name="now">When the lines were written, more or less: for times that lack their year.</param>
    /// <exception cref="SinkConfigurationException">A setting is wrong.</exception>
    public static ParserTrial Of(ParserOptions options, IReadOnlyList<byte[]> lines, DateTimeOffset now)
    {
        ILineParser parser = LineParsers.Named(options);
        using var rows = new RowBatch();
        foreach (byte[] line in lines)
        {
            rows.Add(line).Timestamp = now.ToUnixTimeMilliseconds();
        }
        rows.Parse(parser);
        var columns = new List<TriedColumn>();
        for (int column = 0; column < parser.Columns.Count; column++)
        {
            int[] filled = [.. Enumerable.Range(0, rows.Count).Where(row => rows.Fields(row)[column].HasValue)];
            if (filled.Length > 0)
            {
                (string name, ColumnKind kind) = parser.Columns[column];
                columns.Add(new TriedColumn(name, FieldText.NameOf(kind), filled.Length, Example(rows, filled[0], column, kind)));
            }
        }
        return new ParserTrial(options.Type, rows.Count, rows.Rows.ToArray().Count(row => row.IsParsed), columns);
    }

    private static string Example(RowBatch rows, int row, int column, ColumnKind kind)
    {
        Field field = rows.Fields(row)[column];
        ReadOnlySpan<byte> bytes = field.Place == FieldPlace.Here ? default : rows.Bytes(field, rows.Text(rows.Rows[row]));
        return kind switch
        {
            ColumnKind.Text or ColumnKind.Json => Encoding.UTF8.GetString(bytes),
            ColumnKind.Address => new System.Net.IPAddress(bytes).ToString(),
            ColumnKind.Double => field.Double.ToString(CultureInfo.InvariantCulture),
            ColumnKind.Boolean => field.Number != 0 ? "true" : "false",
            ColumnKind.Time => DateTimeOffset.UnixEpoch.AddTicks(field.Number * TimeSpan.TicksPerMicrosecond).ToString("yyyy-MM-ddTHH:mm:ss.FFFFFFZ", CultureInfo.InvariantCulture),
            _ => field.Number.ToString(CultureInfo.InvariantCulture),
        };
    }
}
