using LogPipeline.Protocol.Wire;

namespace LogPipeline.Protocol.Messages;

/// <summary>OffsetForLeaderEpoch: where a leader epoch ends (KIP-320).</summary>
public sealed class OffsetForLeaderEpochRequest : IRequest<OffsetForLeaderEpochResponse>
{
    public static Api Api { get; } = new(ApiKey.OffsetForLeaderEpoch, 0, 4, 4);

    /// <summary>Version 3 and later.</summary>
    public int ReplicaId = -2;
    public List<Topic> Topics = [];

    public void Transfer<TWire>(ref TWire wire)
        where TWire : struct, IWire, allows ref struct
    {
        if (wire.Version >= 3)
        {
            wire.Int32(ref ReplicaId);
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
            public int Index;
            /// <summary>Version 2 and later.</summary>
            public int CurrentLeaderEpoch = -1;
            public int LeaderEpoch;

            public void Transfer<TWire>(ref TWire wire)
                where TWire : struct, IWire, allows ref struct
            {
                wire.Int32(ref Index);
                if (wire.Version >= 2)
                {
                    wire.Int32(ref CurrentLeaderEpoch);
                }
                wire.Int32(ref LeaderEpoch);
                wire.End();
            }
        }
    }
}

/// <summary>Answer to <see cref="OffsetForLeaderEpochRequest"/>.</summary>
public sealed class OffsetForLeaderEpochResponse : IWireStruct, IThrottledResponse
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
            public ErrorCode ErrorCode;
            public int Index;
            /// <summary>Version 1 and later.</summary>
            public int LeaderEpoch = -1;
            public long EndOffset = -1;

            public void Transfer<TWire>(ref TWire wire)
                where TWire : struct, IWire, allows ref struct
            {
                wire.Error(ref ErrorCode);
                wire.Int32(ref Index);
                if (wire.Version >= 1)
                {
                    wire.Int32(ref LeaderEpoch);
                }
                wire.Int64(ref EndOffset);
                wire.End();
            }
        }
    }
}
