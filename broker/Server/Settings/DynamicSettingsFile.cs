using System.Text.Json;
using LogPipeline.Files;

namespace LogPipeline.Broker.Settings;

// <data>/broker-settings.json, replaced whole and durably:
//   { "version": 0, "cluster": { "message.max.bytes": "2000000" }, "broker": { "log.retention.ms": "3600000" } }
/// <summary>Reads and replaces the file that keeps what was changed while the broker ran.</summary>
internal sealed class DynamicSettingsFile(IFileSystem files, string directory)
{
    private const int Version = 0;

    private readonly string _path = Path.Combine(directory, "broker-settings.json");

    /// <summary>What the file says; nothing when there is none.</summary>
    /// <exception cref="InvalidDataException">The file is not what we write; the message names it and what is wrong.</exception>
    public DynamicSettings Read()
    {
        if (AtomicFile.ReadAll(files, _path) is not { } bytes)
        {
            return DynamicSettings.None;
        }
        try
        {
            using JsonDocument document = JsonDocument.Parse(bytes);
            JsonElement root = document.RootElement;
            if (root.GetProperty("version").GetInt32() != Version)
            {
                throw new FormatException("it is of a version that this program does not know");
            }
            return DynamicSettings.None.With(ofCluster: true, Section(root, "cluster")).With(ofCluster: false, Section(root, "broker"));
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or FormatException or InvalidOperationException)
        {
            throw new InvalidDataException($"{_path} is damaged: {e.Message}", e);
        }
    }

    /// <summary>Replaces the file; durable on return.</summary>
    /// <exception cref="IOException">The disk refused; the old content stays.</exception>
    public void Write(DynamicSettings settings)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteNumber("version", Version);
            WriteSection(json, "cluster", settings.OfCluster);
            WriteSection(json, "broker", settings.OfBroker);
            json.WriteEndObject();
        }
        AtomicFile.Replace(files, _path, stream.ToArray());
    }

    private static IEnumerable<KeyValuePair<string, string>> Section(JsonElement root, string name)
    {
        foreach (JsonProperty setting in root.GetProperty(name).EnumerateObject())
        {
            string value = setting.Value.GetString() ?? throw new FormatException($"{setting.Name} has no value");
            string? problem = BrokerSettingTable.Find(setting.Name) is { } definition
                ? definition.Problem(value)
                : $"{setting.Name} is no broker setting";
            yield return problem is null ? KeyValuePair.Create(setting.Name, value) : throw new FormatException(problem);
        }
    }

    private static void WriteSection(Utf8JsonWriter json, string name, IEnumerable<KeyValuePair<string, string>> settings)
    {
        json.WriteStartObject(name);
        foreach ((string setting, string value) in settings)
        {
            json.WriteString(setting, value);
        }
        json.WriteEndObject();
    }
}
