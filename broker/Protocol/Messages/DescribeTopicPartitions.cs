using LogPipeline.Protocol.Wire;

namespace LogPipeline.Protocol.Messages;

/// <summary>DescribeTopicPartitions: topics and where their partitions are, in pages (KIP-966).</summary>
public sealed class DescribeTopicPartitionsRequest : IRequest<DescribeTopicPartitionsResponse>
{
    public static Api Api { get; } = new(ApiKey.DescribeTopicPartitions, 0, 0, 0);

    /// <summary>What is asked about; none means every topic.</summary>
    public List<Topic> Topics = [];
    public int ResponsePartitionLimit = 2000;
    /// <summary>Where this page begins; null means at the first topic.</summary>
    public Place? Cursor;

    public void Transfer<TWire>(ref TWire wire)
        where TWire : struct, IWire, allows ref struct
    {
        wire.Array(ref Topics);
        wire.Int32(ref ResponsePartitionLimit);
        wire.NullableStruct(ref Cursor);
        wire.End();
    }

    public sealed class Topic : IWireStruct
    {
        public string Name = "";

        public void Transfer<TWire>(ref TWire wire)
            where TWire : struct, IWire, allows ref struct
        {
            wire.String(ref Name);
            wire.End();
        }
    }

    /// <summary>A partition at which a page begins.</summary>
    public sealed class Place : IWireStruct
    {
        public string TopicName = "";
        public int PartitionIndex;

        public void Transfer<TWire>(ref TWire wire)
            where TWire : struct, IWire, allows ref struct
        {
            wire.String(ref TopicName);
            wire.Int32(ref PartitionIndex);
            wire.End();
        }
    }
}

/// <summary>Answer to <see cref="DescribeTopicPartitionsRequest"/>.</summary>
public sealed class DescribeTopicPartitionsResponse : IWireStruct, IThrottledResponse
{
    public int ThrottleTimeMs;
    public List<Topic> Topics = [];
    /// <summary>Where the next page begins; null after the last.</summary>
    public DescribeTopicPartitionsRequest.Place? NextCursor;

    int IThrottledResponse.ThrottleTimeMs { set => ThrottleTimeMs = value; }

    public void Transfer<TWire>(ref TWire wire)
        where TWire : struct, IWire, allows ref struct
    {
        wire.Int32(ref ThrottleTimeMs);
        wire.Array(ref Topics);
        wire.NullableStruct(ref NextCursor);
        wire.End();
    }

    public sealed class Topic : IWireStruct
    {
        public ErrorCode ErrorCode;
        public string? Name;
        public Guid TopicId;
        public bool IsInternal;
        public List<Partition> Partitions = [];
        public int TopicAuthorizedOperations = int.MinValue;

        public void Transfer<TWire>(ref TWire wire)
            where TWire : struct, IWire, allows ref struct
        {
            wire.Error(ref ErrorCode);
            wire.NullableString(ref Name);
            wire.Uuid(ref TopicId);
            wire.Bool(ref IsInternal);
            wire.Array(ref Partitions);
            wire.Int32(ref TopicAuthorizedOperations);
            wire.End();
        }

        public sealed class Partition : IWireStruct
        {
            public ErrorCode ErrorCode;
            public int PartitionIndex;
            public int LeaderId;
            public int LeaderEpoch = -1;
            public List<int> ReplicaNodes = [];
            public List<int> IsrNodes = [];
            public List<int>? EligibleLeaderReplicas;
            public List<int>? LastKnownElr;
            public List<int> OfflineReplicas = [];

            public void Transfer<TWire>(ref TWire wire)
                where TWire : struct, IWire, allows ref struct
            {
                wire.Error(ref ErrorCode);
                wire.Int32(ref PartitionIndex);
                wire.Int32(ref LeaderId);
                wire.Int32(ref LeaderEpoch);
                wire.Int32Array(ref ReplicaNodes);
                wire.Int32Array(ref IsrNodes);
                wire.NullableInt32Array(ref EligibleLeaderReplicas);
                wire.NullableInt32Array(ref LastKnownElr);
                wire.Int32Array(ref OfflineReplicas);
                wire.End();
            }
        }
    }
}
