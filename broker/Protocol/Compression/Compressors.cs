using LogPipeline.Protocol.Records;

namespace LogPipeline.Protocol.Compression;

/// <summary>The codecs that are built in.</summary>
internal static class Compressors
{
    private static readonly GzipCompressor Gzip = new();
    private static readonly Lz4Compressor Lz4 = new();
    private static readonly NoCompressor None = new();

    /// <exception cref="UnsupportedCompressionException">The codec is not built in.</exception>
    public static ICompressor Of(CompressionCodec codec) => codec switch
    {
        CompressionCodec.None => None,
        CompressionCodec.Gzip => Gzip,
        CompressionCodec.Lz4 => Lz4,
        _ => throw new UnsupportedCompressionException($"compression {codec.ToString().ToLowerInvariant()} is not supported here: use none, gzip or lz4"),
    };

    /// <summary>Copies.</summary>
    private sealed class NoCompressor : ICompressor
    {
        public int Compress(ReadOnlySpan<byte> plain, ref byte[] buffer, int start)
        {
            PooledBytes.Grow(ref buffer, start + plain.Length, keep: 0);
            plain.CopyTo(buffer.AsSpan(start));
            return start + plain.Length;
        }

        public int Decompress(ReadOnlySpan<byte> packed, ref byte[] buffer, int bytesMax) =>
            packed.Length <= bytesMax ? Compress(packed, ref buffer, 0) : throw new CorruptRecordException($"more than {bytesMax} bytes");
    }
}
