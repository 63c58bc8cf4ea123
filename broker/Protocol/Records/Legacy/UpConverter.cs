using LogPipeline.Protocol.Compression;

namespace LogPipeline.Protocol.Records.Legacy;

/// <summary>Makes one record batch of format 2 of a producer's message set of format 0 or 1. Not for several threads.</summary>
/// <remarks>
/// The batch has no producer and no headers; messages of format 0 have no timestamp, so their records have -1. Offsets are
/// counted from 0, whatever the producer wrote: the log gives the real ones.
/// </remarks>
public sealed class UpConverter : IDisposable
{
    private readonly MessageSetDecoder _decoder = new();
    private RecordBatchBuilder? _builder;

    /// <summary>Converts a set; the batch is valid until the next call.</summary>
    /// <param name="set">What the producer sent.</param>
    /// <param name="codec">How the batch is compressed; null: as the set is.</param>
    /// <param name="level">How hard; null for the codec's fast choice.</param>
    /// <param name="limits">What the conversion may take.</param>
    /// <exception cref="CorruptRecordException">A CRC or a size is wrong, or a limit is passed.</exception>
    /// <exception cref="InvalidRecordException">The set holds what none may.</exception>
    public Memory<byte> Convert(ReadOnlySpan<byte> set, CompressionCodec? codec, int? level, in ConversionLimits limits)
    {
        MessageSetReader messages = _decoder.Open(set, limits.PlainBytesMax);
        CompressionCodec target = codec ?? messages.Codec;
        int bytesMax = target == CompressionCodec.None ? limits.BatchBytesMax : limits.PlainBytesMax;
        _builder?.Dispose();
        _builder = new RecordBatchBuilder(target, bytesMax, level);
        while (messages.Read())
        {
            LegacyMessage message = messages.Message;
            if (message.SizeInBytes > bytesMax
                || !_builder.TryAppend(messages.Timestamp, message.HasKey, message.Key, message.HasValue, message.Value, headerCount: 0, headers: default))
            {
                throw new CorruptRecordException($"the messages take more than {bytesMax} bytes in one batch") { IsTooLong = true };
            }
        }
        return _builder.Build();
    }

    public void Dispose()
    {
        _builder?.Dispose();
        _decoder.Dispose();
    }
}

/// <summary>What a conversion may take, in bytes.</summary>
/// <param name="BatchBytesMax">The largest batch that comes out when it is not compressed.</param>
/// <param name="PlainBytesMax">The most that the messages or records take when they are not compressed.</param>
public readonly record struct ConversionLimits(int BatchBytesMax, int PlainBytesMax);
