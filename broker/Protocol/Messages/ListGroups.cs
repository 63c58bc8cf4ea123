using LogPipeline.Protocol.Wire;

namespace LogPipeline.Protocol.Messages;

/// <summary>ListGroups: the groups a broker coordinates.</summary>
public sealed class ListGroupsRequest : IRequest<ListGroupsResponse>
{
    public static Api Api { get; } = new(ApiKey.ListGroups, 0, 5, 3);

    /// <summary>Version 4 and later.</summary>
    public List<string> StatesFilter = [];
    /// <summary>Version 5 and later.</summary>
    public List<string> TypesFilter = [];

    public void Transfer<TWire>(ref TWire wire)
        where TWire : struct, IWire, allows ref struct
    {
        if (wire.Version >= 4)
        {
            wire.StringArray(ref StatesFilter);
        }
        if (wire.Version >= 5)
        {
            wire.StringArray(ref TypesFilter);
        }
        wire.End();
    }
}

/// <summary>Answer to <see cref="ListGroupsRequest"/>.</summary>
public sealed class ListGroupsResponse : IWireStruct, IThrottledResponse
{
    /// <summary>Version 1 and later.</summary>
    public int ThrottleTimeMs;
    public ErrorCode ErrorCode;
    public List<Group> Groups = [];

    int IThrottledResponse.ThrottleTimeMs { set => ThrottleTimeMs = value; }

    public void Transfer<TWire>(ref TWire wire)
        where TWire : struct, IWire, allows ref struct
    {
        if (wire.Version >= 1)
        {
            wire.Int32(ref ThrottleTimeMs);
        }
        wire.Error(ref ErrorCode);
        wire.Array(ref Groups);
        wire.End();
    }

    public sealed class Group : IWireStruct
    {
        public string GroupId = "";
        public string ProtocolType = "";
        /// <summary>Version 4 and later.</summary>
        public string GroupState = "";
        /// <summary>Version 5 and later.</summary>
        public string GroupType = "";

        public void Transfer<TWire>(ref TWire wire)
            where TWire : struct, IWire, allows ref struct
        {
            wire.String(ref GroupId);
            wire.String(ref ProtocolType);
            if (wire.Version >= 4)
            {
                wire.String(ref GroupState);
            }
            if (wire.Version >= 5)
            {
                wire.String(ref GroupType);
            }
            wire.End();
        }
    }
}
