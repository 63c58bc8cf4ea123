namespace LogPipeline.Protocol.Compression;

/// <summary>The codecs, by their number in a batch's attributes.</summary>
internal static class Compressors
{
    /// <param name="codec">Which codec.</param>
    /// <param name="level">
    /// How hard it compresses, as in Kafka's <c>compression.*.level</c>: gzip 1 to 9, lz4 1 to 17, zstd -131072 to 22; null is the fast
    /// choice of each. None and snappy have no levels.
    /// </param>
    /// <param name="ofFormat0">For message sets of format 0, whose lz4 frames have a header checksum of their own kind.</param>
    /// <exception cref="UnsupportedCompressionException">No codec has this number.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The codec does not have this level.</exception>
    public static ICompressor Create(CompressionCodec codec, int? level = null, bool ofFormat0 = false)
    {
        switch (codec)
        {
            case CompressionCodec.None:
                return new NoCompressor();
            case CompressionCodec.Gzip:
                return new GzipCompressor(InRange(level ?? 1, 1, 9));
            case CompressionCodec.Snappy:
                return new SnappyCompressor();
            case CompressionCodec.Lz4:
                return new Lz4Compressor(InRange(level ?? Lz4Compressor.DefaultLevel, 1, 17), ofFormat0);
            case CompressionCodec.Zstd:
                return new ZstdCompressor(InRange(level ?? ZstdCompressor.DefaultLevel, ZstdCompressor.LevelMin, ZstdCompressor.LevelMax));
            default:
                throw new UnsupportedCompressionException($"codec {(int)codec} is unknown: there are none, gzip, snappy, lz4 and zstd");
        }
    }

    /// <summary>The error of a batch that unpacks to more than its reader allows.</summary>
    public static CorruptRecordException TooLong(string codec, int bytesMax) =>
        new($"{codec}: the batch unpacks to more than {bytesMax} bytes") { IsTooLong = true };

    private static int InRange(int level, int least, int most)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(level, least);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(level, most);
        return level;
    }

    /// <summary>Copies.</summary>
    private sealed class NoCompressor : ICompressor
    {
        public int Compress(ReadOnlySpan<byte> plain, ref byte[] buffer, int start)
        {
            PooledBytes.Grow(ref buffer, start + plain.Length, keep: start);
            plain.CopyTo(buffer.AsSpan(start));
            return start + plain.Length;
        }

        public int Decompress(ReadOnlySpan<byte> packed, ref byte[] buffer, int bytesMax) =>
            packed.Length <= bytesMax ? Compress(packed, ref buffer, 0) : throw TooLong("none", bytesMax);

        public void Dispose()
        {
        }
    }
}
