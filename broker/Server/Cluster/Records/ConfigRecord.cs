using LogPipeline.Protocol.Wire;

namespace LogPipeline.Broker.Cluster.Records;

/// <summary>A setting of a resource was changed.</summary>
internal sealed class ConfigRecord : IMetadataRecord
{
    public const int TypeId = 4;

    public sbyte ResourceType;
    public string ResourceName = "";
    public string Name = "";

    /// <summary>Null takes the setting back.</summary>
    public string? Value;

    public short Type => TypeId;

    /// <summary>The records that set what a new resource is given.</summary>
    public static IEnumerable<ConfigRecord> First(ConfigResource resource, IEnumerable<KeyValuePair<string, string>> given) =>
        given.Select(setting => Of(resource, setting.Key, setting.Value));

    /// <summary>The records that turn what is set for a resource into what is wanted.</summary>
    public static IEnumerable<ConfigRecord> Changes(
        ConfigResource resource, IReadOnlyDictionary<string, string> now, IReadOnlyDictionary<string, string> wanted)
    {
        foreach (string name in now.Keys.Where(name => !wanted.ContainsKey(name)))
        {
            yield return Of(resource, name, null);
        }
        foreach ((string name, string value) in wanted)
        {
            if (now.GetValueOrDefault(name) != value)
            {
                yield return Of(resource, name, value);
            }
        }
    }

    private static ConfigRecord Of(ConfigResource resource, string name, string? value) =>
        new() { ResourceType = resource.Type, ResourceName = resource.Name, Name = name, Value = value };

    public void Transfer<TWire>(ref TWire wire)
        where TWire : struct, IWire, allows ref struct
    {
        wire.Int8(ref ResourceType);
        wire.String(ref ResourceName);
        wire.String(ref Name);
        wire.NullableString(ref Value);
        wire.End();
    }
}
