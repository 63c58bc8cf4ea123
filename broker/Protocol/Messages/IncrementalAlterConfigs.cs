using LogPipeline.Protocol.Wire;

namespace LogPipeline.Protocol.Messages;

/// <summary>IncrementalAlterConfigs: changes some settings of a resource and leaves the others (KIP-339).</summary>
public sealed class IncrementalAlterConfigsRequest : IRequest<IncrementalAlterConfigsResponse>
{
    public static Api Api { get; } = new(ApiKey.IncrementalAlterConfigs, 0, 1, 1);

    public List<Resource> Resources = [];
    public bool ValidateOnly;

    public void Transfer<TWire>(ref TWire wire)
        where TWire : struct, IWire, allows ref struct
    {
        wire.Array(ref Resources);
        wire.Bool(ref ValidateOnly);
        wire.End();
    }

    public sealed class Resource : IWireStruct
    {
        public sbyte ResourceType;
        public string ResourceName = "";
        public List<Config> Configs = [];

        public void Transfer<TWire>(ref TWire wire)
            where TWire : struct, IWire, allows ref struct
        {
            wire.Int8(ref ResourceType);
            wire.String(ref ResourceName);
            wire.Array(ref Configs);
            wire.End();
        }

        public sealed class Config : IWireStruct
        {
            public string Name = "";
            /// <summary>0 sets, 1 deletes, 2 appends to a list, 3 subtracts from a list.</summary>
            public sbyte ConfigOperation;
            public string? Value;

            public void Transfer<TWire>(ref TWire wire)
                where TWire : struct, IWire, allows ref struct
            {
                wire.String(ref Name);
                wire.Int8(ref ConfigOperation);
                wire.NullableString(ref Value);
                wire.End();
            }
        }
    }
}

/// <summary>Answer to <see cref="IncrementalAlterConfigsRequest"/>.</summary>
public sealed class IncrementalAlterConfigsResponse : IWireStruct, IThrottledResponse
{
    public int ThrottleTimeMs;
    public List<Response> Responses = [];

    int IThrottledResponse.ThrottleTimeMs { set => ThrottleTimeMs = value; }

    public void Transfer<TWire>(ref TWire wire)
        where TWire : struct, IWire, allows ref struct
    {
        wire.Int32(ref ThrottleTimeMs);
        wire.Array(ref Responses);
        wire.End();
    }

    public sealed class Response : IWireStruct
    {
        public ErrorCode ErrorCode;
        public string? ErrorMessage;
        public sbyte ResourceType;
        public string ResourceName = "";

        public void Transfer<TWire>(ref TWire wire)
            where TWire : struct, IWire, allows ref struct
        {
            wire.Error(ref ErrorCode);
            wire.NullableString(ref ErrorMessage);
            wire.Int8(ref ResourceType);
            wire.String(ref ResourceName);
            wire.End();
        }
    }
}
