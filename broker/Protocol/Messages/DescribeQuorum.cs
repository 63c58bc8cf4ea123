using LogPipeline.Protocol.Wire;

namespace LogPipeline.Protocol.Messages;

/// <summary>DescribeQuorum: who decides about the cluster (KIP-595). Asked of the one partition of the metadata log.</summary>
public sealed class DescribeQuorumRequest : IRequest<DescribeQuorumResponse>
{
    public static Api Api { get; } = new(ApiKey.DescribeQuorum, 0, 2, 0);

    public List<Topic> Topics = [];

    public void Transfer<TWire>(ref TWire wire)
        where TWire : struct, IWire, allows ref struct
    {
        wire.Array(ref Topics);
        wire.End();
    }

    public sealed class Topic : IWireStruct
    {
        public string TopicName = "";
        public List<Partition> Partitions = [];

        public void Transfer<TWire>(ref TWire wire)
            where TWire : struct, IWire, allows ref struct
        {
            wire.String(ref TopicName);
            wire.Array(ref Partitions);
            wire.End();
        }

        public sealed class Partition : IWireStruct
        {
            public int PartitionIndex;

            public void Transfer<TWire>(ref TWire wire)
                where TWire : struct, IWire, allows ref struct
            {
                wire.Int32(ref PartitionIndex);
                wire.End();
            }
        }
    }
}

/// <summary>Answer to <see cref="DescribeQuorumRequest"/>.</summary>
public sealed class DescribeQuorumResponse : IWireStruct
{
    public ErrorCode ErrorCode;
    /// <summary>Version 2 and later.</summary>
    public string? ErrorMessage;
    public List<Topic> Topics = [];
    /// <summary>Version 2 and later.</summary>
    public List<Node> Nodes = [];

    public void Transfer<TWire>(ref TWire wire)
        where TWire : struct, IWire, allows ref struct
    {
        wire.Error(ref ErrorCode);
        if (wire.Version >= 2)
        {
            wire.NullableString(ref ErrorMessage);
        }
        wire.Array(ref Topics);
        if (wire.Version >= 2)
        {
            wire.Array(ref Nodes);
        }
        wire.End();
    }

    public sealed class Topic : IWireStruct
    {
        public string TopicName = "";
        public List<Partition> Partitions = [];

        public void Transfer<TWire>(ref TWire wire)
            where TWire : struct, IWire, allows ref struct
        {
            wire.String(ref TopicName);
            wire.Array(ref Partitions);
            wire.End();
        }

        public sealed class Partition : IWireStruct
        {
            public int PartitionIndex;
            public ErrorCode ErrorCode;
            /// <summary>Version 2 and later.</summary>
            public string? ErrorMessage;
            public int LeaderId;
            public int LeaderEpoch;
            public long HighWatermark;
            public List<Replica> CurrentVoters = [];
            public List<Replica> Observers = [];

            public void Transfer<TWire>(ref TWire wire)
                where TWire : struct, IWire, allows ref struct
            {
                wire.Int32(ref PartitionIndex);
                wire.Error(ref ErrorCode);
                if (wire.Version >= 2)
                {
                    wire.NullableString(ref ErrorMessage);
                }
                wire.Int32(ref LeaderId);
                wire.Int32(ref LeaderEpoch);
                wire.Int64(ref HighWatermark);
                wire.Array(ref CurrentVoters);
                wire.Array(ref Observers);
                wire.End();
            }

            public sealed class Replica : IWireStruct
            {
                public int ReplicaId;
                /// <summary>Version 2 and later.</summary>
                public Guid ReplicaDirectoryId;
                public long LogEndOffset;
                /// <summary>Version 1 and later.</summary>
                public long LastFetchTimestamp = -1;
                /// <summary>Version 1 and later.</summary>
                public long LastCaughtUpTimestamp = -1;

                public void Transfer<TWire>(ref TWire wire)
                    where TWire : struct, IWire, allows ref struct
                {
                    wire.Int32(ref ReplicaId);
                    if (wire.Version >= 2)
                    {
                        wire.Uuid(ref ReplicaDirectoryId);
                    }
                    wire.Int64(ref LogEndOffset);
                    if (wire.Version >= 1)
                    {
                        wire.Int64(ref LastFetchTimestamp);
                        wire.Int64(ref LastCaughtUpTimestamp);
                    }
                    wire.End();
                }
            }
        }
    }

    public sealed class Node : IWireStruct
    {
        public int NodeId;
        public List<Listener> Listeners = [];

        public void Transfer<TWire>(ref TWire wire)
            where TWire : struct, IWire, allows ref struct
        {
            wire.Int32(ref NodeId);
            wire.Array(ref Listeners);
            wire.End();
        }

        public sealed class Listener : IWireStruct
        {
            public string Name = "";
            public string Host = "";
            /// <summary>An unsigned number on the wire.</summary>
            public ushort Port;

            public void Transfer<TWire>(ref TWire wire)
                where TWire : struct, IWire, allows ref struct
            {
                wire.String(ref Name);
                wire.String(ref Host);
                short port = (short)Port;
                wire.Int16(ref port);
                Port = (ushort)port;
                wire.End();
            }
        }
    }
}
