using LogPipeline.Protocol.Wire;

namespace LogPipeline.Broker.Cluster.Records;

/// <summary>A topic was deleted, with its partitions and its configuration.</summary>
internal sealed class RemoveTopicRecord : IMetadataRecord
{
    public const int TypeId = 9;

    public Guid TopicId;

    public short Type => TypeId;

    public void Transfer<TWire>(ref TWire wire)
        where TWire : struct, IWire, allows ref struct
    {
        wire.Uuid(ref TopicId);
        wire.End();
    }
}
