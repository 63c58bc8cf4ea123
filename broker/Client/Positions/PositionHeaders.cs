namespace LogPipeline.Client.Positions;

/// <summary>
/// Names of the record headers between agent and sink. A line carries <see cref="Host"/>, <see cref="File"/> and
/// <see cref="Position"/> in this order; a fence marker carries <see cref="Fence"/> alone, has no value, and sinks skip it.
/// </summary>
public static class PositionHeaders
{
    /// <summary>The server that the file lies on; UTF-8.</summary>
    public static ReadOnlySpan<byte> Host => "host"u8;

    /// <summary>The path that the file was first seen by; bytes as the file system has them.</summary>
    public static ReadOnlySpan<byte> File => "file"u8;

    /// <summary>The record's <see cref="RecordPosition"/>.</summary>
    public static ReadOnlySpan<byte> Position => "pos"u8;

    /// <summary>Marks a fence: <see cref="FenceMarker"/>.</summary>
    public static ReadOnlySpan<byte> Fence => "fence"u8;
}
