using System.IO.Compression;
using System.Text;
using ZstdSharp;

namespace LogPipeline.Sinks.Tests.Files;

/// <summary>Reads a file of the file sink back, whatever it is compressed with.</summary>
internal static class PackedText
{
    public static string Read(byte[] bytes, string compress)
    {
        using var packed = new MemoryStream(bytes);
        using Stream plain = compress switch
        {
            "gzip" => new GZipStream(packed, CompressionMode.Decompress),
            "zstd" => new DecompressionStream(packed),
            _ => packed,
        };
        using var text = new StreamReader(plain, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true));
        return text.ReadToEnd();
    }
}
