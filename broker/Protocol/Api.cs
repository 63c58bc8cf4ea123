namespace LogPipeline.Protocol;

/// <summary>One API of the protocol and the versions of it that we can read and write.</summary>
/// <param name="Key">Its number.</param>
/// <param name="MinVersion">Oldest version described.</param>
/// <param name="MaxVersion">Newest version described.</param>
/// <param name="FlexibleFrom">First flexible version (KIP-482); <see cref="Never"/> when there is none.</param>
public sealed record Api(ApiKey Key, short MinVersion, short MaxVersion, short FlexibleFrom)
{
    /// <summary>For an API whose versions are all inflexible.</summary>
    public const short Never = short.MaxValue;

    /// <summary>Whether bodies of this version use compact lengths and tag sections.</summary>
    public bool IsFlexible(short version) => version >= FlexibleFrom;

    /// <summary>Request header: 1, or 2 (with a tag section) for flexible versions.</summary>
    public short RequestHeaderVersion(short version) => IsFlexible(version) ? (short)2 : (short)1;

    /// <summary>Response header: 0, or 1 (with a tag section) for flexible versions; ApiVersions keeps 0 at every version.</summary>
    public short ResponseHeaderVersion(short version) =>
        IsFlexible(version) && Key != ApiKey.ApiVersions ? (short)1 : (short)0;
}
