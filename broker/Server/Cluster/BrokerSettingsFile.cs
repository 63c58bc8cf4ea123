using System.Text.Json;
using LogPipeline.Broker.Cluster.Records;
using LogPipeline.Broker.Settings;
using LogPipeline.Files;

namespace LogPipeline.Broker.Cluster;

// <data>/broker-settings.json of earlier versions; a start takes it over into the metadata log:
//   { "version": 0, "cluster": { "message.max.bytes": "2000000" }, "broker": { "log.retention.ms": "3600000" } }
/// <summary>Reads the file that kept what was changed while the broker ran, and removes it.</summary>
internal sealed class BrokerSettingsFile(IFileSystem files, string directory)
{
    private const int Version = 0;

    private readonly string _path = Path.Combine(directory, "broker-settings.json");

    /// <summary>What the file says; null when there is none.</summary>
    /// <exception cref="InvalidDataException">The file is not what we wrote; the message names it and what is wrong.</exception>
    public DynamicSettings? Read()
    {
        if (AtomicFile.ReadAll(files, _path) is not { } bytes)
        {
            return null;
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

    /// <summary>The records that make the metadata log say what the file says.</summary>
    public static IEnumerable<IMetadataRecord> Records(DynamicSettings settings, ClusterImage image, int node) =>
    [
        .. ConfigRecord.Changes(ConfigResource.Cluster, image.ConfigsOf(ConfigResource.Cluster), settings.OfCluster),
        .. ConfigRecord.Changes(ConfigResource.Broker(node), image.ConfigsOf(ConfigResource.Broker(node)), settings.OfBroker),
    ];

    /// <summary>Removes the file durably: the metadata log has what it said.</summary>
    public void Delete()
    {
        if (files.FileExists(_path))
        {
            files.Delete(_path);
            files.FlushDirectory(directory);
        }
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
}
