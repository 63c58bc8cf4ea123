using LogPipeline.Protocol.Wire;

namespace LogPipeline.Protocol.Messages;

/// <summary>DeleteGroups: removes groups without members, and their committed offsets.</summary>
public sealed class DeleteGroupsRequest : IRequest<DeleteGroupsResponse>
{
    public static Api Api { get; } = new(ApiKey.DeleteGroups, 0, 2, 2);

    public List<string> GroupNames = [];

    public void Transfer<TWire>(ref TWire wire)
        where TWire : struct, IWire, allows ref struct
    {
        wire.StringArray(ref GroupNames);
        wire.End();
    }
}

/// <summary>Answer to <see cref="DeleteGroupsRequest"/>.</summary>
public sealed class DeleteGroupsResponse : IWireStruct, IThrottledResponse
{
    public int ThrottleTimeMs;
    public List<Result> Results = [];

    int IThrottledResponse.ThrottleTimeMs { set => ThrottleTimeMs = value; }

    public void Transfer<TWire>(ref TWire wire)
        where TWire : struct, IWire, allows ref struct
    {
        wire.Int32(ref ThrottleTimeMs);
        wire.Array(ref Results);
        wire.End();
    }

    public sealed class Result : IWireStruct
    {
        public string GroupId = "";
        public ErrorCode ErrorCode;

        public void Transfer<TWire>(ref TWire wire)
            where TWire : struct, IWire, allows ref struct
        {
            wire.String(ref GroupId);
            wire.Error(ref ErrorCode);
            wire.End();
        }
    }
}
