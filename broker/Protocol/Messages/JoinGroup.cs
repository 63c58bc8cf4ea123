using LogPipeline.Protocol.Wire;

namespace LogPipeline.Protocol.Messages;

/// <summary>JoinGroup: enters a group and waits for the join barrier.</summary>
public sealed class JoinGroupRequest : IRequest<JoinGroupResponse>
{
    public static Api Api { get; } = new(ApiKey.JoinGroup, 0, 9, 6);

    public string GroupId = "";
    /// <summary>Milliseconds without a heartbeat after which the member is out.</summary>
    public int SessionTimeoutMs;
    /// <summary>Version 1 and later. Milliseconds to rejoin in; -1 takes the session timeout.</summary>
    public int RebalanceTimeoutMs = -1;
    public string MemberId = "";
    /// <summary>Version 5 and later.</summary>
    public string? GroupInstanceId;
    public string ProtocolType = "";
    public List<Protocol> Protocols = [];
    /// <summary>Version 8 and later.</summary>
    public string? Reason;

    public void Transfer<TWire>(ref TWire wire)
        where TWire : struct, IWire, allows ref struct
    {
        wire.String(ref GroupId);
        wire.Int32(ref SessionTimeoutMs);
        if (wire.Version >= 1)
        {
            wire.Int32(ref RebalanceTimeoutMs);
        }
        wire.String(ref MemberId);
        if (wire.Version >= 5)
        {
            wire.NullableString(ref GroupInstanceId);
        }
        wire.String(ref ProtocolType);
        wire.Array(ref Protocols);
        if (wire.Version >= 8)
        {
            wire.NullableString(ref Reason);
        }
        wire.End();
    }

    public sealed class Protocol : IWireStruct
    {
        public string Name = "";
        public ReadOnlyMemory<byte> Metadata;

        public void Transfer<TWire>(ref TWire wire)
            where TWire : struct, IWire, allows ref struct
        {
            wire.String(ref Name);
            wire.Bytes(ref Metadata);
            wire.End();
        }
    }
}

/// <summary>Answer to <see cref="JoinGroupRequest"/>.</summary>
public sealed class JoinGroupResponse : IWireStruct, IThrottledResponse
{
    /// <summary>Version 2 and later.</summary>
    public int ThrottleTimeMs;
    public ErrorCode ErrorCode;
    public int GenerationId = -1;
    /// <summary>Version 7 and later.</summary>
    public string? ProtocolType;
    public string? ProtocolName;
    /// <summary>This member assigns; it alone gets the members.</summary>
    public string Leader = "";
    /// <summary>Version 9 and later.</summary>
    public bool SkipAssignment;
    public string MemberId = "";
    public List<Member> Members = [];

    int IThrottledResponse.ThrottleTimeMs { set => ThrottleTimeMs = value; }

    public void Transfer<TWire>(ref TWire wire)
        where TWire : struct, IWire, allows ref struct
    {
        if (wire.Version >= 2)
        {
            wire.Int32(ref ThrottleTimeMs);
        }
        wire.Error(ref ErrorCode);
        wire.Int32(ref GenerationId);
        if (wire.Version >= 7)
        {
            wire.NullableString(ref ProtocolType);
        }
        wire.NullableString(ref ProtocolName, from: 7);
        wire.String(ref Leader);
        if (wire.Version >= 9)
        {
            wire.Bool(ref SkipAssignment);
        }
        wire.String(ref MemberId);
        wire.Array(ref Members);
        wire.End();
    }

    public sealed class Member : IWireStruct
    {
        public string MemberId = "";
        /// <summary>Version 5 and later.</summary>
        public string? GroupInstanceId;
        public ReadOnlyMemory<byte> Metadata;

        public void Transfer<TWire>(ref TWire wire)
            where TWire : struct, IWire, allows ref struct
        {
            wire.String(ref MemberId);
            if (wire.Version >= 5)
            {
                wire.NullableString(ref GroupInstanceId);
            }
            wire.Bytes(ref Metadata);
            wire.End();
        }
    }
}
