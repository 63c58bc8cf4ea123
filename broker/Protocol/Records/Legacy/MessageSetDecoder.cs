using LogPipeline.Protocol.Compression;

namespace LogPipeline.Protocol.Records.Legacy;

/// <summary>Opens message sets of format 0 and 1 one at a time, and unpacks their wrappers into buffers of its own. Not for several threads.</summary>
public sealed class MessageSetDecoder : IDisposable
{
    private readonly BatchDecoder _format0 = new(ofFormat0: true);
    private readonly BatchDecoder _format1 = new();

    /// <summary>The messages of a set that is either one wrapper or holds no wrapper, as a producer sends it; valid until the next call.</summary>
    /// <param name="set">The set.</param>
    /// <param name="bytesMax">The most that a wrapper may unpack to.</param>
    /// <exception cref="CorruptRecordException">The wrapper's CRC is wrong, or it unpacks to more.</exception>
    /// <exception cref="InvalidRecordException">There is no message, or a wrapper that none can be.</exception>
    public MessageSetReader Open(ReadOnlySpan<byte> set, int bytesMax)
    {
        LegacyMessage first = LegacyMessage.Read(set);
        if (first.Codec == CompressionCodec.None)
        {
            return new MessageSetReader(set);
        }
        if (first.SizeInBytes != set.Length)
        {
            throw new InvalidRecordException("a compressed message beside others");
        }
        if (first.Codec > CompressionCodec.Lz4)
        {
            throw new InvalidRecordException($"format {first.Magic} has no codec {(int)first.Codec}: there are none, gzip, snappy and lz4");
        }
        ReadOnlySpan<byte> messages = first.HasValue ? Unpack(first, bytesMax) : default;
        return messages.IsEmpty
            ? throw new InvalidRecordException("a compressed message without messages in it")
            : new MessageSetReader(messages, first);
    }

    public void Dispose()
    {
        _format0.Dispose();
        _format1.Dispose();
    }

    private ReadOnlySpan<byte> Unpack(LegacyMessage wrapper, int bytesMax)
    {
        try
        {
            return (wrapper.Magic == 0 ? _format0 : _format1).Unpack(wrapper.Value, wrapper.Codec, bytesMax);
        }
        catch (CorruptRecordException e) when (!e.IsTooLong)
        {
            throw new InvalidRecordException(e.Message, e); // the CRC says that it was sent so
        }
    }
}
