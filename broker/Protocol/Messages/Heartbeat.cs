using LogPipeline.Protocol.Wire;

namespace LogPipeline.Protocol.Messages;

/// <summary>Heartbeat: keeps a member alive and tells it of rebalances.</summary>
public sealed class HeartbeatRequest : IRequest<HeartbeatResponse>
{
    public static Api Api { get; } = new(ApiKey.Heartbeat, 0, 4, 4);

    public string GroupId = "";
    public int GenerationId;
    public string MemberId = "";
    /// <summary>Version 3 and later.</summary>
    public string? GroupInstanceId;

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
        wire.End();
    }
}

/// <summary>Answer to <see cref="HeartbeatRequest"/>.</summary>
public sealed class HeartbeatResponse : IWireStruct, IThrottledResponse
{
    /// <summary>Version 1 and later.</summary>
    public int ThrottleTimeMs;
    public ErrorCode ErrorCode;

    int IThrottledResponse.ThrottleTimeMs { set => ThrottleTimeMs = value; }

    public void Transfer<TWire>(ref TWire wire)
        where TWire : struct, IWire, allows ref struct
    {
        if (wire.Version >= 1)
        {
            wire.Int32(ref ThrottleTimeMs);
        }
        wire.Error(ref ErrorCode);
        wire.End();
    }
}
