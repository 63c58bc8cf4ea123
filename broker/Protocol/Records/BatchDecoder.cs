using LogPipeline.Protocol.Compression;

namespace LogPipeline.Protocol.Records;

/// <summary>Unpacks the records of batches, one batch at a time, into a buffer of its own. Not for several threads.</summary>
/// <param name="ofFormat0">For wrappers of format 0, whose lz4 frames differ.</param>
public sealed class BatchDecoder(bool ofFormat0 = false) : IDisposable
{
    private readonly ICompressor?[] _compressors = new ICompressor?[(int)CompressionCodec.Zstd + 1]; // by codec, made when first needed
    private byte[] _buffer = [];

    /// <summary>
    /// The records of a whole batch, uncompressed: a slice of the batch itself, or of this decoder's buffer until the next call.
    /// </summary>
    /// <param name="batch">The batch from its base offset on.</param>
    /// <param name="header">Its header.</param>
    /// <param name="bytesMax">The most the records may unpack to, so that a small batch cannot eat the memory.</param>
    /// <exception cref="CorruptRecordException">The compressed stream is damaged or unpacks to more.</exception>
    /// <exception cref="UnsupportedCompressionException">No codec has this number.</exception>
    public ReadOnlySpan<byte> Records(ReadOnlySpan<byte> batch, in BatchHeader header, int bytesMax = 64 << 20)
    {
        if (batch.Length < header.SizeInBytes)
        {
            throw new CorruptRecordException($"batch at offset {header.BaseOffset} is cut: {batch.Length} of {header.SizeInBytes} bytes");
        }
        ReadOnlySpan<byte> packed = batch[RecordBatch.HeaderSize..header.SizeInBytes];
        if (header.Codec == CompressionCodec.None)
        {
            return packed;
        }
        return Unpack(packed, header.Codec, bytesMax);
    }

    /// <summary>What a compressed stream unpacks to: a slice of this decoder's buffer until the next call.</summary>
    internal ReadOnlySpan<byte> Unpack(ReadOnlySpan<byte> packed, CompressionCodec codec, int bytesMax)
    {
        if (codec > CompressionCodec.Zstd)
        {
            throw new UnsupportedCompressionException($"codec {(int)codec} is unknown: there are none, gzip, snappy, lz4 and zstd");
        }
        ICompressor compressor = _compressors[(int)codec] ??= Compressors.Create(codec, ofFormat0: ofFormat0);
        int length = compressor.Decompress(packed, ref _buffer, bytesMax);
        return _buffer.AsSpan(0, length);
    }

    /// <summary>Returns the buffer to the pool when it has grown beyond a size: what one large batch needed is not held for ever.</summary>
    public void Trim(int bytesMax)
    {
        if (_buffer.Length > bytesMax)
        {
            PooledBytes.Return(ref _buffer);
        }
    }

    public void Dispose()
    {
        PooledBytes.Return(ref _buffer);
        foreach (ICompressor? compressor in _compressors)
        {
            compressor?.Dispose();
        }
    }
}
