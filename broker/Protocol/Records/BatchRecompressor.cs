using System.Buffers.Binary;
using LogPipeline.Protocol.Compression;

namespace LogPipeline.Protocol.Records;

/// <summary>Compresses the records of a batch otherwise than they came. Not for several threads.</summary>
public sealed class BatchRecompressor : IDisposable
{
    private const int AttributesLowAt = 22;
    private const byte CodecMask = 0x07;

    private readonly BatchDecoder _decoder = new();
    private byte[] _batch = [];

    /// <summary>The batch with another codec and all else as it was; valid until the next call.</summary>
    /// <param name="batch">The whole batch.</param>
    /// <param name="header">Its header.</param>
    /// <param name="codec">The codec to have.</param>
    /// <param name="level">How hard; null for the codec's fast choice.</param>
    /// <param name="bytesMax">The most that the records may unpack to.</param>
    /// <exception cref="CorruptRecordException">The CRC is wrong, or the compressed stream unpacks to more.</exception>
    /// <exception cref="InvalidRecordException">The compressed stream is damaged.</exception>
    /// <exception cref="UnsupportedCompressionException">No codec has the batch's number.</exception>
    public Memory<byte> Recompress(ReadOnlySpan<byte> batch, in BatchHeader header, CompressionCodec codec, int? level, int bytesMax)
    {
        if (!RecordBatch.CrcIsValid(batch))
        {
            throw new CorruptRecordException("the batch's checksum is wrong");
        }
        ReadOnlySpan<byte> records = Unpack(batch, in header, bytesMax);
        if (records.Length > bytesMax)
        {
            throw Compressors.TooLong("none", bytesMax);
        }
        using ICompressor compressor = Compressors.Create(codec, level);
        int end = compressor.Compress(records, ref _batch, RecordBatch.HeaderSize);
        Span<byte> to = _batch.AsSpan(0, end);
        batch[..RecordBatch.HeaderSize].CopyTo(to);
        BinaryPrimitives.WriteInt32BigEndian(to[8..], end - RecordBatch.LengthEnd);
        to[AttributesLowAt] = (byte)((to[AttributesLowAt] & ~CodecMask) | (byte)codec);
        RecordBatch.Seal(to);
        return _batch.AsMemory(0, end);
    }

    public void Dispose()
    {
        _decoder.Dispose();
        PooledBytes.Return(ref _batch);
    }

    private ReadOnlySpan<byte> Unpack(ReadOnlySpan<byte> batch, in BatchHeader header, int bytesMax)
    {
        try
        {
            return _decoder.Records(batch, in header, bytesMax);
        }
        catch (CorruptRecordException e) when (!e.IsTooLong)
        {
            throw new InvalidRecordException(e.Message, e); // the CRC says that it was sent so
        }
    }
}
