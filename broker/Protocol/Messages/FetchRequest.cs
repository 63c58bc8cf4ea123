using LogPipeline.Protocol.Wire;

namespace LogPipeline.Protocol.Messages;

/// <summary>Fetch: reads record batches; long poll, sessions (KIP-227).</summary>
public sealed class FetchRequest : IRequest<FetchResponse>, ITaggedFields
{
    public static Api Api { get; } = new(ApiKey.Fetch, 0, 18, 12);

    /// <summary>Version 12 and later.</summary>
    public string? ClusterId;
    /// <summary>Up to version 14.</summary>
    public int ReplicaId = -1;
    /// <summary>Version 15 and later.</summary>
    public ReplicaIdAndEpoch? ReplicaState;
    /// <summary>How long the broker may hold the answer, in milliseconds.</summary>
    public int MaxWaitMs;
    /// <summary>Fewer bytes than this over all partitions make the broker wait.</summary>
    public int MinBytes;
    /// <summary>Version 3 and later. Limit of the response; the first batch of the first non-empty partition comes whole.</summary>
    public int MaxBytes = int.MaxValue;
    /// <summary>Version 4 and later. 0 read uncommitted, 1 read committed.</summary>
    public sbyte IsolationLevel;
    /// <summary>Version 7 and later. 0 asks for a full fetch, which may open a session (KIP-227).</summary>
    public int SessionId;
    /// <summary>Version 7 and later. -1 without a session, 0 to open one, then 1, 2, …; after 2147483647 comes 1.</summary>
    public int SessionEpoch = -1;
    /// <summary>In a session only what has changed. Partitions are served in this order.</summary>
    public List<Topic> Topics = [];
    /// <summary>Version 7 and later.</summary>
    public List<ForgottenTopic> ForgottenTopicsData = [];
    /// <summary>Version 11 and later.</summary>
    public string RackId = "";

    public void Transfer<TWire>(ref TWire wire)
        where TWire : struct, IWire, allows ref struct
    {
        if (wire.Version <= 14)
        {
            wire.Int32(ref ReplicaId);
        }
        wire.Int32(ref MaxWaitMs);
        wire.Int32(ref MinBytes);
        if (wire.Version >= 3)
        {
            wire.Int32(ref MaxBytes);
        }
        if (wire.Version >= 4)
        {
            wire.Int8(ref IsolationLevel);
        }
        if (wire.Version >= 7)
        {
            wire.Int32(ref SessionId);
            wire.Int32(ref SessionEpoch);
        }
        wire.Array(ref Topics);
        if (wire.Version >= 7)
        {
            wire.Array(ref ForgottenTopicsData);
        }
        if (wire.Version >= 11)
        {
            wire.String(ref RackId);
        }
        wire.End(this);
    }

    public int TagCount => 2;

    public bool HasTag(int tag, short version) => tag switch
    {
        0 => version >= 12 && ClusterId is not null,
        _ => version >= 15 && ReplicaState is not null,
    };

    public void TransferTag<TWire>(int tag, ref TWire wire)
        where TWire : struct, IWire, allows ref struct
    {
        switch (tag)
        {
            case 0:
                wire.NullableString(ref ClusterId);
                break;
            default:
                (ReplicaState ??= new()).Transfer(ref wire);
                break;
        }
    }

    public sealed class ReplicaIdAndEpoch : IWireStruct
    {
        /// <summary>Version 15 and later.</summary>
        public int ReplicaId = -1;
        /// <summary>Version 15 and later.</summary>
        public long ReplicaEpoch = -1;

        public void Transfer<TWire>(ref TWire wire)
            where TWire : struct, IWire, allows ref struct
        {
            wire.Int32(ref ReplicaId);
            wire.Int64(ref ReplicaEpoch);
            wire.End();
        }
    }

    public sealed class Topic : IWireStruct
    {
        /// <summary>Up to version 12.</summary>
        public string Name = "";
        /// <summary>Version 13 and later.</summary>
        public Guid TopicId;
        public List<Partition> Partitions = [];

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
            wire.Array(ref Partitions);
            wire.End();
        }

        public sealed class Partition : IWireStruct, ITaggedFields
        {
            public int Index;
            /// <summary>Version 9 and later. Epoch that the client knows, -1 none; another one is answered by errors 74 or 75.</summary>
            public int CurrentLeaderEpoch = -1;
            public long FetchOffset;
            /// <summary>Version 12 and later.</summary>
            public int LastFetchedEpoch = -1;
            /// <summary>Version 5 and later.</summary>
            public long LogStartOffset = -1;
            /// <summary>Limit in bytes, but a first batch comes whole.</summary>
            public int PartitionMaxBytes;
            /// <summary>Version 17 and later.</summary>
            public Guid ReplicaDirectoryId;
            /// <summary>Version 18 and later.</summary>
            public long HighWatermark = long.MaxValue;

            public void Transfer<TWire>(ref TWire wire)
                where TWire : struct, IWire, allows ref struct
            {
                wire.Int32(ref Index);
                if (wire.Version >= 9)
                {
                    wire.Int32(ref CurrentLeaderEpoch);
                }
                wire.Int64(ref FetchOffset);
                if (wire.Version >= 12)
                {
                    wire.Int32(ref LastFetchedEpoch);
                }
                if (wire.Version >= 5)
                {
                    wire.Int64(ref LogStartOffset);
                }
                wire.Int32(ref PartitionMaxBytes);
                wire.End(this);
            }

            public int TagCount => 2;

            public bool HasTag(int tag, short version) => tag switch
            {
                0 => version >= 17 && ReplicaDirectoryId != Guid.Empty,
                _ => version >= 18 && HighWatermark != long.MaxValue,
            };

            public void TransferTag<TWire>(int tag, ref TWire wire)
                where TWire : struct, IWire, allows ref struct
            {
                switch (tag)
                {
                    case 0:
                        wire.Uuid(ref ReplicaDirectoryId);
                        break;
                    default:
                        wire.Int64(ref HighWatermark);
                        break;
                }
            }
        }
    }

    public sealed class ForgottenTopic : IWireStruct
    {
        /// <summary>Up to version 12.</summary>
        public string Topic = "";
        /// <summary>Version 13 and later.</summary>
        public Guid TopicId;
        /// <summary>Version 7 and later.</summary>
        public List<int> Partitions = [];

        public void Transfer<TWire>(ref TWire wire)
            where TWire : struct, IWire, allows ref struct
        {
            if (wire.Version is >= 7 and <= 12)
            {
                wire.String(ref Topic);
            }
            if (wire.Version >= 13)
            {
                wire.Uuid(ref TopicId);
            }
            wire.Int32Array(ref Partitions);
            wire.End();
        }
    }
}
