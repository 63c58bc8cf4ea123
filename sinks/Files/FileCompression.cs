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
