using LogPipeline.Protocol.Wire;

namespace LogPipeline.Broker.Cluster.Records;

/// <summary>
/// A partition's in-sync set or leader changed. A leader that is named, also the same one again, begins a new leader epoch.
/// </summary>
internal sealed class PartitionChangeRecord : IMetadataRecord, ITaggedFields
{
    public const int TypeId = 5;

    private const int Unchanged = -2;

    public int PartitionId = -1;
    public Guid TopicId;

    /// <summary>The new in-sync set; empty when it did not change.</summary>
    public List<int> Isr = [];

    /// <summary>The leader of the new epoch; -1 when nobody leads, -2 when the leader did not change.</summary>
    public int Leader = Unchanged;

    public short Type => TypeId;

    public int TagCount => 2;

    /// <summary>The state after this change.</summary>
    public PartitionState Change(PartitionState state) => state with
    {
        Leader = Leader == Unchanged ? state.Leader : Leader,
        LeaderEpoch = Leader == Unchanged ? state.LeaderEpoch : state.LeaderEpoch + 1,
        PartitionEpoch = state.PartitionEpoch + 1,
        InSync = Isr.Count == 0 ? state.InSync : Isr,
    };

    public void Transfer<TWire>(ref TWire wire)
        where TWire : struct, IWire, allows ref struct
    {
        wire.Int32(ref PartitionId);
        wire.Uuid(ref TopicId);
        wire.End(this);
    }

    public bool HasTag(int tag, short version) => tag == 0 ? Isr.Count > 0 : Leader != Unchanged;

    public void TransferTag<TWire>(int tag, ref TWire wire)
        where TWire : struct, IWire, allows ref struct
    {
        if (tag == 0)
        {
            wire.Int32Array(ref Isr);
        }
        else
        {
            wire.Int32(ref Leader);
        }
    }
}
