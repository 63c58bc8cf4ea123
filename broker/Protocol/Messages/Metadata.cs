using LogPipeline.Protocol.Wire;

namespace LogPipeline.Protocol.Messages;

/// <summary>Metadata: brokers, topics, partition leaders; may create topics.</summary>
public sealed class MetadataRequest : IRequest<MetadataResponse>
{
    public static Api Api { get; } = new(ApiKey.Metadata, 0, 13, 9);

    /// <summary>Null asks for all, empty for none; in version 0 empty asks for all.</summary>
    public List<Topic>? Topics;
    /// <summary>Version 4 and later.</summary>
    public bool AllowAutoTopicCreation = true;
    /// <summary>Versions 8 to 10. Bit n of the answer is ACL operation n.</summary>
    public bool IncludeClusterAuthorizedOperations;
    /// <summary>Version 8 and later.</summary>
    public bool IncludeTopicAuthorizedOperations;

    public void Transfer<TWire>(ref TWire wire)
        where TWire : struct, IWire, allows ref struct
    {
        wire.NullableArray(ref Topics, from: 1);
        if (wire.Version >= 4)
        {
            wire.Bool(ref AllowAutoTopicCreation);
        }
        if (wire.Version is >= 8 and <= 10)
        {
            wire.Bool(ref IncludeClusterAuthorizedOperations);
        }
        if (wire.Version >= 8)
        {
            wire.Bool(ref IncludeTopicAuthorizedOperations);
        }
        wire.End();
    }

    public sealed class Topic : IWireStruct
    {
        /// <summary>Version 10 and later.</summary>
        public Guid TopicId;
        public string? Name;

        public void Transfer<TWire>(ref TWire wire)
            where TWire : struct, IWire, allows ref struct
        {
            if (wire.Version >= 10)
            {
                wire.Uuid(ref TopicId);
            }
            wire.NullableString(ref Name, from: 10);
            wire.End();
        }
    }
}

/// <summary>Answer to <see cref="MetadataRequest"/>.</summary>
public sealed class MetadataResponse : IWireStruct, IThrottledResponse
{
    /// <summary>Version 3 and later.</summary>
    public int ThrottleTimeMs;
    public List<Broker> Brokers = [];
    /// <summary>Version 2 and later.</summary>
    public string? ClusterId;
    /// <summary>Version 1 and later. Must be one of the brokers: admin clients send changes there.</summary>
    public int ControllerId = -1;
    public List<Topic> Topics = [];
    /// <summary>Versions 8 to 10.</summary>
    public int ClusterAuthorizedOperations = int.MinValue;
    /// <summary>Version 13 and later.</summary>
    public ErrorCode ErrorCode;

    int IThrottledResponse.ThrottleTimeMs { set => ThrottleTimeMs = value; }

    public void Transfer<TWire>(ref TWire wire)
        where TWire : struct, IWire, allows ref struct
    {
        if (wire.Version >= 3)
        {
            wire.Int32(ref ThrottleTimeMs);
        }
        wire.Array(ref Brokers);
        if (wire.Version >= 2)
        {
            wire.NullableString(ref ClusterId);
        }
        if (wire.Version >= 1)
        {
            wire.Int32(ref ControllerId);
        }
        wire.Array(ref Topics);
        if (wire.Version is >= 8 and <= 10)
        {
            wire.Int32(ref ClusterAuthorizedOperations);
        }
        if (wire.Version >= 13)
        {
            wire.Error(ref ErrorCode);
        }
        wire.End();
    }

    public sealed class Broker : IWireStruct
    {
        public int NodeId;
        public string Host = "";
        public int Port;
        /// <summary>Version 1 and later.</summary>
        public string? Rack;

        public void Transfer<TWire>(ref TWire wire)
            where TWire : struct, IWire, allows ref struct
        {
            wire.Int32(ref NodeId);
            wire.String(ref Host);
            wire.Int32(ref Port);
            if (wire.Version >= 1)
            {
                wire.NullableString(ref Rack);
            }
            wire.End();
        }
    }

    public sealed class Topic : IWireStruct
    {
        public ErrorCode ErrorCode;
        public string? Name;
        /// <summary>Version 10 and later.</summary>
        public Guid TopicId;
        /// <summary>Version 1 and later.</summary>
        public bool IsInternal;
        public List<Partition> Partitions = [];
        /// <summary>Version 8 and later.</summary>
        public int TopicAuthorizedOperations = int.MinValue;

        public void Transfer<TWire>(ref TWire wire)
            where TWire : struct, IWire, allows ref struct
        {
            wire.Error(ref ErrorCode);
            wire.NullableString(ref Name, from: 12);
            if (wire.Version >= 10)
            {
                wire.Uuid(ref TopicId);
            }
            if (wire.Version >= 1)
            {
                wire.Bool(ref IsInternal);
            }
            wire.Array(ref Partitions);
            if (wire.Version >= 8)
            {
                wire.Int32(ref TopicAuthorizedOperations);
            }
            wire.End();
        }

        public sealed class Partition : IWireStruct
        {
            public ErrorCode ErrorCode;
            public int PartitionIndex;
            public int LeaderId;
            /// <summary>Version 7 and later.</summary>
            public int LeaderEpoch = -1;
            public List<int> ReplicaNodes = [];
            public List<int> IsrNodes = [];
            /// <summary>Version 5 and later.</summary>
            public List<int> OfflineReplicas = [];

            public void Transfer<TWire>(ref TWire wire)
                where TWire : struct, IWire, allows ref struct
            {
                wire.Error(ref ErrorCode);
                wire.Int32(ref PartitionIndex);
                wire.Int32(ref LeaderId);
                if (wire.Version >= 7)
                {
                    wire.Int32(ref LeaderEpoch);
                }
                wire.Int32Array(ref ReplicaNodes);
                wire.Int32Array(ref IsrNodes);
                if (wire.Version >= 5)
                {
                    wire.Int32Array(ref OfflineReplicas);
                }
                wire.End();
            }
        }
    }
}
