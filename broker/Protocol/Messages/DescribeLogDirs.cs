using LogPipeline.Protocol.Wire;

namespace LogPipeline.Protocol.Messages;

/// <summary>DescribeLogDirs: the data directories of a broker, and how much each partition takes there.</summary>
public sealed class DescribeLogDirsRequest : IRequest<DescribeLogDirsResponse>
{
    public static Api Api { get; } = new(ApiKey.DescribeLogDirs, 0, 4, 2);

    /// <summary>What is asked about; null means everything.</summary>
    public List<Topic>? Topics;

    public void Transfer<TWire>(ref TWire wire)
        where TWire : struct, IWire, allows ref struct
    {
        wire.NullableArray(ref Topics);
        wire.End();
    }

    public sealed class Topic : IWireStruct
    {
        public string Name = "";
        public List<int> Partitions = [];

        public void Transfer<TWire>(ref TWire wire)
            where TWire : struct, IWire, allows ref struct
        {
            wire.String(ref Name);
            wire.Int32Array(ref Partitions);
            wire.End();
        }
    }
}

/// <summary>Answer to <see cref="DescribeLogDirsRequest"/>.</summary>
public sealed class DescribeLogDirsResponse : IWireStruct, IThrottledResponse
{
    public int ThrottleTimeMs;
    /// <summary>Version 3 and later.</summary>
    public ErrorCode ErrorCode;
    public List<Result> Results = [];

    int IThrottledResponse.ThrottleTimeMs { set => ThrottleTimeMs = value; }

    public void Transfer<TWire>(ref TWire wire)
        where TWire : struct, IWire, allows ref struct
    {
        wire.Int32(ref ThrottleTimeMs);
        if (wire.Version >= 3)
        {
            wire.Error(ref ErrorCode);
        }
        wire.Array(ref Results);
        wire.End();
    }

    public sealed class Result : IWireStruct
    {
        public ErrorCode ErrorCode;
        public string LogDir = "";
        public List<Topic> Topics = [];
        /// <summary>Size of the volume that the directory lies on; -1 when unknown. Version 4 and later.</summary>
        public long TotalBytes = -1;
        /// <summary>Bytes of that volume that the broker may still write; -1 when unknown. Version 4 and later.</summary>
        public long UsableBytes = -1;

        public void Transfer<TWire>(ref TWire wire)
            where TWire : struct, IWire, allows ref struct
        {
            wire.Error(ref ErrorCode);
            wire.String(ref LogDir);
            wire.Array(ref Topics);
            if (wire.Version >= 4)
            {
                wire.Int64(ref TotalBytes);
                wire.Int64(ref UsableBytes);
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
                /// <summary>Bytes of all segments.</summary>
                public long PartitionSize;
                /// <summary>How far the log is behind the one it will replace, for a future log; else how far it is behind the high watermark.</summary>
                public long OffsetLag;
                /// <summary>Whether the log is being moved to this directory and will replace the current one.</summary>
                public bool IsFutureKey;

                public void Transfer<TWire>(ref TWire wire)
                    where TWire : struct, IWire, allows ref struct
                {
                    wire.Int32(ref PartitionIndex);
                    wire.Int64(ref PartitionSize);
                    wire.Int64(ref OffsetLag);
                    wire.Bool(ref IsFutureKey);
                    wire.End();
                }
            }
        }
    }
}
