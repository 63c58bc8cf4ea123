using System.Text.Json;
using LogPipeline.Files;

namespace LogPipeline.Broker.Topics;

// The registry of topics, <data>/topics.json, replaced whole and durably:
//   { "version": 0, "topics": [ { "name": "web_log", "id": "<uuid>", "partitions": 4, "deleting": false, "settings": { "retention.ms": "3600000" } } ] }
// A topic is written here as deleting before its directories are created and before they go: a start after a crash in between removes
// what is there of it.
/// <summary>One topic as the registry file knows it.</summary>
internal sealed record TopicEntry(string Name, Guid Id, int Partitions, bool Deleting, IReadOnlyDictionary<string, string> Settings);

/// <summary>Reads and replaces the registry file.</summary>
internal sealed class TopicFile(IFileSystem files, string directory)
{
    private readonly string _path = Path.Combine(directory, "topics.json");

    /// <summary>What the file says; null when there is none.</summary>
    /// <exception cref="InvalidDataException">The file is not what we write; the message names it.</exception>
    public IReadOnlyList<TopicEntry>? Read()
    {
        if (AtomicFile.ReadAll(files, _path) is not { } bytes)
        {
            return null;
        }
        try
        {
            using JsonDocument document = JsonDocument.Parse(bytes);
            List<TopicEntry> entries = [.. document.RootElement.GetProperty("topics").EnumerateArray().Select(ReadEntry)];
            return entries.DistinctBy(entry => entry.Name).Count() == entries.Count && entries.TrueForAll(IsPossible)
                ? entries
                : throw new FormatException("a topic is named twice, or has a name or a number of partitions that cannot be");
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or FormatException or InvalidOperationException or ArgumentException)
        {
            throw new InvalidDataException($"{_path} is damaged: {e.Message}", e);
        }
    }

    /// <summary>Replaces the file; durable on return.</summary>
    public void Write(IEnumerable<TopicEntry> topics)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteNumber("version", 0);
            json.WriteStartArray("topics");
            foreach (TopicEntry topic in topics)
            {
                WriteEntry(json, topic);
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }
        AtomicFile.Replace(files, _path, stream.ToArray());
    }

    private static bool IsPossible(TopicEntry entry) => TopicName.Problem(entry.Name) is null && entry.Partitions > 0;

    private static TopicEntry ReadEntry(JsonElement entry) => new(
        entry.GetProperty("name").GetString() ?? "",
        entry.GetProperty("id").GetGuid(),
        entry.GetProperty("partitions").GetInt32(),
        entry.GetProperty("deleting").GetBoolean(),
        entry.GetProperty("settings").EnumerateObject().ToDictionary(s => s.Name, s => s.Value.GetString() ?? "", StringComparer.Ordinal));

    private static void WriteEntry(Utf8JsonWriter json, TopicEntry topic)
    {
        json.WriteStartObject();
        json.WriteString("name", topic.Name);
        json.WriteString("id", topic.Id);
        json.WriteNumber("partitions", topic.Partitions);
        json.WriteBoolean("deleting", topic.Deleting);
        json.WriteStartObject("settings");
        foreach ((string name, string value) in topic.Settings)
        {
            json.WriteString(name, value);
        }
        json.WriteEndObject();
        json.WriteEndObject();
    }
}
