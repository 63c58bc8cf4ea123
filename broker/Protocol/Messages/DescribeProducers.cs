using LogPipeline.Protocol.Wire;

namespace LogPipeline.Protocol.Messages;

/// <summary>DescribeProducers: producer state of partitions (KIP-664).</summary>
public sealed class DescribeProducersRequest : IRequest<DescribeProducersResponse>
{
    public static Api Api { get; } = new(ApiKey.DescribeProducers, 0, 0, 0);

    public List<Topic> Topics = [];

    public void Transfer<TWire>(ref TWire wire)
        where TWire : struct, IWire, allows ref struct
    {
        wire.Array(ref Topics);
        wire.End();
    }

    public sealed class Topic : IWireStruct
    {
        public string Name = "";
        public List<int> PartitionIndexes = [];

        public void Transfer<TWire>(ref TWire wire)
            where TWire : struct, IWire, allows ref struct
        {
            wire.String(ref Name);
            wire.Int32Array(ref PartitionIndexes);
            wire.End();
        }
    }
}

/// <summary>Answer to <see cref="DescribeProducersRequest"/>.</summary>
public sealed class DescribeProducersResponse : IWireStruct, IThrottledResponse
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
            public ErrorCode ErrorCode;
            public string? ErrorMessage;
            public List<ActiveProducer> ActiveProducers = [];

            public void Transfer<TWire>(ref TWire wire)
                where TWire : struct, IWire, allows ref struct
            {
                wire.Int32(ref PartitionIndex);
                wire.Error(ref ErrorCode);
                wire.NullableString(ref ErrorMessage);
                wire.Array(ref ActiveProducers);
                wire.End();
            }

            public sealed class ActiveProducer : IWireStruct
            {
                public long ProducerId;
                public int ProducerEpoch;
                public int LastSequence = -1;
                public long LastTimestamp = -1;
                public int CoordinatorEpoch;
                public long CurrentTxnStartOffset = -1;

                public void Transfer<TWire>(ref TWire wire)
                    where TWire : struct, IWire, allows ref struct
                {
                    wire.Int64(ref ProducerId);
                    wire.Int32(ref ProducerEpoch);
                    wire.Int32(ref LastSequence);
                    wire.Int64(ref LastTimestamp);
                    wire.Int32(ref CoordinatorEpoch);
                    wire.Int64(ref CurrentTxnStartOffset);
                    wire.End();
                }
            }
        }
    }
}
