using LogPipeline.Protocol.Wire;

namespace LogPipeline.Protocol.Messages;

/// <summary>LeaveGroup: members leave; from version 3 several.</summary>
public sealed class LeaveGroupRequest : IRequest<LeaveGroupResponse>
{
    public static Api Api { get; } = new(ApiKey.LeaveGroup, 0, 5, 4);

    public string GroupId = "";
    /// <summary>Up to version 2.</summary>
    public string MemberId = "";
    /// <summary>Version 3 and later.</summary>
    public List<Member> Members = [];

    public void Transfer<TWire>(ref TWire wire)
        where TWire : struct, IWire, allows ref struct
    {
        wire.String(ref GroupId);
        if (wire.Version <= 2)
        {
            wire.String(ref MemberId);
        }
        if (wire.Version >= 3)
        {
            wire.Array(ref Members);
        }
        wire.End();
    }

    public sealed class Member : IWireStruct
    {
        /// <summary>Version 3 and later.</summary>
        public string MemberId = "";
        /// <summary>Version 3 and later.</summary>
        public string? GroupInstanceId;
        /// <summary>Version 5 and later.</summary>
        public string? Reason;

        public void Transfer<TWire>(ref TWire wire)
            where TWire : struct, IWire, allows ref struct
        {
            wire.String(ref MemberId);
            wire.NullableString(ref GroupInstanceId);
            if (wire.Version >= 5)
            {
                wire.NullableString(ref Reason);
            }
            wire.End();
        }
    }
}

/// <summary>Answer to <see cref="LeaveGroupRequest"/>.</summary>
public sealed class LeaveGroupResponse : IWireStruct, IThrottledResponse
{
    /// <summary>Version 1 and later.</summary>
    public int ThrottleTimeMs;
    public ErrorCode ErrorCode;
    /// <summary>Version 3 and later.</summary>
    public List<Member> Members = [];

    int IThrottledResponse.ThrottleTimeMs { set => ThrottleTimeMs = value; }

    public void Transfer<TWire>(ref TWire wire)
        where TWire : struct, IWire, allows ref struct
    {
        if (wire.Version >= 1)
        {
            wire.Int32(ref ThrottleTimeMs);
        }
        wire.Error(ref ErrorCode);
        if (wire.Version >= 3)
        {
            wire.Array(ref Members);
        }
        wire.End();
    }

    public sealed class Member : IWireStruct
    {
        /// <summary>Version 3 and later.</summary>
        public string MemberId = "";
        /// <summary>Version 3 and later.</summary>
        public string? GroupInstanceId;
        /// <summary>Version 3 and later.</summary>
        public ErrorCode ErrorCode;

        public void Transfer<TWire>(ref TWire wire)
            where TWire : struct, IWire, allows ref struct
        {
            wire.String(ref MemberId);
            wire.NullableString(ref GroupInstanceId);
            wire.Error(ref ErrorCode);
            wire.End();
        }
    }
}
