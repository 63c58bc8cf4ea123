using LogPipeline.Protocol.Wire;

namespace LogPipeline.Protocol.Messages;

/// <summary>ListConfigResources: what has settings (KIP-1142); in version 0 only subscriptions to clients' metrics.</summary>
public sealed class ListConfigResourcesRequest : IRequest<ListConfigResourcesResponse>
{
    public static Api Api { get; } = new(ApiKey.ListConfigResources, 0, 1, 0);

    /// <summary>Kafka's numbers of the kinds wanted; none means all. Version 1 and later.</summary>
    public List<sbyte> ResourceTypes = [];

    public void Transfer<TWire>(ref TWire wire)
        where TWire : struct, IWire, allows ref struct
    {
        if (wire.Version >= 1)
        {
            wire.Int8Array(ref ResourceTypes);
        }
        wire.End();
    }
}

/// <summary>Answer to <see cref="ListConfigResourcesRequest"/>.</summary>
public sealed class ListConfigResourcesResponse : IWireStruct, IThrottledResponse
{
    public int ThrottleTimeMs;
    public ErrorCode ErrorCode;
    public List<ConfigResource> ConfigResources = [];

    int IThrottledResponse.ThrottleTimeMs { set => ThrottleTimeMs = value; }

    public void Transfer<TWire>(ref TWire wire)
        where TWire : struct, IWire, allows ref struct
    {
        wire.Int32(ref ThrottleTimeMs);
        wire.Error(ref ErrorCode);
        wire.Array(ref ConfigResources);
        wire.End();
    }

    public sealed class ConfigResource : IWireStruct
    {
        public string ResourceName = "";
        /// <summary>Version 1 and later.</summary>
        public sbyte ResourceType = 16;

        public void Transfer<TWire>(ref TWire wire)
            where TWire : struct, IWire, allows ref struct
        {
            wire.String(ref ResourceName);
            if (wire.Version >= 1)
            {
                wire.Int8(ref ResourceType);
            }
            wire.End();
        }
    }
}
