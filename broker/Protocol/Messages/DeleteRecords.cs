using LogPipeline.Protocol.Wire;

namespace LogPipeline.Protocol.Messages;

/// <summary>DeleteRecords: raises the start of logs, so that what lies below is no longer there.</summary>
public sealed class DeleteRecordsRequest : IRequest<DeleteRecordsResponse>
{
    public static Api Api { get; } = new(ApiKey.DeleteRecords, 0, 2, 2);

    public List<Topic> Topics = [];
    /// <summary>How long the broker may wait for the other replicas.</summary>
    public int TimeoutMs;

    public void Transfer<TWire>(ref TWire wire)
        where TWire : struct, IWire, allows ref struct
    {
        wire.Array(ref Topics);
        wire.Int32(ref TimeoutMs);
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
            /// <summary>The first offset kept; -1 means the high watermark.</summary>
            public long Offset;

            public void Transfer<TWire>(ref TWire wire)
                where TWire : struct, IWire, allows ref struct
            {
                wire.Int32(ref PartitionIndex);
                wire.Int64(ref Offset);
                wire.End();
            }
        }
    }
}

/// <summary>Answer to <see cref="DeleteRecordsRequest"/>.</summary>
public sealed class DeleteRecordsResponse : IWireStruct, IThrottledResponse
{
    public int ThrottleTimeMs;
    public List<Topic> Topics = [];

    int IThrottledResponse.ThrottleTimeMs { set => ThrottleTimeMs = value; }

    public void Transfer<TWire>(ref TWire wire)
        where TWire : struct, IWire, allows ref struct
    {
        wire.Int32(ref ThrottleTimeMs);
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
            /// <summary>The new start of the log; -1 on error.</summary>
            public long LowWatermark;
            public ErrorCode ErrorCode;

            public void Transfer<TWire>(ref TWire wire)
                where TWire : struct, IWire, allows ref struct
            {
                wire.Int32(ref PartitionIndex);
                wire.Int64(ref LowWatermark);
                wire.Error(ref ErrorCode);
                wire.End();
            }
        }
    }
}
