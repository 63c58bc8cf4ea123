using System.Text.Json;
using LogPipeline.Files;
using LogPipeline.Testing.Files;

namespace LogPipeline.Simulation.Checks;

/// <summary>What the manifest of a directory of files says, read without the product's code.</summary>
/// <param name="Lengths">Committed bytes of each file.</param>
/// <param name="Logs">The next offset of each topic id and partition.</param>
internal sealed record OutputManifest(Dictionary<string, long> Lengths, Dictionary<(Guid TopicId, int Partition), long> Logs)
{
    /// <summary>Null where there is none yet.</summary>
    public static OutputManifest? Read(MemoryFileSystem files, string directory)
    {
        if (AtomicFile.ReadAll(files, $"{directory}/manifest.json") is not { } whole)
        {
            return null;
        }
        using var document = JsonDocument.Parse(whole);
        var manifest = new OutputManifest([], []);
        manifest.Take(document.RootElement);
        if (AtomicFile.ReadAll(files, $"{directory}/manifest.changes.json") is { } changed)
        {
            using var changes = JsonDocument.Parse(changed);
            if (changes.RootElement.GetProperty("revision").GetInt64() == document.RootElement.GetProperty("revision").GetInt64())
            {
                manifest.Take(changes.RootElement);
            }
        }
        return manifest;
    }

    private void Take(JsonElement root)
    {
        foreach (JsonProperty file in root.GetProperty("lengths").EnumerateObject())
        {
            Lengths[file.Name] = file.Value.GetInt64();
        }
        foreach (JsonElement log in root.GetProperty("logs").EnumerateArray())
        {
            Logs[(log.GetProperty("topic_id").GetGuid(), log.GetProperty("partition").GetInt32())] = log.GetProperty("next_offset").GetInt64();
        }
    }
}
