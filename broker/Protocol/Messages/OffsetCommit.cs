using LogPipeline.Protocol.Wire;

namespace LogPipeline.Protocol.Messages;

/// <summary>OffsetCommit: a group's resume points.</summary>
public sealed class OffsetCommitRequest : IRequest<OffsetCommitResponse>
{
    public static Api Api { get; } = new(ApiKey.OffsetCommit, 0, 10, 8);

    public string GroupId = "";
    /// <summary>Version 1 and later. -1 with an empty member id commits without being a member.</summary>
    public int GenerationIdOrMemberEpoch = -1;
    /// <summary>Version 1 and later.</summary>
    public string MemberId = "";
    /// <summary>Versions 2 to 4.</summary>
    public long RetentionTimeMs = -1;
    /// <summary>Version 7 and later.</summary>
    public string? GroupInstanceId;
    public List<Topic> Topics = [];

    public void Transfer<TWire>(ref TWire wire)
        where TWire : struct, IWire, allows ref struct
    {
        wire.String(ref GroupId);
        if (wire.Version >= 1)
        {
            wire.Int32(ref GenerationIdOrMemberEpoch);
            wire.String(ref MemberId);
        }
        if (wire.Version is >= 2 and <= 4)
        {
            wire.Int64(ref RetentionTimeMs);
        }
        if (wire.Version >= 7)
        {
            wire.NullableString(ref GroupInstanceId);
        }
        wire.Array(ref Topics);
        wire.End();
    }

    public sealed class Topic : IWireStruct
    {
        /// <summary>Up to version 9.</summary>
        public string Name = "";
        /// <summary>Version 10 and later.</summary>
        public Guid TopicId;
        public List<Partition> Partitions = [];

        public void Transfer<TWire>(ref TWire wire)
            where TWire : struct, IWire, allows ref struct
        {
            if (wire.Version <= 9)
            {
                wire.String(ref Name);
            }
            if (wire.Version >= 10)
            {
                wire.Uuid(ref TopicId);
            }
            wire.Array(ref Partitions);
            wire.End();
        }

        public sealed class Partition : IWireStruct
        {
            public int PartitionIndex;
            public long CommittedOffset;
            /// <summary>Version 1.</summary>
            public long CommitTimestamp;
            /// <summary>Version 6 and later.</summary>
            public int CommittedLeaderEpoch = -1;
            public string? CommittedMetadata;

            public void Transfer<TWire>(ref TWire wire)
                where TWire : struct, IWire, allows ref struct
            {
                wire.Int32(ref PartitionIndex);
                wire.Int64(ref CommittedOffset);
                if (wire.Version == 1)
                {
                    wire.Int64(ref CommitTimestamp);
                }
                if (wire.Version >= 6)
                {
                    wire.Int32(ref CommittedLeaderEpoch);
                }
                wire.NullableString(ref CommittedMetadata);
                wire.End();
            }
        }
    }
}

/// <summary>Answer to <see cref="OffsetCommitRequest"/>.</summary>
public sealed class OffsetCommitResponse : IWireStruct, IThrottledResponse
{
    /// <summary>Version 3 and later.</summary>
    public int ThrottleTimeMs;
    public List<Topic> Topics = [];

    int IThrottledResponse.ThrottleTimeMs { set => ThrottleTimeMs = value; }

    public void Transfer<TWire>(ref TWire wire)
        where TWire : struct, IWire, allows ref struct
    {
        if (wire.Version >= 3)
        {
            wire.Int32(ref ThrottleTimeMs);
        }
        wire.Array(ref Topics);
        wire.End();
    }

    public sealed class Topic : IWireStruct
    {
        /// <summary>Up to version 9.</summary>
        public string Name = "";
        /// <summary>Version 10 and later.</summary>
        public Guid TopicId;
        public List<Partition> Partitions = [];

        public void Transfer<TWire>(ref TWire wire)
            where TWire : struct, IWire, allows ref struct
        {
            if (wire.Version <= 9)
            {
                wire.String(ref Name);
            }
            if (wire.Version >= 10)
            {
                wire.Uuid(ref TopicId);
            }
            wire.Array(ref Partitions);
            wire.End();
        }

        public sealed class Partition : IWireStruct
        {
            public int PartitionIndex;
            public ErrorCode ErrorCode;

            public void Transfer<TWire>(ref TWire wire)
                where TWire : struct, IWire, allows ref struct
            {
                wire.Int32(ref PartitionIndex);
                wire.Error(ref ErrorCode);
                wire.End();
            }
        }
    }
}
