using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using LogPipeline.Client;
using LogPipeline.Files;
using LogPipeline.Sinks.Parsing;
using Parquet;
using Parquet.Schema;

namespace LogPipeline.Sinks.Files.Parts;

/// <summary>Makes a Parquet file of staged rows, a row group at a time: its memory is that of one group.</summary>
internal sealed class PartWriter
{
    private const int GroupRowsMax = 64 << 10;
    private const long GroupBytesMax = 16 << 20; // of staged lines

    /// <summary>Behind the footer: its length and a mark.</summary>
    private const int TrailerBytes = 8;

    private readonly PartColumn[] _columns;
    private readonly Dictionary<string, int> _indexes;
    private readonly List<PartStatistics?> _statistics = [];
    private readonly SortedDictionary<string, OffsetRange> _offsets = new(StringComparer.Ordinal);
    private string _firstLog = "";
    private long _firstOffset;
    private int _groupRows;
    private long _groupBytes;
    private long _rows;

    private PartWriter(PartColumn[] columns)
    {
        _columns = columns;
        _indexes = columns.Select((column, index) => (column.Field.Name, index)).ToDictionary(column => column.Name, column => column.index);
    }

    /// <param name="staged">The staged file.</param>
    /// <param name="stagedName">Its name.</param>
    /// <param name="cuts">Where it goes on after somebody cut it: half a line before such a place is left out.</param>
    /// <param name="to">An empty file.</param>
    /// <param name="codec">For its pages.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <returns>The part, and the log and offset of its first row; null where there is no row.</returns>
    public static async Task<(FilePart Part, string Log, long Offset)?> WriteAsync(
        Stream staged, string stagedName, IReadOnlyList<FreshStart> cuts, IFile to, CompressionMethod codec, CancellationToken cancellation)
    {
        using var lines = new StagedLines(staged);
        if (!lines.Read())
        {
            return null;
        }
        IReadOnlyList<Column> parsed = StagedFormat.ColumnsOf(lines.Current);
        var part = new PartWriter(PartColumn.Of(parsed));
        var view = new FileView(to);
        var schema = new ParquetSchema(part._columns.Select(column => column.Field));
        await using (ParquetWriter writer = await ParquetWriter.CreateAsync(schema, view, new ParquetOptions { CompressionMethod = codec }, false, cancellation))
        {
            writer.CustomMetadata = new Dictionary<string, string> { ["logpipe.columns"] = Encoding.UTF8.GetString(lines.Current) };
            while (lines.Read())
            {
                long feed = lines.FeedAt;
                if (cuts.Any(cut => cut.At == feed))
                {
                    continue;
                }
                part.Add(lines.Current);
                if (part._groupRows == GroupRowsMax || part._groupBytes >= GroupBytesMax)
                {
                    await part.WriteGroupAsync(writer);
                }
            }
            await part.WriteGroupAsync(writer);
        }
        part.CorrectFooter(to);
        return part._rows == 0 ? null
            : (new FilePart(stagedName, part._rows, part._offsets.ToImmutableSortedDictionary(StringComparer.Ordinal)), part._firstLog, part._firstOffset);
    }

    private void Add(ReadOnlySpan<byte> line)
    {
        var reader = new Utf8JsonReader(line);
        (string topic, int partition, long offset) = ("", 0, 0);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            int column = _indexes.TryGetValue(reader.GetString()!, out int known) ? known : throw new JsonException($"there is no column {reader.GetString()}.");
            reader.Read();
            switch (column)
            {
                case 0:
                    topic = reader.GetString()!;
                    break;
                case 1:
                    partition = reader.GetInt32();
                    break;
                case 2:
                    offset = reader.GetInt64();
                    break;
                default:
                    break;
            }
            _columns[column].Add(ref reader, line);
        }
        _groupRows++;
        _groupBytes += line.Length;
        _rows++;
        foreach (PartColumn column in _columns)
        {
            column.Fill(_groupRows);
        }
        Note(new TopicPartition(topic, partition).ToString(), offset);
    }

    private void Note(string log, long offset)
    {
        if (_rows == 1)
        {
            (_firstLog, _firstOffset) = (log, offset);
        }
        _offsets[log] = _offsets.TryGetValue(log, out OffsetRange range) ? new OffsetRange(Math.Min(range.First, offset), Math.Max(range.Last, offset)) : new OffsetRange(offset, offset);
    }

    private async Task WriteGroupAsync(ParquetWriter writer)
    {
        if (_groupRows == 0)
        {
            return;
        }
        using ParquetRowGroupWriter group = writer.CreateRowGroup();
        foreach (PartColumn column in _columns)
        {
            await column.WriteAsync(group);
            _statistics.Add(column.Statistics);
            column.Clear();
        }
        (_groupRows, _groupBytes) = (0, 0);
    }

    private void CorrectFooter(IFile file)
    {
        byte[] trailer = new byte[TrailerBytes];
        file.ReadFully(trailer, file.Length - TrailerBytes);
        byte[] footer = new byte[BinaryPrimitives.ReadInt32LittleEndian(trailer)];
        long begin = file.Length - TrailerBytes - footer.Length;
        file.ReadFully(footer, begin);
        ReadOnlySpan<byte> corrected = PartFooter.Correct(footer, _statistics);
        BinaryPrimitives.WriteInt32LittleEndian(trailer, corrected.Length);
        file.Write(corrected, begin);
        file.Write(trailer, begin + corrected.Length);
        file.SetLength(begin + corrected.Length + TrailerBytes);
    }
}
