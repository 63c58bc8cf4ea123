using System.Collections.Immutable;
using System.Text.Json;

namespace LogPipeline.Sinks.Files.Parts;

/// <summary>A published Parquet file.</summary>
/// <param name="Staged">Where its rows were before.</param>
/// <param name="Rows">How many it has.</param>
/// <param name="Offsets">The first and last offset of each log, by topic and partition: it has all rows of the path between them.</param>
/// <param name="LastLog">The ledger's last log when it was published: of a topic that was made anew since, it has no rows.</param>
internal sealed record FilePart(string Staged, long Rows, ImmutableSortedDictionary<string, OffsetRange> Offsets, int LastLog = int.MaxValue)
{
    /// <param name="id">The log's, in the ledger.</param>
    /// <param name="log">Its topic and partition.</param>
    /// <param name="offset">In the log.</param>
    public bool Has(int id, string log, long offset) => id <= LastLog && Offsets.TryGetValue(log, out OffsetRange range) && offset >= range.First && offset <= range.Last;

    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("staged", Staged);
        json.WriteNumber("rows", Rows);
        json.WriteNumber("last_log", LastLog);
        json.WriteStartObject("offsets");
        foreach ((string log, OffsetRange range) in Offsets)
        {
            json.WriteStartArray(log);
            json.WriteNumberValue(range.First);
            json.WriteNumberValue(range.Last);
            json.WriteEndArray();
        }
        json.WriteEndObject();
        json.WriteEndObject();
    }

    public static FilePart Read(JsonElement part) => new(part.GetProperty("staged").GetString()!, part.GetProperty("rows").GetInt64(), ImmutableSortedDictionary.CreateRange(
        StringComparer.Ordinal, part.GetProperty("offsets").EnumerateObject().Select(log => KeyValuePair.Create(log.Name, new OffsetRange(log.Value[0].GetInt64(), log.Value[1].GetInt64())))),
        part.TryGetProperty("last_log", out JsonElement last) ? last.GetInt32() : int.MaxValue);
}

/// <summary>From one offset to another, both included.</summary>
internal readonly record struct OffsetRange(long First, long Last);
