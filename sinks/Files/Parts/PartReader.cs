using System.Buffers;
using System.Text;
using System.Text.Json;
using Parquet;

namespace LogPipeline.Sinks.Files.Parts;

/// <summary>The rows of a published part as the lines that were staged.</summary>
internal static class PartReader
{
    /// <summary>Calls back with each line, without its line feed.</summary>
    /// <exception cref="InvalidDataException">The file is not a part, or damaged.</exception>
    public static async Task ReadAsync(Stream part, Action<ReadOnlyMemory<byte>> visit, CancellationToken cancellation)
    {
        await using ParquetReader reader = await ParquetReader.CreateAsync(part, null, true, cancellation);
        if (!reader.CustomMetadata.TryGetValue("logpipe.columns", out string? header))
        {
            throw new InvalidDataException("it was not made by a sink");
        }
        PartColumn[] columns = PartColumn.Of(StagedFormat.ColumnsOf(Encoding.UTF8.GetBytes(header)));
        var line = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(line, JsonFormat.Options);
        for (int at = 0; at < reader.RowGroupCount; at++)
        {
            using ParquetRowGroupReader group = reader.OpenRowGroupReader(at);
            foreach (PartColumn column in columns)
            {
                await column.ReadAsync(group, reader.Schema.FindDataField(column.Field.Name), cancellation);
            }
            for (int row = 0; row < group.RowCount; row++)
            {
                line.ResetWrittenCount();
                json.Reset();
                json.WriteStartObject();
                foreach (PartColumn column in columns)
                {
                    column.Write(json, row);
                }
                json.WriteEndObject();
                json.Flush();
                visit(line.WrittenMemory);
            }
        }
    }
}
