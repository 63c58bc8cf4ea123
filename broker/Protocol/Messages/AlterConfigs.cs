using LogPipeline.Protocol.Wire;

namespace LogPipeline.Protocol.Messages;

/// <summary>AlterConfigs: replaces all settings of a resource. IncrementalAlterConfigs took its place (KIP-339).</summary>
public sealed class AlterConfigsRequest : IRequest<AlterConfigsResponse>
{
    public static Api Api { get; } = new(ApiKey.AlterConfigs, 0, 2, 2);

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
            public string? Value;

            public void Transfer<TWire>(ref TWire wire)
                where TWire : struct, IWire, allows ref struct
            {
                wire.String(ref Name);
                wire.NullableString(ref Value);
                wire.End();
            }
        }
    }
}

/// <summary>Answer to <see cref="AlterConfigsRequest"/>.</summary>
public sealed class AlterConfigsResponse : IWireStruct, IThrottledResponse
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
