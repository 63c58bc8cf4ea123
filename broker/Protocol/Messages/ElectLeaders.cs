using LogPipeline.Protocol.Wire;

namespace LogPipeline.Protocol.Messages;

/// <summary>ElectLeaders: has replicas lead that do not (KIP-460).</summary>
public sealed class ElectLeadersRequest : IRequest<ElectLeadersResponse>
{
    public static Api Api { get; } = new(ApiKey.ElectLeaders, 0, 2, 2);

    /// <summary>0: the preferred replica; 1: any, in sync or not. Version 1 and later.</summary>
    public sbyte ElectionType;
    /// <summary>What is asked about; null means every partition.</summary>
    public List<TopicPartition>? TopicPartitions;
    public int TimeoutMs = 60000;

    public void Transfer<TWire>(ref TWire wire)
        where TWire : struct, IWire, allows ref struct
    {
        if (wire.Version >= 1)
        {
            wire.Int8(ref ElectionType);
        }
        wire.NullableArray(ref TopicPartitions);
        wire.Int32(ref TimeoutMs);
        wire.End();
    }

    public sealed class TopicPartition : IWireStruct
    {
        public string Topic = "";
        public List<int> Partitions = [];

        public void Transfer<TWire>(ref TWire wire)
            where TWire : struct, IWire, allows ref struct
        {
            wire.String(ref Topic);
            wire.Int32Array(ref Partitions);
            wire.End();
        }
    }
}

/// <summary>Answer to <see cref="ElectLeadersRequest"/>.</summary>
public sealed class ElectLeadersResponse : IWireStruct, IThrottledResponse
{
    public int ThrottleTimeMs;
    /// <summary>Version 1 and later.</summary>
    public ErrorCode ErrorCode;
    public List<ReplicaElectionResult> ReplicaElectionResults = [];

    int IThrottledResponse.ThrottleTimeMs { set => ThrottleTimeMs = value; }

    public void Transfer<TWire>(ref TWire wire)
        where TWire : struct, IWire, allows ref struct
    {
        wire.Int32(ref ThrottleTimeMs);
        if (wire.Version >= 1)
        {
            wire.Error(ref ErrorCode);
        }
        wire.Array(ref ReplicaElectionResults);
        wire.End();
    }

    public sealed class ReplicaElectionResult : IWireStruct
    {
        public string Topic = "";
        public List<PartitionResult> PartitionResults = [];

        public void Transfer<TWire>(ref TWire wire)
            where TWire : struct, IWire, allows ref struct
        {
            wire.String(ref Topic);
            wire.Array(ref PartitionResults);
            wire.End();
        }

        public sealed class PartitionResult : IWireStruct
        {
            public int PartitionId;
            public ErrorCode ErrorCode;
            public string? ErrorMessage;

            public void Transfer<TWire>(ref TWire wire)
                where TWire : struct, IWire, allows ref struct
            {
                wire.Int32(ref PartitionId);
                wire.Error(ref ErrorCode);
                wire.NullableString(ref ErrorMessage);
                wire.End();
            }
        }
    }
}
