using LogPipeline.Protocol.Wire;

namespace LogPipeline.Protocol.Messages;

/// <summary>CreateTopics.</summary>
public sealed class CreateTopicsRequest : IRequest<CreateTopicsResponse>
{
    public static Api Api { get; } = new(ApiKey.CreateTopics, 0, 7, 5);

    public List<Topic> Topics = [];
    public int TimeoutMs = 60000;
    /// <summary>Version 1 and later.</summary>
    public bool ValidateOnly;

    public void Transfer<TWire>(ref TWire wire)
        where TWire : struct, IWire, allows ref struct
    {
        wire.Array(ref Topics);
        wire.Int32(ref TimeoutMs);
        if (wire.Version >= 1)
        {
            wire.Bool(ref ValidateOnly);
        }
        wire.End();
    }

    public sealed class Topic : IWireStruct
    {
        public string Name = "";
        public int NumPartitions;
        public short ReplicationFactor;
        public List<Assignment> Assignments = [];
        public List<Config> Configs = [];

        public void Transfer<TWire>(ref TWire wire)
            where TWire : struct, IWire, allows ref struct
        {
            wire.String(ref Name);
            wire.Int32(ref NumPartitions);
            wire.Int16(ref ReplicationFactor);
            wire.Array(ref Assignments);
            wire.Array(ref Configs);
            wire.End();
        }

        public sealed class Assignment : IWireStruct
        {
            public int PartitionIndex;
            public List<int> BrokerIds = [];

            public void Transfer<TWire>(ref TWire wire)
                where TWire : struct, IWire, allows ref struct
            {
                wire.Int32(ref PartitionIndex);
                wire.Int32Array(ref BrokerIds);
                wire.End();
            }
        }

        public sealed class Config : IWireStruct
        {
            public string Name = "";
            public string? Value;

            public void Transfer<TWire>(ref TWire wire)
                where TWire : struct, IWire, allows ref struct
            {
                wire.String(ref Name);
                wire.NullableString(ref Value);
                wire.End();
            }
        }
    }
}

/// <summary>Answer to <see cref="CreateTopicsRequest"/>.</summary>
public sealed class CreateTopicsResponse : IWireStruct, IThrottledResponse
{
    /// <summary>Version 2 and later.</summary>
    public int ThrottleTimeMs;
    public List<Topic> Topics = [];

    int IThrottledResponse.ThrottleTimeMs { set => ThrottleTimeMs = value; }

    public void Transfer<TWire>(ref TWire wire)
        where TWire : struct, IWire, allows ref struct
    {
        if (wire.Version >= 2)
        {
            wire.Int32(ref ThrottleTimeMs);
        }
        wire.Array(ref Topics);
        wire.End();
    }

    public sealed class Topic : IWireStruct, ITaggedFields
    {
        public string Name = "";
        /// <summary>Version 7 and later.</summary>
        public Guid TopicId;
        public ErrorCode ErrorCode;
        /// <summary>Version 1 and later.</summary>
        public string? ErrorMessage;
        /// <summary>Version 5 and later.</summary>
        public ErrorCode TopicConfigErrorCode;
        /// <summary>Version 5 and later.</summary>
        public int NumPartitions = -1;
        /// <summary>Version 5 and later.</summary>
        public short ReplicationFactor = -1;
        /// <summary>Version 5 and later.</summary>
        public List<Config>? Configs;

        public void Transfer<TWire>(ref TWire wire)
            where TWire : struct, IWire, allows ref struct
        {
            wire.String(ref Name);
            if (wire.Version >= 7)
            {
                wire.Uuid(ref TopicId);
            }
            wire.Error(ref ErrorCode);
            if (wire.Version >= 1)
            {
                wire.NullableString(ref ErrorMessage);
            }
            if (wire.Version >= 5)
            {
                wire.Int32(ref NumPartitions);
                wire.Int16(ref ReplicationFactor);
                wire.NullableArray(ref Configs);
            }
            wire.End(this);
        }

        public int TagCount => 1;

        public bool HasTag(int tag, short version) => tag switch
        {
            _ => version >= 5 && TopicConfigErrorCode != ErrorCode.None,
        };

        public void TransferTag<TWire>(int tag, ref TWire wire)
            where TWire : struct, IWire, allows ref struct
        {
            wire.Error(ref TopicConfigErrorCode);
        }

        public sealed class Config : IWireStruct
        {
            /// <summary>Version 5 and later.</summary>
            public string Name = "";
            /// <summary>Version 5 and later.</summary>
            public string? Value;
            /// <summary>Version 5 and later.</summary>
            public bool ReadOnly;
            /// <summary>Version 5 and later.</summary>
            public sbyte ConfigSource = -1;
            /// <summary>Version 5 and later.</summary>
            public bool IsSensitive;

            public void Transfer<TWire>(ref TWire wire)
                where TWire : struct, IWire, allows ref struct
            {
                wire.String(ref Name);
                wire.NullableString(ref Value);
                wire.Bool(ref ReadOnly);
                wire.Int8(ref ConfigSource);
                wire.Bool(ref IsSensitive);
                wire.End();
            }
        }
    }
}
