using LogPipeline.Protocol.Wire;

namespace LogPipeline.Broker.Cluster.Records;

/// <summary>A topic was created; its partitions follow.</summary>
internal sealed class TopicRecord : IMetadataRecord
{
    public const int TypeId = 2;

    public string Name = "";
    public Guid TopicId;

    public short Type => TypeId;

    public void Transfer<TWire>(ref TWire wire)
        where TWire : struct, IWire, allows ref struct
    {
        wire.String(ref Name);
        wire.Uuid(ref TopicId);
        wire.End();
    }
}
