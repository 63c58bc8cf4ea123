using LogPipeline.Protocol.Wire;

namespace LogPipeline.Protocol.Messages;

/// <summary>SyncGroup: the leader hands out assignments, members wait for theirs.</summary>
public sealed class SyncGroupRequest : IRequest<SyncGroupResponse>
{
    public static Api Api { get; } = new(ApiKey.SyncGroup, 0, 5, 4);

    public string GroupId = "";
    public int GenerationId;
    public string MemberId = "";
    /// <summary>Version 3 and later.</summary>
    public string? GroupInstanceId;
    /// <summary>Version 5 and later.</summary>
    public string? ProtocolType;
    /// <summary>Version 5 and later.</summary>
    public string? ProtocolName;
    public List<Assignment> Assignments = [];

    public void Transfer<TWire>(ref TWire wire)
        where TWire : struct, IWire, allows ref struct
    {
        wire.String(ref GroupId);
        wire.Int32(ref GenerationId);
        wire.String(ref MemberId);
        if (wire.Version >= 3)
        {
            wire.NullableString(ref GroupInstanceId);
        }
        if (wire.Version >= 5)
        {
            wire.NullableString(ref ProtocolType);
            wire.NullableString(ref ProtocolName);
        }
        wire.Array(ref Assignments);
        wire.End();
    }

    public sealed class Assignment : IWireStruct
    {
        public string MemberId = "";
        public ReadOnlyMemory<byte> AssignmentValue;

        public void Transfer<TWire>(ref TWire wire)
            where TWire : struct, IWire, allows ref struct
        {
            wire.String(ref MemberId);
            wire.Bytes(ref AssignmentValue);
            wire.End();
        }
    }
}

/// <summary>Answer to <see cref="SyncGroupRequest"/>.</summary>
public sealed class SyncGroupResponse : IWireStruct, IThrottledResponse
{
    /// <summary>Version 1 and later.</summary>
    public int ThrottleTimeMs;
    public ErrorCode ErrorCode;
    /// <summary>Version 5 and later.</summary>
    public string? ProtocolType;
    /// <summary>Version 5 and later.</summary>
    public string? ProtocolName;
    public ReadOnlyMemory<byte> Assignment;

    int IThrottledResponse.ThrottleTimeMs { set => ThrottleTimeMs = value; }

    public void Transfer<TWire>(ref TWire wire)
        where TWire : struct, IWire, allows ref struct
    {
        if (wire.Version >= 1)
        {
            wire.Int32(ref ThrottleTimeMs);
        }
        wire.Error(ref ErrorCode);
        if (wire.Version >= 5)
        {
            wire.NullableString(ref ProtocolType);
            wire.NullableString(ref ProtocolName);
        }
        wire.Bytes(ref Assignment);
        wire.End();
    }
}
