using LogPipeline.Protocol.Wire;

namespace LogPipeline.Protocol.Messages;

/// <summary>Produce: appends record batches to partitions.</summary>
public sealed class ProduceRequest : IRequest<ProduceResponse>
{
    public static Api Api { get; } = new(ApiKey.Produce, 0, 13, 9);

    /// <summary>Version 3 and later.</summary>
    public string? TransactionalId;
    /// <summary>0 none, and then no response at all; 1 or -1 for the leader or all in-sync replicas.</summary>
    public short Acks;
    /// <summary>How long to wait for replicas, in milliseconds; the records stay when it passes.</summary>
    public int TimeoutMs;
    public List<TopicDataEntry> TopicData = [];

    public void Transfer<TWire>(ref TWire wire)
        where TWire : struct, IWire, allows ref struct
    {
        if (wire.Version >= 3)
        {
            wire.NullableString(ref TransactionalId);
        }
        wire.Int16(ref Acks);
        wire.Int32(ref TimeoutMs);
        wire.Array(ref TopicData);
        wire.End();
    }

    public sealed class TopicDataEntry : IWireStruct
    {
        /// <summary>Up to version 12.</summary>
        public string Name = "";
        /// <summary>Version 13 and later.</summary>
        public Guid TopicId;
        public List<PartitionDataEntry> PartitionData = [];

        public void Transfer<TWire>(ref TWire wire)
            where TWire : struct, IWire, allows ref struct
        {
            if (wire.Version <= 12)
            {
                wire.String(ref Name);
            }
            if (wire.Version >= 13)
            {
                wire.Uuid(ref TopicId);
            }
            wire.Array(ref PartitionData);
            wire.End();
        }

        public sealed class PartitionDataEntry : IWireStruct
        {
            public int Index;
            /// <summary>From version 3 exactly one batch of format 2; before that a message set of format 0 or 1.</summary>
            public RecordSet Records;

            public void Transfer<TWire>(ref TWire wire)
                where TWire : struct, IWire, allows ref struct
            {
                wire.Int32(ref Index);
                wire.Records(ref Records);
                wire.End();
            }
        }
    }
}

/// <summary>Answer to <see cref="ProduceRequest"/>.</summary>
public sealed class ProduceResponse : IWireStruct, ITaggedFields, IThrottledResponse
{
    public List<Response> Responses = [];
    /// <summary>Version 1 and later.</summary>
    public int ThrottleTimeMs;
    /// <summary>Version 10 and later. The leaders named in the partitions, with error 6.</summary>
    public List<NodeEndpoint> NodeEndpoints = [];

    int IThrottledResponse.ThrottleTimeMs { set => ThrottleTimeMs = value; }

    public void Transfer<TWire>(ref TWire wire)
        where TWire : struct, IWire, allows ref struct
    {
        wire.Array(ref Responses);
        if (wire.Version >= 1)
        {
            wire.Int32(ref ThrottleTimeMs);
        }
        wire.End(this);
    }

    public int TagCount => 1;

    public bool HasTag(int tag, short version) => tag switch
    {
        _ => version >= 10 && NodeEndpoints.Count > 0,
    };

    public void TransferTag<TWire>(int tag, ref TWire wire)
        where TWire : struct, IWire, allows ref struct
    {
        wire.Array(ref NodeEndpoints);
    }

    public sealed class Response : IWireStruct
    {
        /// <summary>Up to version 12.</summary>
        public string Name = "";
        /// <summary>Version 13 and later.</summary>
        public Guid TopicId;
        public List<PartitionResponse> PartitionResponses = [];

        public void Transfer<TWire>(ref TWire wire)
            where TWire : struct, IWire, allows ref struct
        {
            if (wire.Version <= 12)
            {
                wire.String(ref Name);
            }
            if (wire.Version >= 13)
            {
                wire.Uuid(ref TopicId);
            }
            wire.Array(ref PartitionResponses);
            wire.End();
        }

        public sealed class PartitionResponse : IWireStruct, ITaggedFields
        {
            public int Index;
            public ErrorCode ErrorCode;
            /// <summary>Offset of the first record; -1 on error.</summary>
            public long BaseOffset;
            /// <summary>Version 2 and later. -1 unless the topic stamps the append time.</summary>
            public long LogAppendTimeMs = -1;
            /// <summary>Version 5 and later.</summary>
            public long LogStartOffset = -1;
            /// <summary>Version 8 and later.</summary>
            public List<RecordError> RecordErrors = [];
            /// <summary>Version 8 and later.</summary>
            public string? ErrorMessage;
            /// <summary>Version 10 and later. With error 6.</summary>
            public LeaderIdAndEpoch? CurrentLeader;

            public void Transfer<TWire>(ref TWire wire)
                where TWire : struct, IWire, allows ref struct
            {
                wire.Int32(ref Index);
                wire.Error(ref ErrorCode);
                wire.Int64(ref BaseOffset);
                if (wire.Version >= 2)
                {
                    wire.Int64(ref LogAppendTimeMs);
                }
                if (wire.Version >= 5)
                {
                    wire.Int64(ref LogStartOffset);
                }
                if (wire.Version >= 8)
                {
                    wire.Array(ref RecordErrors);
                    wire.NullableString(ref ErrorMessage);
                }
                wire.End(this);
            }

            public int TagCount => 1;

            public bool HasTag(int tag, short version) => tag switch
            {
                _ => version >= 10 && CurrentLeader is not null,
            };

            public void TransferTag<TWire>(int tag, ref TWire wire)
                where TWire : struct, IWire, allows ref struct
            {
                (CurrentLeader ??= new()).Transfer(ref wire);
            }

            public sealed class RecordError : IWireStruct
            {
                /// <summary>Version 8 and later.</summary>
                public int BatchIndex;
                /// <summary>Version 8 and later.</summary>
                public string? BatchIndexErrorMessage;

                public void Transfer<TWire>(ref TWire wire)
                    where TWire : struct, IWire, allows ref struct
                {
                    wire.Int32(ref BatchIndex);
                    wire.NullableString(ref BatchIndexErrorMessage);
                    wire.End();
                }
            }

            public sealed class LeaderIdAndEpoch : IWireStruct
            {
                /// <summary>Version 10 and later.</summary>
                public int LeaderId = -1;
                /// <summary>Version 10 and later.</summary>
                public int LeaderEpoch = -1;

                public void Transfer<TWire>(ref TWire wire)
                    where TWire : struct, IWire, allows ref struct
                {
                    wire.Int32(ref LeaderId);
                    wire.Int32(ref LeaderEpoch);
                    wire.End();
                }
            }
        }
    }

    public sealed class NodeEndpoint : IWireStruct
    {
        /// <summary>Version 10 and later.</summary>
        public int NodeId;
        /// <summary>Version 10 and later.</summary>
        public string Host = "";
        /// <summary>Version 10 and later.</summary>
        public int Port;
        /// <summary>Version 10 and later.</summary>
        public string? Rack;

        public void Transfer<TWire>(ref TWire wire)
            where TWire : struct, IWire, allows ref struct
        {
            wire.Int32(ref NodeId);
            wire.String(ref Host);
            wire.Int32(ref Port);
            wire.NullableString(ref Rack);
            wire.End();
        }
    }
}
