using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;

namespace LogPipeline.Sinks.Files;

/// <summary>Offsets by a log's id, as manifests and databases have them.</summary>
internal static class OffsetsJson
{
    public static void Write(Utf8JsonWriter json, string name, ImmutableSortedDictionary<int, long> offsets)
    {
        json.WriteStartObject(name);
        foreach ((int log, long offset) in offsets)
        {
            json.WriteNumber(log.ToString(CultureInfo.InvariantCulture), offset);
        }
        json.WriteEndObject();
    }

    /// <summary>Empty where an earlier program wrote none.</summary>
    public static ImmutableSortedDictionary<int, long> Read(JsonElement element, string name) =>
        element.TryGetProperty(name, out JsonElement offsets) ? Read(offsets) : ImmutableSortedDictionary<int, long>.Empty;

    public static ImmutableSortedDictionary<int, long> Read(JsonElement offsets) =>
        ImmutableSortedDictionary.CreateRange(offsets.EnumerateObject().Select(o => KeyValuePair.Create(int.Parse(o.Name, CultureInfo.InvariantCulture), o.Value.GetInt64())));
}
