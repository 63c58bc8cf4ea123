using System.Buffers;
using System.Text.Json;
using LogPipeline.Sinks.Ledger;
using LogPipeline.Sinks.Parsing;
using LogPipeline.Sinks.Rows;

namespace LogPipeline.Sinks.Files.Parts;

/// <summary>
/// Rows on their way to a Parquet file, which cannot be appended to: JSON lines in a file of the directory <c>.staging</c>, which begins with the
/// columns and their kinds, so that it can be read when the parser has changed.
/// </summary>
internal sealed class StagedFormat(IReadOnlyList<Column> columns) : IRowFormat, IDisposable
{
    public const string Directory = ".staging/";

    private const string Suffix = ".ndjson";

    private readonly JsonFormat _json = new(columns);
    private readonly byte[] _header = HeaderOf(columns);

    public string Extension => Suffix;

    public ReadOnlySpan<byte> Header => _header;

    public void Write(ArrayBufferWriter<byte> to, LogIdentity log, RowBatch rows, int index) => _json.Write(to, log, rows, index);

    public void Dispose() => _json.Dispose();

    public static bool IsStaged(string name) => name.StartsWith(Directory, StringComparison.Ordinal);

    /// <summary>The name of a part that has a staged file's rows: the path that the template makes, and what it is told from others by.</summary>
    public static string PartOf(string staged, string mark) => $"{staged[Directory.Length..^Suffix.Length]}-{mark}.parquet";

    /// <summary>The parser's columns that a staged file begins with.</summary>
    /// <exception cref="JsonException">It is no such line.</exception>
    public static IReadOnlyList<Column> ColumnsOf(ReadOnlySpan<byte> header)
    {
        var reader = new Utf8JsonReader(header);
        using var document = JsonDocument.ParseValue(ref reader);
        return [.. document.RootElement.GetProperty("columns").EnumerateObject().Select(column => new Column(column.Name, Enum.Parse<ColumnKind>(column.Value.GetString()!)))];
    }

    private static byte[] HeaderOf(IReadOnlyList<Column> columns)
    {
        var line = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(line))
        {
            json.WriteStartObject();
            json.WriteStartObject("columns"u8);
            foreach (Column column in columns)
            {
                json.WriteString(column.Name, column.Kind.ToString());
            }
            json.WriteEndObject();
            json.WriteEndObject();
        }
        line.Write("\n"u8);
        return line.WrittenSpan.ToArray();
    }
}
