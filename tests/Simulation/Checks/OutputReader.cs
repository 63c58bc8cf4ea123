using System.IO.Compression;
using System.Text;
using System.Text.Json;
using Parquet;
using Parquet.Schema;
using ZstdSharp;

namespace LogPipeline.Simulation.Checks;

/// <summary>A row of an output file.</summary>
/// <param name="Host">With generation and begin: which line it is of. Empty where the format does not tell.</param>
/// <param name="Generation">See the host.</param>
/// <param name="LineBegin">See the host.</param>
/// <param name="Part">Of the line; 0: all of it.</param>
/// <param name="Value">The record's bytes.</param>
internal readonly record struct OutputRow(string Host, string Generation, long LineBegin, int Part, byte[] Value)
{
    /// <summary>Where it is, for messages.</summary>
    public string File { get; init; } = "";
}

/// <summary>Reads the rows of output files as their users do, without the product's code. What ends in the middle is read as far as it goes.</summary>
internal static class OutputReader
{
    public static IReadOnlyList<string> Extensions { get; } = [".log", ".ndjson", ".csv", ".parquet", ".gz", ".zst"];

    /// <param name="name">Its extension tells the format.</param>
    /// <param name="bytes">All or a part of the file; parts begin where a flush does.</param>
    public static IEnumerable<OutputRow> Read(string name, ReadOnlyMemory<byte> bytes) => Rows(name, bytes).Select(row => row with { File = name });

    private static IReadOnlyList<OutputRow> Rows(string name, ReadOnlyMemory<byte> bytes)
    {
        if (bytes.IsEmpty)
        {
            return [];
        }
        if (name.EndsWith(".parquet", StringComparison.Ordinal))
        {
            return Parquet(bytes).GetAwaiter().GetResult();
        }
        byte[] text = Unpack(name, bytes);
        string format = Path.GetExtension(name[^4..] is ".zst" ? name[..^4] : name[^3..] is ".gz" ? name[..^3] : name);
        return format switch
        {
            ".csv" => [.. Csv(text)],
            ".ndjson" => [.. Lines(text).Select(Json).OfType<OutputRow>()],
            _ => [.. Lines(text).Select(static line => new OutputRow("", "", 0, 0, line))],
        };
    }

    private static byte[] Unpack(string name, ReadOnlyMemory<byte> bytes)
    {
        var packed = new MemoryStream(bytes.ToArray());
        using Stream stream = name.EndsWith(".gz", StringComparison.Ordinal) ? new GZipStream(packed, CompressionMode.Decompress)
            : name.EndsWith(".zst", StringComparison.Ordinal) ? new DecompressionStream(packed) : packed;
        var text = new MemoryStream();
        byte[] buffer = new byte[4096];
        try
        {
            for (int read; (read = stream.Read(buffer)) > 0;)
            {
                text.Write(buffer, 0, read);
            }
        }
        catch (Exception error) when (error is InvalidDataException or EndOfStreamException or ZstdException)
        {
            // what was not committed, or was cut
        }
        return text.ToArray();
    }

    private static IEnumerable<byte[]> Lines(byte[] text)
    {
        for (int begin = 0; Array.IndexOf(text, (byte)'\n', begin) is >= 0 and var feed; begin = feed + 1)
        {
            yield return text[begin..feed];
        }
    }

    private static OutputRow? Json(byte[] line)
    {
        try
        {
            using var document = JsonDocument.Parse(line);
            JsonElement root = document.RootElement;
            if (!root.TryGetProperty("line", out JsonElement text))
            {
                return null; // the columns of a staged file
            }
            byte[] value = root.TryGetProperty("raw", out JsonElement raw) ? raw.GetBytesFromBase64() : Encoding.UTF8.GetBytes(text.GetString()!);
            return new OutputRow(
                root.GetProperty("host").GetString()!, root.GetProperty("generation").GetString()!, root.GetProperty("file_offset").GetInt64(),
                root.GetProperty("part").GetInt32(), value);
        }
        catch (JsonException)
        {
            return null; // cut
        }
    }

    private static IEnumerable<OutputRow> Csv(byte[] text)
    {
        foreach (byte[] line in Lines(text)) // no line of the story has a line feed
        {
            List<string> values = CsvValues(Encoding.UTF8.GetString(line));
            if (values.Count == 12 && int.TryParse(values[8], out int part) && long.TryParse(values[7], out long begin))
            {
                yield return new OutputRow(values[4], values[6], begin, part, values[10].Length > 0 ? Convert.FromBase64String(values[10]) : Encoding.UTF8.GetBytes(values[9]));
            }
        }
    }

    private static List<string> CsvValues(string line)
    {
        var values = new List<string>();
        var value = new StringBuilder();
        bool isQuoted = false;
        foreach (char c in line)
        {
            if (c == '"')
            {
                isQuoted = !isQuoted; // no value of the story has a quote
            }
            else if (c == ',' && !isQuoted)
            {
                values.Add(value.ToString());
                value.Clear();
            }
            else
            {
                value.Append(c);
            }
        }
        values.Add(value.ToString());
        return values;
    }

    private static async Task<IReadOnlyList<OutputRow>> Parquet(ReadOnlyMemory<byte> bytes)
    {
        var rows = new List<OutputRow>();
        try
        {
            await using ParquetReader reader = await ParquetReader.CreateAsync(new MemoryStream(bytes.ToArray()));
            DataField Field(string name) => reader.Schema.FindDataField(name);
            for (int at = 0; at < reader.RowGroupCount; at++)
            {
                using ParquetRowGroupReader group = reader.OpenRowGroupReader(at);
                int count = (int)group.RowCount;
                (string?[] hosts, string?[] generations, string?[] lines) = (new string?[count], new string?[count], new string?[count]);
                (long?[] begins, int?[] parts, byte[]?[] raws) = (new long?[count], new int?[count], new byte[]?[count]);
                await group.ReadAsync(Field("host"), hosts.AsMemory());
                await group.ReadAsync(Field("generation"), generations.AsMemory());
                await group.ReadAsync(Field("line"), lines.AsMemory());
                await group.ReadAsync<long>(Field("file_offset"), begins);
                await group.ReadAsync<int>(Field("part"), parts);
                await group.ReadAsync(Field("raw"), raws.AsMemory());
                for (int row = 0; row < count; row++)
                {
                    rows.Add(new OutputRow(hosts[row]!, generations[row]!, begins[row] ?? 0, parts[row] ?? 0, raws[row] ?? Encoding.UTF8.GetBytes(lines[row]!)));
                }
            }
        }
        catch (Exception error) when (error is IOException or InvalidDataException or ArgumentException or OverflowException)
        {
            // cut
        }
        return rows;
    }
}
