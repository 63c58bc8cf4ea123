using System.Collections.Immutable;
using System.Text.Json;
using LogPipeline.Client;

namespace LogPipeline.Sinks.Files.Parts;

/// <summary>A published Parquet file.</summary>
/// <param name="Staged">Where its rows were before.</param>
/// <param name="Rows">How many it has.</param>
/// <param name="Offsets">The first and last offset of each log, by topic and partition: it has all rows of the path between them.</param>
internal sealed record FilePart(string Staged, long Rows, ImmutableSortedDictionary<string, OffsetRange> Offsets)
{
    public bool Has(TopicPartition log, long offset) => Offsets.TryGetValue(log.ToString(), out OffsetRange range) && offset >= range.First && offset <= range.Last;

    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("staged", Staged);
        json.WriteNumber("rows", Rows);
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
        StringComparer.Ordinal, part.GetProperty("offsets").EnumerateObject().Select(log => KeyValuePair.Create(log.Name, new OffsetRange(log.Value[0].GetInt64(), log.Value[1].GetInt64())))));
}

/// <summary>From one offset to another, both included.</summary>
internal readonly record struct OffsetRange(long First, long Last);
