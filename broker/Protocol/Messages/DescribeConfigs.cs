using LogPipeline.Protocol.Wire;

namespace LogPipeline.Protocol.Messages;

/// <summary>DescribeConfigs.</summary>
public sealed class DescribeConfigsRequest : IRequest<DescribeConfigsResponse>
{
    public static Api Api { get; } = new(ApiKey.DescribeConfigs, 0, 4, 4);

    public List<Resource> Resources = [];
    /// <summary>Version 1 and later.</summary>
    public bool IncludeSynonyms;
    /// <summary>Version 3 and later.</summary>
    public bool IncludeDocumentation;

    public void Transfer<TWire>(ref TWire wire)
        where TWire : struct, IWire, allows ref struct
    {
        wire.Array(ref Resources);
        if (wire.Version >= 1)
        {
            wire.Bool(ref IncludeSynonyms);
        }
        if (wire.Version >= 3)
        {
            wire.Bool(ref IncludeDocumentation);
        }
        wire.End();
    }

    public sealed class Resource : IWireStruct
    {
        public sbyte ResourceType;
        public string ResourceName = "";
        public List<string>? ConfigurationKeys;

        public void Transfer<TWire>(ref TWire wire)
            where TWire : struct, IWire, allows ref struct
        {
            wire.Int8(ref ResourceType);
            wire.String(ref ResourceName);
            wire.NullableStringArray(ref ConfigurationKeys);
            wire.End();
        }
    }
}

/// <summary>Answer to <see cref="DescribeConfigsRequest"/>.</summary>
public sealed class DescribeConfigsResponse : IWireStruct, IThrottledResponse
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
        public ErrorCode ErrorCode;
        public string? ErrorMessage;
        public sbyte ResourceType;
        public string ResourceName = "";
        public List<Config> Configs = [];

        public void Transfer<TWire>(ref TWire wire)
            where TWire : struct, IWire, allows ref struct
        {
            wire.Error(ref ErrorCode);
            wire.NullableString(ref ErrorMessage);
            wire.Int8(ref ResourceType);
            wire.String(ref ResourceName);
            wire.Array(ref Configs);
            wire.End();
        }

        public sealed class Config : IWireStruct
        {
            public string Name = "";
            public string? Value;
            public bool ReadOnly;
            /// <summary>Version 0.</summary>
            public bool IsDefault;
            /// <summary>Version 1 and later.</summary>
            public sbyte ConfigSource = -1;
            public bool IsSensitive;
            /// <summary>Version 1 and later.</summary>
            public List<Synonym> Synonyms = [];
            /// <summary>Version 3 and later.</summary>
            public sbyte ConfigType;
            /// <summary>Version 3 and later.</summary>
            public string? Documentation;

            public void Transfer<TWire>(ref TWire wire)
                where TWire : struct, IWire, allows ref struct
            {
                wire.String(ref Name);
                wire.NullableString(ref Value);
                wire.Bool(ref ReadOnly);
                if (wire.Version == 0)
                {
                    wire.Bool(ref IsDefault);
                }
                if (wire.Version >= 1)
                {
                    wire.Int8(ref ConfigSource);
                }
                wire.Bool(ref IsSensitive);
                if (wire.Version >= 1)
                {
                    wire.Array(ref Synonyms);
                }
                if (wire.Version >= 3)
                {
                    wire.Int8(ref ConfigType);
                    wire.NullableString(ref Documentation);
                }
                wire.End();
            }

            public sealed class Synonym : IWireStruct
            {
                /// <summary>Version 1 and later.</summary>
                public string Name = "";
                /// <summary>Version 1 and later.</summary>
                public string? Value;
                /// <summary>Version 1 and later.</summary>
                public sbyte Source;

                public void Transfer<TWire>(ref TWire wire)
                    where TWire : struct, IWire, allows ref struct
                {
                    wire.String(ref Name);
                    wire.NullableString(ref Value);
                    wire.Int8(ref Source);
                    wire.End();
                }
            }
        }
    }
}
