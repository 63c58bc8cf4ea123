using LogPipeline.Protocol.Wire;

namespace LogPipeline.Protocol.Messages;

/// <summary>CreatePartitions: adds partitions to topics.</summary>
public sealed class CreatePartitionsRequest : IRequest<CreatePartitionsResponse>
{
    public static Api Api { get; } = new(ApiKey.CreatePartitions, 0, 3, 2);

    public List<Topic> Topics = [];
    public int TimeoutMs;
    public bool ValidateOnly;

    public void Transfer<TWire>(ref TWire wire)
        where TWire : struct, IWire, allows ref struct
    {
        wire.Array(ref Topics);
        wire.Int32(ref TimeoutMs);
        wire.Bool(ref ValidateOnly);
        wire.End();
    }

    public sealed class Topic : IWireStruct
    {
        public string Name = "";
        /// <summary>The number of partitions afterwards, not the number added.</summary>
        public int Count;
        /// <summary>Brokers of each added partition; null lets the cluster choose.</summary>
        public List<Assignment>? Assignments;

        public void Transfer<TWire>(ref TWire wire)
            where TWire : struct, IWire, allows ref struct
        {
            wire.String(ref Name);
            wire.Int32(ref Count);
            wire.NullableArray(ref Assignments);
            wire.End();
        }

        public sealed class Assignment : IWireStruct
        {
            public List<int> BrokerIds = [];

            public void Transfer<TWire>(ref TWire wire)
                where TWire : struct, IWire, allows ref struct
            {
                wire.Int32Array(ref BrokerIds);
                wire.End();
            }
        }
    }
}

/// <summary>Answer to <see cref="CreatePartitionsRequest"/>.</summary>
public sealed class CreatePartitionsResponse : IWireStruct, IThrottledResponse
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
        public string Name = "";
        public ErrorCode ErrorCode;
        public string? ErrorMessage;

        public void Transfer<TWire>(ref TWire wire)
            where TWire : struct, IWire, allows ref struct
        {
            wire.String(ref Name);
            wire.Error(ref ErrorCode);
            wire.NullableString(ref ErrorMessage);
            wire.End();
        }
    }
}
