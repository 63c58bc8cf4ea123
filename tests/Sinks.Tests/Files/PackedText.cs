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

    public static byte[] Write(string text, string compress)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        using var packed = new MemoryStream();
        using (Stream stream = compress switch
        {
            "gzip" => new GZipStream(packed, CompressionMode.Compress),
            "zstd" => new CompressionStream(packed),
            _ => packed,
        })
        {
            stream.Write(bytes);
        }
        return packed.ToArray();
    }
}
