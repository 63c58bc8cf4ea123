using LogPipeline.Protocol.Wire;

namespace LogPipeline.Protocol.Messages;

/// <summary>ApiVersions: what the broker speaks; its response header is version 0 always.</summary>
public sealed class ApiVersionsRequest : IRequest<ApiVersionsResponse>
{
    public static Api Api { get; } = new(ApiKey.ApiVersions, 0, 4, 3);

    /// <summary>Version 3 and later.</summary>
    public string ClientSoftwareName = "";
    /// <summary>Version 3 and later.</summary>
    public string ClientSoftwareVersion = "";

    public void Transfer<TWire>(ref TWire wire)
        where TWire : struct, IWire, allows ref struct
    {
        if (wire.Version >= 3)
        {
            wire.String(ref ClientSoftwareName);
            wire.String(ref ClientSoftwareVersion);
        }
        wire.End();
    }
}

/// <summary>Answer to <see cref="ApiVersionsRequest"/>.</summary>
public sealed class ApiVersionsResponse : IWireStruct, ITaggedFields, IThrottledResponse
{
    public ErrorCode ErrorCode;
    public List<ApiVersion> ApiKeys = [];
    /// <summary>Version 1 and later.</summary>
    public int ThrottleTimeMs;
    /// <summary>Version 3 and later.</summary>
    public List<SupportedFeature> SupportedFeatures = [];
    /// <summary>Version 3 and later.</summary>
    public long FinalizedFeaturesEpoch = -1;
    /// <summary>Version 3 and later.</summary>
    public List<FinalizedFeature> FinalizedFeatures = [];
    /// <summary>Version 3 and later.</summary>
    public bool ZkMigrationReady;

    int IThrottledResponse.ThrottleTimeMs { set => ThrottleTimeMs = value; }

    public void Transfer<TWire>(ref TWire wire)
        where TWire : struct, IWire, allows ref struct
    {
        wire.Error(ref ErrorCode);
        wire.Array(ref ApiKeys);
        if (wire.Version >= 1)
        {
            wire.Int32(ref ThrottleTimeMs);
        }
        wire.End(this);
    }

    public int TagCount => 4;

    public bool HasTag(int tag, short version) => tag switch
    {
        0 => version >= 3 && SupportedFeatures.Count > 0,
        1 => version >= 3 && FinalizedFeaturesEpoch != -1,
        2 => version >= 3 && FinalizedFeatures.Count > 0,
        _ => version >= 3 && ZkMigrationReady,
    };

    public void TransferTag<TWire>(int tag, ref TWire wire)
        where TWire : struct, IWire, allows ref struct
    {
        switch (tag)
        {
            case 0:
                wire.Array(ref SupportedFeatures);
                break;
            case 1:
                wire.Int64(ref FinalizedFeaturesEpoch);
                break;
            case 2:
                wire.Array(ref FinalizedFeatures);
                break;
            default:
                wire.Bool(ref ZkMigrationReady);
                break;
        }
    }

    public sealed class ApiVersion : IWireStruct
    {
        public short ApiKey;
        public short MinVersion;
        public short MaxVersion;

        public void Transfer<TWire>(ref TWire wire)
            where TWire : struct, IWire, allows ref struct
        {
            wire.Int16(ref ApiKey);
            wire.Int16(ref MinVersion);
            wire.Int16(ref MaxVersion);
            wire.End();
        }
    }

    public sealed class SupportedFeature : IWireStruct
    {
        /// <summary>Version 3 and later.</summary>
        public string Name = "";
        /// <summary>Version 3 and later.</summary>
        public short MinVersion;
        /// <summary>Version 3 and later.</summary>
        public short MaxVersion;

        public void Transfer<TWire>(ref TWire wire)
            where TWire : struct, IWire, allows ref struct
        {
            wire.String(ref Name);
            wire.Int16(ref MinVersion);
            wire.Int16(ref MaxVersion);
            wire.End();
        }
    }

    public sealed class FinalizedFeature : IWireStruct
    {
        /// <summary>Version 3 and later.</summary>
        public string Name = "";
        /// <summary>Version 3 and later.</summary>
        public short MaxVersionLevel;
        /// <summary>Version 3 and later.</summary>
        public short MinVersionLevel;

        public void Transfer<TWire>(ref TWire wire)
            where TWire : struct, IWire, allows ref struct
        {
            wire.String(ref Name);
            wire.Int16(ref MaxVersionLevel);
            wire.Int16(ref MinVersionLevel);
            wire.End();
        }
    }
}
