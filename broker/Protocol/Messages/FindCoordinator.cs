using LogPipeline.Protocol.Wire;

namespace LogPipeline.Protocol.Messages;

/// <summary>FindCoordinator: who coordinates a group (key type 0) or a transaction (1).</summary>
public sealed class FindCoordinatorRequest : IRequest<FindCoordinatorResponse>
{
    public static Api Api { get; } = new(ApiKey.FindCoordinator, 0, 6, 3);

    /// <summary>Up to version 3.</summary>
    public string Key = "";
    /// <summary>Version 1 and later. 0 group, 1 transaction.</summary>
    public sbyte KeyType;
    /// <summary>Version 4 and later.</summary>
    public List<string> CoordinatorKeys = [];

    public void Transfer<TWire>(ref TWire wire)
        where TWire : struct, IWire, allows ref struct
    {
        if (wire.Version <= 3)
        {
            wire.String(ref Key);
        }
        if (wire.Version >= 1)
        {
            wire.Int8(ref KeyType);
        }
        if (wire.Version >= 4)
        {
            wire.StringArray(ref CoordinatorKeys);
        }
        wire.End();
    }
}

/// <summary>Answer to <see cref="FindCoordinatorRequest"/>.</summary>
public sealed class FindCoordinatorResponse : IWireStruct, IThrottledResponse
{
    /// <summary>Version 1 and later.</summary>
    public int ThrottleTimeMs;
    /// <summary>Up to version 3.</summary>
    public ErrorCode ErrorCode;
    /// <summary>Versions 1 to 3.</summary>
    public string? ErrorMessage;
    /// <summary>Up to version 3.</summary>
    public int NodeId;
    /// <summary>Up to version 3.</summary>
    public string Host = "";
    /// <summary>Up to version 3.</summary>
    public int Port;
    /// <summary>Version 4 and later.</summary>
    public List<Coordinator> Coordinators = [];

    int IThrottledResponse.ThrottleTimeMs { set => ThrottleTimeMs = value; }

    public void Transfer<TWire>(ref TWire wire)
        where TWire : struct, IWire, allows ref struct
    {
        if (wire.Version >= 1)
        {
            wire.Int32(ref ThrottleTimeMs);
        }
        if (wire.Version <= 3)
        {
            wire.Error(ref ErrorCode);
        }
        if (wire.Version is >= 1 and <= 3)
        {
            wire.NullableString(ref ErrorMessage);
        }
        if (wire.Version <= 3)
        {
            wire.Int32(ref NodeId);
            wire.String(ref Host);
            wire.Int32(ref Port);
        }
        if (wire.Version >= 4)
        {
            wire.Array(ref Coordinators);
        }
        wire.End();
    }

    public sealed class Coordinator : IWireStruct
    {
        /// <summary>Version 4 and later.</summary>
        public string Key = "";
        /// <summary>Version 4 and later.</summary>
        public int NodeId;
        /// <summary>Version 4 and later.</summary>
        public string Host = "";
        /// <summary>Version 4 and later.</summary>
        public int Port;
        /// <summary>Version 4 and later.</summary>
        public ErrorCode ErrorCode;
        /// <summary>Version 4 and later.</summary>
        public string? ErrorMessage;

        public void Transfer<TWire>(ref TWire wire)
            where TWire : struct, IWire, allows ref struct
        {
            wire.String(ref Key);
            wire.Int32(ref NodeId);
            wire.String(ref Host);
            wire.Int32(ref Port);
            wire.Error(ref ErrorCode);
            wire.NullableString(ref ErrorMessage);
            wire.End();
        }
    }
}
