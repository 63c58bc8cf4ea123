using LogPipeline.Protocol.Wire;

namespace LogPipeline.Protocol.Messages;

/// <summary>DescribeCluster.</summary>
public sealed class DescribeClusterRequest : IRequest<DescribeClusterResponse>
{
    public static Api Api { get; } = new(ApiKey.DescribeCluster, 0, 2, 0);

    public bool IncludeClusterAuthorizedOperations;
    /// <summary>Version 1 and later.</summary>
    public sbyte EndpointType = 1;
    /// <summary>Version 2 and later.</summary>
    public bool IncludeFencedBrokers;

    public void Transfer<TWire>(ref TWire wire)
        where TWire : struct, IWire, allows ref struct
    {
        wire.Bool(ref IncludeClusterAuthorizedOperations);
        if (wire.Version >= 1)
        {
            wire.Int8(ref EndpointType);
        }
        if (wire.Version >= 2)
        {
            wire.Bool(ref IncludeFencedBrokers);
        }
        wire.End();
    }
}

/// <summary>Answer to <see cref="DescribeClusterRequest"/>.</summary>
public sealed class DescribeClusterResponse : IWireStruct, IThrottledResponse
{
    public int ThrottleTimeMs;
    public ErrorCode ErrorCode;
    public string? ErrorMessage;
    /// <summary>Version 1 and later.</summary>
    public sbyte EndpointType = 1;
    public string ClusterId = "";
    public int ControllerId = -1;
    public List<Broker> Brokers = [];
    public int ClusterAuthorizedOperations = int.MinValue;

    int IThrottledResponse.ThrottleTimeMs { set => ThrottleTimeMs = value; }

    public void Transfer<TWire>(ref TWire wire)
        where TWire : struct, IWire, allows ref struct
    {
        wire.Int32(ref ThrottleTimeMs);
        wire.Error(ref ErrorCode);
        wire.NullableString(ref ErrorMessage);
        if (wire.Version >= 1)
        {
            wire.Int8(ref EndpointType);
        }
        wire.String(ref ClusterId);
        wire.Int32(ref ControllerId);
        wire.Array(ref Brokers);
        wire.Int32(ref ClusterAuthorizedOperations);
        wire.End();
    }

    public sealed class Broker : IWireStruct
    {
        public int BrokerId;
        public string Host = "";
        public int Port;
        public string? Rack;
        /// <summary>Version 2 and later.</summary>
        public bool IsFenced;

        public void Transfer<TWire>(ref TWire wire)
            where TWire : struct, IWire, allows ref struct
        {
            wire.Int32(ref BrokerId);
            wire.String(ref Host);
            wire.Int32(ref Port);
            wire.NullableString(ref Rack);
            if (wire.Version >= 2)
            {
                wire.Bool(ref IsFenced);
            }
            wire.End();
        }
    }
}
