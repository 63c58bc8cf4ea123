using LogPipeline.Protocol.Wire;

namespace LogPipeline.Broker.Cluster.Records;

/// <summary>The cluster uses a feature at this level from here on.</summary>
internal sealed class FeatureLevelRecord : IMetadataRecord
{
    public const int TypeId = 12;

    /// <summary>The feature that says which metadata records are used; its record is the first in a log.</summary>
    public const string MetadataVersion = "metadata.version";

    /// <summary>3.3-IV3 in Kafka's numbers: the level of the record versions written here.</summary>
    public const short MetadataVersionLevel = 7;

    public string Name = "";
    public short FeatureLevel;

    public short Type => TypeId;

    /// <summary>Whether this program can read and write what the cluster does at this level.</summary>
    public bool IsKnown => Name == MetadataVersion && FeatureLevel == MetadataVersionLevel;

    public void Transfer<TWire>(ref TWire wire)
        where TWire : struct, IWire, allows ref struct
    {
        wire.String(ref Name);
        wire.Int16(ref FeatureLevel);
        wire.End();
    }
}
