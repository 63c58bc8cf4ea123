using LogPipeline.Protocol.Compression;

namespace LogPipeline.Protocol.Records;

/// <summary>Uncovers the records of batches, one batch at a time, in a buffer of its own. Not for several threads.</summary>
public sealed class BatchDecoder : IDisposable
{
    private byte[] _buffer = [];

    /// <summary>
    /// The records of a whole batch, uncompressed: a slice of the batch itself, or of this decoder's buffer until the next call.
    /// </summary>
    /// <param name="batch">The batch from its base offset on.</param>
    /// <param name="header">Its header.</param>
    /// <param name="bytesMax">The most the records may unpack to, so that a small batch cannot eat the memory.</param>
    /// <exception cref="CorruptRecordException">The compressed stream is damaged or unpacks to more.</exception>
    /// <exception cref="UnsupportedCompressionException">The codec is not there.</exception>
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
        int length = Compressors.Of(header.Codec).Decompress(packed, ref _buffer, bytesMax);
        return _buffer.AsSpan(0, length);
    }

    public void Dispose() => PooledBytes.Return(ref _buffer);
}
