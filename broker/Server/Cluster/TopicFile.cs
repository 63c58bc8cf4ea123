using System.Text.Json;
using LogPipeline.Files;

namespace LogPipeline.Broker.Cluster;

// The registry of topics of earlier versions, <data>/topics.json; the first start takes it over into the metadata log:
//   { "version": 0, "topics": [
//     { "name": "web_log", "id": "<uuid>", "partitions": 4, "deleting": false, "settings": { "retention.ms": "3600000" } } ] }
// A topic stood here as deleting before its directories were created and before they went: what is there of it is removed.
/// <summary>One topic as the registry file knows it.</summary>
internal sealed record TopicEntry(string Name, Guid Id, int Partitions, bool Deleting, IReadOnlyDictionary<string, string> Settings);

/// <summary>Reads the registry file, and removes it.</summary>
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
        catch (Exception e)
            when (e is JsonException or KeyNotFoundException or FormatException or InvalidOperationException or ArgumentException)
        {
            throw new InvalidDataException($"{_path} is damaged: {e.Message}", e);
        }
    }

    /// <summary>Removes the file durably: the metadata log has what it said.</summary>
    public void Delete()
    {
        if (files.FileExists(_path))
        {
            files.Delete(_path);
            files.FlushDirectory(directory);
        }
    }

    private static bool IsPossible(TopicEntry entry) => TopicName.Problem(entry.Name) is null && entry.Partitions > 0;

    private static TopicEntry ReadEntry(JsonElement entry) => new(
        entry.GetProperty("name").GetString() ?? "",
        entry.GetProperty("id").GetGuid(),
        entry.GetProperty("partitions").GetInt32(),
        entry.GetProperty("deleting").GetBoolean(),
        entry.GetProperty("settings").EnumerateObject().ToDictionary(s => s.Name, s => s.Value.GetString() ?? "", StringComparer.Ordinal));
}
