using LogPipeline.Protocol.Wire;

namespace LogPipeline.Protocol.Messages;

/// <summary>ListPartitionReassignments: the partitions that are being moved (KIP-455).</summary>
public sealed class ListPartitionReassignmentsRequest : IRequest<ListPartitionReassignmentsResponse>
{
    public static Api Api { get; } = new(ApiKey.ListPartitionReassignments, 0, 0, 0);

    public int TimeoutMs = 60000;
    /// <summary>What is asked about; null means every partition.</summary>
    public List<Topic>? Topics;

    public void Transfer<TWire>(ref TWire wire)
        where TWire : struct, IWire, allows ref struct
    {
        wire.Int32(ref TimeoutMs);
        wire.NullableArray(ref Topics);
        wire.End();
    }

    public sealed class Topic : IWireStruct
    {
        public string Name = "";
        public List<int> PartitionIndexes = [];

        public void Transfer<TWire>(ref TWire wire)
            where TWire : struct, IWire, allows ref struct
        {
            wire.String(ref Name);
            wire.Int32Array(ref PartitionIndexes);
            wire.End();
        }
    }
}

/// <summary>Answer to <see cref="ListPartitionReassignmentsRequest"/>.</summary>
public sealed class ListPartitionReassignmentsResponse : IWireStruct, IThrottledResponse
{
    public int ThrottleTimeMs;
    public ErrorCode ErrorCode;
    public string? ErrorMessage;
    public List<Topic> Topics = [];

    int IThrottledResponse.ThrottleTimeMs { set => ThrottleTimeMs = value; }

    public void Transfer<TWire>(ref TWire wire)
        where TWire : struct, IWire, allows ref struct
    {
        wire.Int32(ref ThrottleTimeMs);
        wire.Error(ref ErrorCode);
        wire.NullableString(ref ErrorMessage);
        wire.Array(ref Topics);
        wire.End();
    }

    public sealed class Topic : IWireStruct
    {
        public string Name = "";
        public List<Partition> Partitions = [];

        public void Transfer<TWire>(ref TWire wire)
            where TWire : struct, IWire, allows ref struct
        {
            wire.String(ref Name);
            wire.Array(ref Partitions);
            wire.End();
        }

        public sealed class Partition : IWireStruct
        {
            public int PartitionIndex;
            public List<int> Replicas = [];
            public List<int> AddingReplicas = [];
            public List<int> RemovingReplicas = [];

            public void Transfer<TWire>(ref TWire wire)
                where TWire : struct, IWire, allows ref struct
            {
                wire.Int32(ref PartitionIndex);
                wire.Int32Array(ref Replicas);
                wire.Int32Array(ref AddingReplicas);
                wire.Int32Array(ref RemovingReplicas);
                wire.End();
            }
        }
    }
}
