using LogPipeline.Protocol.Wire;

namespace LogPipeline.Protocol.Messages;

/// <summary>AlterPartitionReassignments: moves partitions to other brokers (KIP-455).</summary>
public sealed class AlterPartitionReassignmentsRequest : IRequest<AlterPartitionReassignmentsResponse>
{
    public static Api Api { get; } = new(ApiKey.AlterPartitionReassignments, 0, 1, 0);

    public int TimeoutMs = 60000;
    /// <summary>Version 1 and later.</summary>
    public bool AllowReplicationFactorChange = true;
    public List<Topic> Topics = [];

    public void Transfer<TWire>(ref TWire wire)
        where TWire : struct, IWire, allows ref struct
    {
        wire.Int32(ref TimeoutMs);
        if (wire.Version >= 1)
        {
            wire.Bool(ref AllowReplicationFactorChange);
        }
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
            /// <summary>Node ids of those that are to keep it; null cancels a move that is under way.</summary>
            public List<int>? Replicas;

            public void Transfer<TWire>(ref TWire wire)
                where TWire : struct, IWire, allows ref struct
            {
                wire.Int32(ref PartitionIndex);
                wire.NullableInt32Array(ref Replicas);
                wire.End();
            }
        }
    }
}

/// <summary>Answer to <see cref="AlterPartitionReassignmentsRequest"/>.</summary>
public sealed class AlterPartitionReassignmentsResponse : IWireStruct, IThrottledResponse
{
    public int ThrottleTimeMs;
    /// <summary>Version 1 and later.</summary>
    public bool AllowReplicationFactorChange = true;
    public ErrorCode ErrorCode;
    public string? ErrorMessage;
    public List<Response> Responses = [];

    int IThrottledResponse.ThrottleTimeMs { set => ThrottleTimeMs = value; }

    public void Transfer<TWire>(ref TWire wire)
        where TWire : struct, IWire, allows ref struct
    {
        wire.Int32(ref ThrottleTimeMs);
        if (wire.Version >= 1)
        {
            wire.Bool(ref AllowReplicationFactorChange);
        }
        wire.Error(ref ErrorCode);
        wire.NullableString(ref ErrorMessage);
        wire.Array(ref Responses);
        wire.End();
    }

    public sealed class Response : IWireStruct
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
            public ErrorCode ErrorCode;
            public string? ErrorMessage;

            public void Transfer<TWire>(ref TWire wire)
                where TWire : struct, IWire, allows ref struct
            {
                wire.Int32(ref PartitionIndex);
                wire.Error(ref ErrorCode);
                wire.NullableString(ref ErrorMessage);
                wire.End();
            }
        }
    }
}
