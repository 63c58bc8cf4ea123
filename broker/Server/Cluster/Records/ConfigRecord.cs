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
