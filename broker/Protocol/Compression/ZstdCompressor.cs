using ZstdSharp;

namespace LogPipeline.Protocol.Compression;

/// <summary>Zstandard frames (RFC 8878): writes one, reads several.</summary>
internal sealed class ZstdCompressor(int level) : ICompressor
{
    public const int DefaultLevel = 3;
    public const int LevelMin = -131072;
    public const int LevelMax = 22;

    private Compressor? _compressor;
    private Decompressor? _decompressor;

    public int Compress(ReadOnlySpan<byte> plain, ref byte[] buffer, int start)
    {
        _compressor ??= new Compressor(level);
        PooledBytes.Grow(ref buffer, checked(start + Compressor.GetCompressBound(plain.Length)), keep: start);
        return start + _compressor.Wrap(plain, buffer.AsSpan(start));
    }

    public int Decompress(ReadOnlySpan<byte> packed, ref byte[] buffer, int bytesMax)
    {
        if (packed.IsEmpty)
        {
            throw new CorruptRecordException("zstd: no frame");
        }
        _decompressor ??= new Decompressor();
        try
        {
            // An upper bound, from the frame's header or its number of blocks; it may lie, so the limit counts.
            ulong bound = Decompressor.GetDecompressedSize(packed);
            int room = (int)Math.Min(bound, (ulong)bytesMax);
            PooledBytes.Grow(ref buffer, room, keep: 0);
            return _decompressor.TryUnwrap(packed, buffer.AsSpan(0, Math.Min(buffer.Length, bytesMax)), out int length)
                ? length
                : throw Compressors.TooLong("zstd", bytesMax);
        }
        catch (ZstdException e)
        {
            throw new CorruptRecordException("zstd: " + e.Message, e);
        }
    }

    public void Dispose()
    {
        _compressor?.Dispose();
        _decompressor?.Dispose();
    }
}
