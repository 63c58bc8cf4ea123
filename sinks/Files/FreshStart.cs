using System.Collections.Immutable;
using System.Text.Json;

namespace LogPipeline.Sinks.Files;

/// <summary>A place in a file from which it goes on after somebody moved it away or cut it: what stood behind the place is no longer the sink's.</summary>
/// <param name="At">Bytes that were left; 0 where the file was gone.</param>
/// <param name="Offsets">The next offset of each log then, by its id; what is not named began later.</param>
internal sealed record FreshStart(long At, ImmutableSortedDictionary<int, long> Offsets)
{
    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteNumber("at", At);
        OffsetsJson.Write(json, "offsets", Offsets);
        json.WriteEndObject();
    }

    public static FreshStart Read(JsonElement start) => new(start.GetProperty("at").GetInt64(), OffsetsJson.Read(start, "offsets"));
}
