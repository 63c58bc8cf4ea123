using LogPipeline.Protocol.Wire;

namespace LogPipeline.Protocol.Messages;

/// <summary>DescribeGroups: state and members of groups.</summary>
public sealed class DescribeGroupsRequest : IRequest<DescribeGroupsResponse>
{
    public static Api Api { get; } = new(ApiKey.DescribeGroups, 0, 6, 5);

    public List<string> Groups = [];
    /// <summary>Version 3 and later.</summary>
    public bool IncludeAuthorizedOperations;

    public void Transfer<TWire>(ref TWire wire)
        where TWire : struct, IWire, allows ref struct
    {
        wire.StringArray(ref Groups);
        if (wire.Version >= 3)
        {
            wire.Bool(ref IncludeAuthorizedOperations);
        }
        wire.End();
    }
}

/// <summary>Answer to <see cref="DescribeGroupsRequest"/>.</summary>
public sealed class DescribeGroupsResponse : IWireStruct, IThrottledResponse
{
    /// <summary>Version 1 and later.</summary>
    public int ThrottleTimeMs;
    public List<Group> Groups = [];

    int IThrottledResponse.ThrottleTimeMs { set => ThrottleTimeMs = value; }

    public void Transfer<TWire>(ref TWire wire)
        where TWire : struct, IWire, allows ref struct
    {
        if (wire.Version >= 1)
        {
            wire.Int32(ref ThrottleTimeMs);
        }
        wire.Array(ref Groups);
        wire.End();
    }

    public sealed class Group : IWireStruct
    {
        public ErrorCode ErrorCode;
        /// <summary>Version 6 and later.</summary>
        public string? ErrorMessage;
        public string GroupId = "";
        public string GroupState = "";
        public string ProtocolType = "";
        public string ProtocolData = "";
        public List<Member> Members = [];
        /// <summary>Version 3 and later.</summary>
        public int AuthorizedOperations = int.MinValue;

        public void Transfer<TWire>(ref TWire wire)
            where TWire : struct, IWire, allows ref struct
        {
            wire.Error(ref ErrorCode);
            if (wire.Version >= 6)
            {
                wire.NullableString(ref ErrorMessage);
            }
            wire.String(ref GroupId);
            wire.String(ref GroupState);
            wire.String(ref ProtocolType);
            wire.String(ref ProtocolData);
            wire.Array(ref Members);
            if (wire.Version >= 3)
            {
                wire.Int32(ref AuthorizedOperations);
            }
            wire.End();
        }

        public sealed class Member : IWireStruct
        {
            public string MemberId = "";
            /// <summary>Version 4 and later.</summary>
            public string? GroupInstanceId;
            public string ClientId = "";
            public string ClientHost = "";
            public ReadOnlyMemory<byte> MemberMetadata;
            public ReadOnlyMemory<byte> MemberAssignment;

            public void Transfer<TWire>(ref TWire wire)
                where TWire : struct, IWire, allows ref struct
            {
                wire.String(ref MemberId);
                if (wire.Version >= 4)
                {
                    wire.NullableString(ref GroupInstanceId);
                }
                wire.String(ref ClientId);
                wire.String(ref ClientHost);
                wire.Bytes(ref MemberMetadata);
                wire.Bytes(ref MemberAssignment);
                wire.End();
            }
        }
    }
}
