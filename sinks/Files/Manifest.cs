using System.Globalization;
using System.Text.Json;
using LogPipeline.Sinks.Ledger;

namespace LogPipeline.Sinks.Files;

/// <summary>
/// The ledger of a file sink and what of its files is committed. Replaced as a whole: written beside, synced, renamed, directory
/// synced; so it is always one of two whole versions. A value: a flush works on a copy.
/// </summary>
internal sealed record Manifest
{
    public const string FileName = "manifest.json";

    public required Guid LedgerId { get; init; }

    public required string ConfigHash { get; init; }

    public List<LedgerEntry> Logs { get; init; } = [];

    /// <summary>By sink-wide key; the state's ranges are text.</summary>
    public SortedDictionary<SourceKey, SourceFact> Sources { get; init; } = [];

    /// <summary>Committed length by path below the directory; bytes beyond it are cut.</summary>
    public SortedDictionary<string, long> Lengths { get; init; } = new(StringComparer.Ordinal);

    public Manifest Copy() => this with { Logs = [.. Logs], Sources = new(Sources), Lengths = new(Lengths, StringComparer.Ordinal) };

    public byte[] Encode()
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteNumber("version", 1);
            json.WriteString("ledger", LedgerId);
            json.WriteString("config", ConfigHash);
            json.WriteStartArray("logs");
            foreach (var log in Logs)
                WriteLog(json, log);
            json.WriteEndArray();
            json.WriteStartArray("sources");
            foreach (var (key, fact) in Sources)
                WriteSource(json, key, fact);
            json.WriteEndArray();
            json.WriteStartObject("lengths");
            foreach (var (path, length) in Lengths)
                json.WriteNumber(path, length);
            json.WriteEndObject();
            json.WriteEndObject();
        }
        return stream.ToArray();
    }

    /// <exception cref="StoreRefusedException">The bytes are not a manifest of this version.</exception>
    public static Manifest Decode(ReadOnlyMemory<byte> bytes, string path)
    {
        try
        {
            using var document = JsonDocument.Parse(bytes);
            var root = document.RootElement;
            if (root.GetProperty("version").GetInt32() != 1)
                throw new FormatException("its version is unknown");
            var manifest = new Manifest { LedgerId = root.GetProperty("ledger").GetGuid(), ConfigHash = root.GetProperty("config").GetString()! };
            foreach (var log in root.GetProperty("logs").EnumerateArray())
                manifest.Logs.Add(ReadLog(log));
            foreach (var source in root.GetProperty("sources").EnumerateArray())
                ReadSource(source, manifest.Sources);
            foreach (var length in root.GetProperty("lengths").EnumerateObject())
                manifest.Lengths[length.Name] = length.Value.GetInt64();
            return manifest;
        }
        catch (Exception error) when (error is JsonException or FormatException or KeyNotFoundException or InvalidOperationException)
        {
            throw new StoreRefusedException($"{path} cannot be read: {error.Message} Restore it, or give the sink a new directory and name.", error);
        }
    }

    private static void WriteLog(Utf8JsonWriter json, LedgerEntry log)
    {
        json.WriteStartObject();
        json.WriteNumber("id", log.Id);
        json.WriteString("sink", log.Log.Sink);
        json.WriteString("cluster", log.Log.ClusterId);
        json.WriteString("topic_id", log.Log.TopicId);
        json.WriteString("topic", log.Log.Topic);
        json.WriteNumber("partition", log.Log.Partition);
        json.WriteNumber("next_offset", log.NextOffset);
        json.WriteNumber("leader_epoch", log.LeaderEpoch);
        json.WriteString("owner", log.Owner.Value);
        json.WriteEndObject();
    }

    private static LedgerEntry ReadLog(JsonElement log) => new(
        log.GetProperty("id").GetInt32(),
        new LogIdentity(
            log.GetProperty("sink").GetString()!, log.GetProperty("cluster").GetString()!, log.GetProperty("topic_id").GetGuid(),
            log.GetProperty("topic").GetString()!, log.GetProperty("partition").GetInt32()),
        log.GetProperty("next_offset").GetInt64(), log.GetProperty("leader_epoch").GetInt32(), new OwnerToken(log.GetProperty("owner").GetGuid()));

    private static void WriteSource(Utf8JsonWriter json, SourceKey key, SourceFact fact)
    {
        json.WriteStartObject();
        json.WriteNumber("id", fact.Id);
        json.WriteString("agent", key.AgentId);
        json.WriteString("generation", key.GenerationText);
        json.WriteString("topic", key.Topic);
        json.WriteString("host", fact.Host);
        json.WriteString("file", fact.File);
        json.WriteString("stored", fact.Stored);
        json.WriteNumber("version", fact.Version);
        json.WriteEndObject();
    }

    private static void ReadSource(JsonElement source, SortedDictionary<SourceKey, SourceFact> into)
    {
        var generation = ulong.Parse(source.GetProperty("generation").GetString()!, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
        var key = new SourceKey(source.GetProperty("agent").GetGuid(), generation, source.GetProperty("topic").GetString()!);
        into[key] = new SourceFact(
            source.GetProperty("id").GetInt32(), source.GetProperty("host").GetString()!, source.GetProperty("file").GetString()!,
            source.GetProperty("stored").GetString()!, source.GetProperty("version").GetInt64());
    }
}

/// <summary>What a manifest keeps of a source.</summary>
internal sealed record SourceFact(int Id, string Host, string File, string Stored, long Version);
