using System.Globalization;

namespace LogPipeline.Storage.Segments;

/// <summary>Names of the files in a partition's directory: twenty digits of the base offset and a suffix.</summary>
internal static class SegmentFileName
{
    public const string Log = ".log";
    public const string OffsetIndex = ".index";
    public const string TimeIndex = ".timeindex";
    public const string Snapshot = ".snapshot";

    private const int Digits = 20;

    public static string Of(string directory, long offset, string suffix) =>
        directory + "/" + offset.ToString("D20", CultureInfo.InvariantCulture) + suffix;

    public static bool TryParse(string name, string suffix, out long offset)
    {
        offset = -1;
        return name.Length == Digits + suffix.Length
            && name.EndsWith(suffix, StringComparison.Ordinal)
            && long.TryParse(name.AsSpan(0, Digits), NumberStyles.None, CultureInfo.InvariantCulture, out offset);
    }
}
