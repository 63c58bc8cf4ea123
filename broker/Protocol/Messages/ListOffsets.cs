using LogPipeline.Protocol.Wire;

namespace LogPipeline.Protocol.Messages;

/// <summary>ListOffsets: offsets by time; -1 latest, -2 earliest, -3 largest timestamp, -4 earliest local.</summary>
public sealed class ListOffsetsRequest : IRequest<ListOffsetsResponse>
{
    public static Api Api { get; } = new(ApiKey.ListOffsets, 0, 11, 6);

    public int ReplicaId;
    /// <summary>Version 2 and later.</summary>
    public sbyte IsolationLevel;
    public List<Topic> Topics = [];
    /// <summary>Version 10 and later.</summary>
    public int TimeoutMs;

    public void Transfer<TWire>(ref TWire wire)
        where TWire : struct, IWire, allows ref struct
    {
        wire.Int32(ref ReplicaId);
        if (wire.Version >= 2)
        {
            wire.Int8(ref IsolationLevel);
        }
        wire.Array(ref Topics);
        if (wire.Version >= 10)
        {
            wire.Int32(ref TimeoutMs);
        }
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
            /// <summary>Version 4 and later.</summary>
            public int CurrentLeaderEpoch = -1;
            /// <summary>-1 latest, -2 earliest, -3 that of the largest timestamp, otherwise the first record at or after it in ms since 1970.</summary>
            public long Timestamp;
            /// <summary>Version 0.</summary>
            public int MaxNumOffsets;

            public void Transfer<TWire>(ref TWire wire)
                where TWire : struct, IWire, allows ref struct
            {
                wire.Int32(ref PartitionIndex);
                if (wire.Version >= 4)
                {
                    wire.Int32(ref CurrentLeaderEpoch);
                }
                wire.Int64(ref Timestamp);
                if (wire.Version == 0)
                {
                    wire.Int32(ref MaxNumOffsets);
                }
                wire.End();
            }
        }
    }
}

/// <summary>Answer to <see cref="ListOffsetsRequest"/>.</summary>
public sealed class ListOffsetsResponse : IWireStruct, IThrottledResponse
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
            public ErrorCode ErrorCode;
            /// <summary>Version 0.</summary>
            public List<long> OldStyleOffsets = [];
            /// <summary>Version 1 and later.</summary>
            public long Timestamp = -1;
            /// <summary>Version 1 and later.</summary>
            public long Offset = -1;
            /// <summary>Version 4 and later.</summary>
            public int LeaderEpoch = -1;

            public void Transfer<TWire>(ref TWire wire)
                where TWire : struct, IWire, allows ref struct
            {
                wire.Int32(ref PartitionIndex);
                wire.Error(ref ErrorCode);
                if (wire.Version == 0)
                {
                    wire.Int64Array(ref OldStyleOffsets);
                }
                if (wire.Version >= 1)
                {
                    wire.Int64(ref Timestamp);
                    wire.Int64(ref Offset);
                }
                if (wire.Version >= 4)
                {
                    wire.Int32(ref LeaderEpoch);
                }
                wire.End();
            }
        }
    }
}
