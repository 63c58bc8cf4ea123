using LogPipeline.Protocol.Wire;

namespace LogPipeline.Protocol.Messages;

/// <summary>UpdateFeatures: raises or lowers the levels of the cluster's features (KIP-584).</summary>
public sealed class UpdateFeaturesRequest : IRequest<UpdateFeaturesResponse>
{
    public static Api Api { get; } = new(ApiKey.UpdateFeatures, 0, 2, 0);

    public int TimeoutMs = 60000;
    public List<FeatureUpdate> FeatureUpdates = [];
    /// <summary>Version 1 and later.</summary>
    public bool ValidateOnly;

    public void Transfer<TWire>(ref TWire wire)
        where TWire : struct, IWire, allows ref struct
    {
        wire.Int32(ref TimeoutMs);
        wire.Array(ref FeatureUpdates);
        if (wire.Version >= 1)
        {
            wire.Bool(ref ValidateOnly);
        }
        wire.End();
    }

    public sealed class FeatureUpdate : IWireStruct
    {
        public string Feature = "";
        /// <summary>The new level; 0 takes the feature out of use.</summary>
        public short MaxVersionLevel;
        /// <summary>Up to version 0.</summary>
        public bool AllowDowngrade;
        /// <summary>1: raise only; 2: lower where nothing is lost; 3: lower. Version 1 and later.</summary>
        public sbyte UpgradeType = 1;

        public void Transfer<TWire>(ref TWire wire)
            where TWire : struct, IWire, allows ref struct
        {
            wire.String(ref Feature);
            wire.Int16(ref MaxVersionLevel);
            if (wire.Version <= 0)
            {
                wire.Bool(ref AllowDowngrade);
            }
            if (wire.Version >= 1)
            {
                wire.Int8(ref UpgradeType);
            }
            wire.End();
        }
    }
}

/// <summary>Answer to <see cref="UpdateFeaturesRequest"/>.</summary>
public sealed class UpdateFeaturesResponse : IWireStruct, IThrottledResponse
{
    public int ThrottleTimeMs;
    public ErrorCode ErrorCode;
    public string? ErrorMessage;
    /// <summary>Up to version 1.</summary>
    public List<Result> Results = [];

    int IThrottledResponse.ThrottleTimeMs { set => ThrottleTimeMs = value; }

    public void Transfer<TWire>(ref TWire wire)
        where TWire : struct, IWire, allows ref struct
    {
        wire.Int32(ref ThrottleTimeMs);
        wire.Error(ref ErrorCode);
        wire.NullableString(ref ErrorMessage);
        if (wire.Version <= 1)
        {
            wire.Array(ref Results);
        }
        wire.End();
    }

    public sealed class Result : IWireStruct
    {
        public string Feature = "";
        public ErrorCode ErrorCode;
        public string? ErrorMessage;

        public void Transfer<TWire>(ref TWire wire)
            where TWire : struct, IWire, allows ref struct
        {
            wire.String(ref Feature);
            wire.Error(ref ErrorCode);
            wire.NullableString(ref ErrorMessage);
            wire.End();
        }
    }
}
