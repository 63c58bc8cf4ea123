using LogPipeline.Protocol.Wire;

namespace LogPipeline.Broker.Cluster.Records;

/// <summary>A partition was created, or stands so in a snapshot.</summary>
internal sealed class PartitionRecord : IMetadataRecord, ITaggedFields
{
    public const int TypeId = 3;

    public int PartitionId = -1;
    public Guid TopicId;
    public List<int> Replicas = [];
    public List<int> Isr = [];
    public List<int> RemovingReplicas = [];
    public List<int> AddingReplicas = [];
    public int Leader = PartitionState.NoLeader;
    public int LeaderEpoch = -1;
    public int PartitionEpoch = -1;

    /// <summary>0: the leader has recovered; 1: it was elected without being in sync.</summary>
    public sbyte LeaderRecoveryState;

    public short Type => TypeId;

    public PartitionState State => new(Leader, LeaderEpoch, PartitionEpoch, Replicas, Isr);

    public int TagCount => 1;

    public static PartitionRecord Of(Guid topicId, int number, PartitionState state) => new()
    {
        PartitionId = number,
        TopicId = topicId,
        Replicas = [.. state.Replicas],
        Isr = [.. state.InSync],
        Leader = state.Leader,
        LeaderEpoch = state.LeaderEpoch,
        PartitionEpoch = state.PartitionEpoch,
    };

    public void Transfer<TWire>(ref TWire wire)
        where TWire : struct, IWire, allows ref struct
    {
        wire.Int32(ref PartitionId);
        wire.Uuid(ref TopicId);
        wire.Int32Array(ref Replicas);
        wire.Int32Array(ref Isr);
        wire.Int32Array(ref RemovingReplicas);
        wire.Int32Array(ref AddingReplicas);
        wire.Int32(ref Leader);
        wire.Int32(ref LeaderEpoch);
        wire.Int32(ref PartitionEpoch);
        wire.End(this);
    }

    public bool HasTag(int tag, short version) => LeaderRecoveryState != 0;

    public void TransferTag<TWire>(int tag, ref TWire wire)
        where TWire : struct, IWire, allows ref struct => wire.Int8(ref LeaderRecoveryState);
}
