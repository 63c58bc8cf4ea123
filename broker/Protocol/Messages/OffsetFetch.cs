using LogPipeline.Protocol.Wire;

namespace LogPipeline.Protocol.Messages;

/// <summary>OffsetFetch: a group's resume points; from version 8 for several groups.</summary>
public sealed class OffsetFetchRequest : IRequest<OffsetFetchResponse>
{
    public static Api Api { get; } = new(ApiKey.OffsetFetch, 0, 10, 6);

    /// <summary>Up to version 7.</summary>
    public string GroupId = "";
    /// <summary>Up to version 7.</summary>
    public List<Topic>? Topics;
    /// <summary>Version 8 and later.</summary>
    public List<Group> Groups = [];
    /// <summary>Version 7 and later.</summary>
    public bool RequireStable;

    public void Transfer<TWire>(ref TWire wire)
        where TWire : struct, IWire, allows ref struct
    {
        if (wire.Version <= 7)
        {
            wire.String(ref GroupId);
            wire.NullableArray(ref Topics, from: 2, to: 7);
        }
        if (wire.Version >= 8)
        {
            wire.Array(ref Groups);
        }
        if (wire.Version >= 7)
        {
            wire.Bool(ref RequireStable);
        }
        wire.End();
    }

    public sealed class Topic : IWireStruct
    {
        /// <summary>Up to version 7.</summary>
        public string Name = "";
        /// <summary>Up to version 7.</summary>
        public List<int> PartitionIndexes = [];

        public void Transfer<TWire>(ref TWire wire)
            where TWire : struct, IWire, allows ref struct
        {
            wire.String(ref Name);
            wire.Int32Array(ref PartitionIndexes);
            wire.End();
        }
    }

    public sealed class Group : IWireStruct
    {
        /// <summary>Version 8 and later.</summary>
        public string GroupId = "";
        /// <summary>Version 9 and later.</summary>
        public string? MemberId;
        /// <summary>Version 9 and later.</summary>
        public int MemberEpoch = -1;
        /// <summary>Version 8 and later.</summary>
        public List<Topic>? Topics;

        public void Transfer<TWire>(ref TWire wire)
            where TWire : struct, IWire, allows ref struct
        {
            wire.String(ref GroupId);
            if (wire.Version >= 9)
            {
                wire.NullableString(ref MemberId);
                wire.Int32(ref MemberEpoch);
            }
            wire.NullableArray(ref Topics);
            wire.End();
        }

        public sealed class Topic : IWireStruct
        {
            /// <summary>Up to version 9.</summary>
            public string Name = "";
            /// <summary>Version 10 and later.</summary>
            public Guid TopicId;
            /// <summary>Version 8 and later.</summary>
            public List<int> PartitionIndexes = [];

            public void Transfer<TWire>(ref TWire wire)
                where TWire : struct, IWire, allows ref struct
            {
                if (wire.Version is >= 8 and <= 9)
                {
                    wire.String(ref Name);
                }
                if (wire.Version >= 10)
                {
                    wire.Uuid(ref TopicId);
                }
                wire.Int32Array(ref PartitionIndexes);
                wire.End();
            }
        }
    }
}

/// <summary>Answer to <see cref="OffsetFetchRequest"/>.</summary>
public sealed class OffsetFetchResponse : IWireStruct, IThrottledResponse
{
    /// <summary>Version 3 and later.</summary>
    public int ThrottleTimeMs;
    /// <summary>Up to version 7.</summary>
    public List<Topic> Topics = [];
    /// <summary>Versions 2 to 7.</summary>
    public ErrorCode ErrorCode;
    /// <summary>Version 8 and later.</summary>
    public List<Group> Groups = [];

    int IThrottledResponse.ThrottleTimeMs { set => ThrottleTimeMs = value; }

    public void Transfer<TWire>(ref TWire wire)
        where TWire : struct, IWire, allows ref struct
    {
        if (wire.Version >= 3)
        {
            wire.Int32(ref ThrottleTimeMs);
        }
        if (wire.Version <= 7)
        {
            wire.Array(ref Topics);
        }
        if (wire.Version is >= 2 and <= 7)
        {
            wire.Error(ref ErrorCode);
        }
        if (wire.Version >= 8)
        {
            wire.Array(ref Groups);
        }
        wire.End();
    }

    public sealed class Topic : IWireStruct
    {
        /// <summary>Up to version 7.</summary>
        public string Name = "";
        /// <summary>Up to version 7.</summary>
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
            /// <summary>Up to version 7.</summary>
            public int PartitionIndex;
            /// <summary>Up to version 7.</summary>
            public long CommittedOffset;
            /// <summary>Versions 5 to 7.</summary>
            public int CommittedLeaderEpoch = -1;
            /// <summary>Up to version 7.</summary>
            public string? Metadata;
            /// <summary>Up to version 7.</summary>
            public ErrorCode ErrorCode;

            public void Transfer<TWire>(ref TWire wire)
                where TWire : struct, IWire, allows ref struct
            {
                wire.Int32(ref PartitionIndex);
                wire.Int64(ref CommittedOffset);
                if (wire.Version is >= 5 and <= 7)
                {
                    wire.Int32(ref CommittedLeaderEpoch);
                }
                wire.NullableString(ref Metadata);
                wire.Error(ref ErrorCode);
                wire.End();
            }
        }
    }

    public sealed class Group : IWireStruct
    {
        /// <summary>Version 8 and later.</summary>
        public string GroupId = "";
        /// <summary>Version 8 and later.</summary>
        public List<Topic> Topics = [];
        /// <summary>Version 8 and later.</summary>
        public ErrorCode ErrorCode;

        public void Transfer<TWire>(ref TWire wire)
            where TWire : struct, IWire, allows ref struct
        {
            wire.String(ref GroupId);
            wire.Array(ref Topics);
            wire.Error(ref ErrorCode);
            wire.End();
        }

        public sealed class Topic : IWireStruct
        {
            /// <summary>Up to version 9.</summary>
            public string Name = "";
            /// <summary>Version 10 and later.</summary>
            public Guid TopicId;
            /// <summary>Version 8 and later.</summary>
            public List<Partition> Partitions = [];

            public void Transfer<TWire>(ref TWire wire)
                where TWire : struct, IWire, allows ref struct
            {
                if (wire.Version is >= 8 and <= 9)
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
                /// <summary>Version 8 and later.</summary>
                public int PartitionIndex;
                /// <summary>Version 8 and later.</summary>
                public long CommittedOffset;
                /// <summary>Version 8 and later.</summary>
                public int CommittedLeaderEpoch = -1;
                /// <summary>Version 8 and later.</summary>
                public string? Metadata;
                /// <summary>Version 8 and later.</summary>
                public ErrorCode ErrorCode;

                public void Transfer<TWire>(ref TWire wire)
                    where TWire : struct, IWire, allows ref struct
                {
                    wire.Int32(ref PartitionIndex);
                    wire.Int64(ref CommittedOffset);
                    wire.Int32(ref CommittedLeaderEpoch);
                    wire.NullableString(ref Metadata);
                    wire.Error(ref ErrorCode);
                    wire.End();
                }
            }
        }
    }
}
