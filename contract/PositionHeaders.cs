namespace LogPipeline.Contract;

/// <summary>
/// Names of the record headers that an agent writes and a sink reads. A line carries <see cref="Host"/>, <see cref="File"/> and
/// <see cref="Position"/> in this order, labels and <see cref="Stream"/> before the position; a fence marker carries <see cref="Fence"/> alone and has no value; sinks skip it.
/// </summary>
public static class PositionHeaders
{
    /// <summary>Name of the server on which the file lies, in UTF-8.</summary>
    public static ReadOnlySpan<byte> Host => "host"u8;

    /// <summary>Path under which the agent first saw the file, as the file system's own bytes.</summary>
    public static ReadOnlySpan<byte> File => "file"u8;

    /// <summary>Which of a container's outputs a line came from, <c>stdout</c> or <c>stderr</c>.</summary>
    public static ReadOnlySpan<byte> Stream => "stream"u8;

    /// <summary>The record's bytes in the file: a <see cref="RecordPosition"/>.</summary>
    public static ReadOnlySpan<byte> Position => "pos"u8;

    /// <summary>Marks a record as a fence: a <see cref="FenceMarker"/>.</summary>
    public static ReadOnlySpan<byte> Fence => "fence"u8;
}
