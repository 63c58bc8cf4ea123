using LogPipeline.Protocol.Wire;

namespace LogPipeline.Protocol.Messages;

/// <summary>Answer to <see cref="FetchRequest"/>.</summary>
public sealed class FetchResponse : IWireStruct, ITaggedFields, IThrottledResponse
{
    /// <summary>Version 1 and later.</summary>
    public int ThrottleTimeMs;
    /// <summary>Version 7 and later.</summary>
    public ErrorCode ErrorCode;
    /// <summary>Version 7 and later. 0 declines a session.</summary>
    public int SessionId;
    public List<Response> Responses = [];
    /// <summary>Version 16 and later.</summary>
    public List<NodeEndpoint> NodeEndpoints = [];

    int IThrottledResponse.ThrottleTimeMs { set => ThrottleTimeMs = value; }

    public void Transfer<TWire>(ref TWire wire)
        where TWire : struct, IWire, allows ref struct
    {
        if (wire.Version >= 1)
        {
            wire.Int32(ref ThrottleTimeMs);
        }
        if (wire.Version >= 7)
        {
            wire.Error(ref ErrorCode);
            wire.Int32(ref SessionId);
        }
        wire.Array(ref Responses);
        wire.End(this);
    }

    public int TagCount => 1;

    public bool HasTag(int tag, short version) => tag switch
    {
        _ => version >= 16 && NodeEndpoints.Count > 0,
    };

    public void TransferTag<TWire>(int tag, ref TWire wire)
        where TWire : struct, IWire, allows ref struct
    {
        wire.Array(ref NodeEndpoints);
    }

    public sealed class Response : IWireStruct
    {
        /// <summary>Up to version 12.</summary>
        public string Topic = "";
        /// <summary>Version 13 and later.</summary>
        public Guid TopicId;
        public List<Partition> Partitions = [];

        public void Transfer<TWire>(ref TWire wire)
            where TWire : struct, IWire, allows ref struct
        {
            if (wire.Version <= 12)
            {
                wire.String(ref Topic);
            }
            if (wire.Version >= 13)
            {
                wire.Uuid(ref TopicId);
            }
            wire.Array(ref Partitions);
            wire.End();
        }

        public sealed class Partition : IWireStruct, ITaggedFields
        {
            public int PartitionIndex;
            public ErrorCode ErrorCode;
            /// <summary>-1 when the offset is out of range.</summary>
            public long HighWatermark;
            /// <summary>Version 4 and later. First offset of the oldest open transaction, or the high watermark.</summary>
            public long LastStableOffset = -1;
            /// <summary>Version 5 and later.</summary>
            public long LogStartOffset = -1;
            /// <summary>Version 12 and later.</summary>
            public EpochEndOffset? DivergingEpoch;
            /// <summary>Version 12 and later.</summary>
            public LeaderIdAndEpoch? CurrentLeader;
            /// <summary>Version 12 and later.</summary>
            public Snapshot? SnapshotId;
            /// <summary>Version 4 and later. Null for read uncommitted; sorted by first offset, as some clients take it front to back.</summary>
            public List<AbortedTransaction>? AbortedTransactions;
            /// <summary>Version 11 and later.</summary>
            public int PreferredReadReplica = -1;
            /// <summary>Whole batches, never null; the first one may begin before the offset asked for.</summary>
            public RecordSet Records;

            public void Transfer<TWire>(ref TWire wire)
                where TWire : struct, IWire, allows ref struct
            {
                wire.Int32(ref PartitionIndex);
                wire.Error(ref ErrorCode);
                wire.Int64(ref HighWatermark);
                if (wire.Version >= 4)
                {
                    wire.Int64(ref LastStableOffset);
                }
                if (wire.Version >= 5)
                {
                    wire.Int64(ref LogStartOffset);
                }
                if (wire.Version >= 4)
                {
                    wire.NullableArray(ref AbortedTransactions);
                }
                if (wire.Version >= 11)
                {
                    wire.Int32(ref PreferredReadReplica);
                }
                wire.Records(ref Records);
                wire.End(this);
            }

            public int TagCount => 3;

            public bool HasTag(int tag, short version) => tag switch
            {
                0 => version >= 12 && DivergingEpoch is not null,
                1 => version >= 12 && CurrentLeader is not null,
                _ => version >= 12 && SnapshotId is not null,
            };

            public void TransferTag<TWire>(int tag, ref TWire wire)
                where TWire : struct, IWire, allows ref struct
            {
                switch (tag)
                {
                    case 0:
                        (DivergingEpoch ??= new()).Transfer(ref wire);
                        break;
                    case 1:
                        (CurrentLeader ??= new()).Transfer(ref wire);
                        break;
                    default:
                        (SnapshotId ??= new()).Transfer(ref wire);
                        break;
                }
            }

            public sealed class EpochEndOffset : IWireStruct
            {
                /// <summary>Version 12 and later.</summary>
                public int Epoch = -1;
                /// <summary>Version 12 and later.</summary>
                public long EndOffset = -1;

                public void Transfer<TWire>(ref TWire wire)
                    where TWire : struct, IWire, allows ref struct
                {
                    wire.Int32(ref Epoch);
                    wire.Int64(ref EndOffset);
                    wire.End();
                }
            }

            public sealed class LeaderIdAndEpoch : IWireStruct
            {
                /// <summary>Version 12 and later.</summary>
                public int LeaderId = -1;
                /// <summary>Version 12 and later.</summary>
                public int LeaderEpoch = -1;

                public void Transfer<TWire>(ref TWire wire)
                    where TWire : struct, IWire, allows ref struct
                {
                    wire.Int32(ref LeaderId);
                    wire.Int32(ref LeaderEpoch);
                    wire.End();
                }
            }

            public sealed class Snapshot : IWireStruct
            {
                /// <summary>Version 12 and later.</summary>
                public long EndOffset = -1;
                /// <summary>Version 12 and later.</summary>
                public int Epoch = -1;

                public void Transfer<TWire>(ref TWire wire)
                    where TWire : struct, IWire, allows ref struct
                {
                    wire.Int64(ref EndOffset);
                    wire.Int32(ref Epoch);
                    wire.End();
                }
            }

            public sealed class AbortedTransaction : IWireStruct
            {
                /// <summary>Version 4 and later.</summary>
                public long ProducerId;
                /// <summary>Version 4 and later.</summary>
                public long FirstOffset;

                public void Transfer<TWire>(ref TWire wire)
                    where TWire : struct, IWire, allows ref struct
                {
                    wire.Int64(ref ProducerId);
                    wire.Int64(ref FirstOffset);
                    wire.End();
                }
            }
        }
    }

    public sealed class NodeEndpoint : IWireStruct
    {
        /// <summary>Version 16 and later.</summary>
        public int NodeId;
        /// <summary>Version 16 and later.</summary>
        public string Host = "";
        /// <summary>Version 16 and later.</summary>
        public int Port;
        /// <summary>Version 16 and later.</summary>
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
