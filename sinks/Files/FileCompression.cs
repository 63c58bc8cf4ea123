using System.Buffers;
using System.IO.Compression;
using ZstdSharp;

namespace LogPipeline.Sinks.Files;

/// <summary>
/// What a flush adds to a compressed file is a member or frame of its own: <c>zcat</c> and <c>zstdcat</c> read them one after another, and what was not
/// committed can be cut off.
/// </summary>
internal enum FileCompression
{
    None,
    Gzip,
    Zstd,
}

internal static class FileCompressions
{
    private const int ZstdLevel = 3;

    public static string Extension(this FileCompression compression) => compression switch
    {
        FileCompression.Gzip => ".gz",
        FileCompression.Zstd => ".zst",
        _ => "",
    };

    /// <summary>How a file of this name is compressed.</summary>
    public static FileCompression Of(string name) =>
        name.EndsWith(".gz", StringComparison.Ordinal) ? FileCompression.Gzip : name.EndsWith(".zst", StringComparison.Ordinal) ? FileCompression.Zstd : FileCompression.None;

    /// <summary>The rows' bytes again, of all members of a file.</summary>
    /// <param name="packed">Is closed with the result.</param>
    public static Stream Unpack(this FileCompression compression, Stream packed) => compression switch
    {
        FileCompression.Gzip => new GZipStream(packed, CompressionMode.Decompress),
        FileCompression.Zstd => new DecompressionStream(packed, leaveOpen: false),
        _ => packed,
    };

    /// <summary>The bytes as they go to the file.</summary>
    public static ReadOnlySpan<byte> Pack(this FileCompression compression, ReadOnlySpan<byte> bytes, ArrayBufferWriter<byte> room)
    {
        room.ResetWrittenCount();
        switch (compression)
        {
            case FileCompression.Gzip:
                using (var packed = new MemoryStream())
                {
                    using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
                    {
                        gzip.Write(bytes);
                    }
                    room.Write(packed.GetBuffer().AsSpan(0, (int)packed.Length));
                }
                return room.WrittenSpan;
            case FileCompression.Zstd:
                using (var compressor = new Compressor(ZstdLevel))
                {
                    room.Advance(compressor.Wrap(bytes, room.GetSpan(Compressor.GetCompressBound(bytes.Length))));
                }
                return room.WrittenSpan;
            default:
                return bytes;
        }
    }
}
