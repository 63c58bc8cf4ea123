using System.Buffers.Binary;

namespace LogPipeline.Protocol.Records;

/// <summary>What is done to an encoded batch in place. The layout is drawn at <see cref="BatchHeader"/>.</summary>
public static class RecordBatch
{
    /// <summary>Bytes before the first record.</summary>
    public const int HeaderSize = 61;

    /// <summary>Where the bytes begin that batchLength counts.</summary>
    public const int LengthEnd = 12;

    internal const int CrcAt = 17;

    /// <summary>Where the bytes begin that the CRC covers.</summary>
    public const int CrcFrom = 21;

    /// <summary>Whether the CRC-32C of a whole batch holds.</summary>
    public static bool CrcIsValid(ReadOnlySpan<byte> batch) =>
        batch.Length >= HeaderSize && BinaryPrimitives.ReadUInt32BigEndian(batch[CrcAt..]) == Crc32C.Compute(batch[CrcFrom..]);

    /// <summary>Writes base offset and leader epoch; both lie before what the CRC covers.</summary>
    public static void Stamp(Span<byte> batch, long baseOffset, int leaderEpoch)
    {
        BinaryPrimitives.WriteInt64BigEndian(batch, baseOffset);
        BinaryPrimitives.WriteInt32BigEndian(batch[LengthEnd..], leaderEpoch);
    }

    /// <summary>Writes producer id, epoch and base sequence into a whole batch, and its CRC anew.</summary>
    public static void SetProducer(Span<byte> batch, long producerId, short epoch, int baseSequence)
    {
        BinaryPrimitives.WriteInt64BigEndian(batch[43..], producerId);
        BinaryPrimitives.WriteInt16BigEndian(batch[51..], epoch);
        BinaryPrimitives.WriteInt32BigEndian(batch[53..], baseSequence);
        Seal(batch);
    }

    /// <summary>
    /// Writes into a whole batch that its records keep the producer's times, the largest of them (milliseconds since 1970), and its
    /// CRC anew.
    /// </summary>
    public static void SetCreateTime(Span<byte> batch, long maxTimestamp)
    {
        batch[22] &= unchecked((byte)~BatchHeader.LogAppendTime);
        BinaryPrimitives.WriteInt64BigEndian(batch[35..], maxTimestamp);
        Seal(batch);
    }

    /// <summary>
    /// Writes into a whole batch that its records have the time at which the broker took them (milliseconds since 1970), and its CRC
    /// anew. The records keep the producer's times; readers leave them aside.
    /// </summary>
    public static void SetAppendTime(Span<byte> batch, long time)
    {
        batch[22] |= (byte)BatchHeader.LogAppendTime;
        BinaryPrimitives.WriteInt64BigEndian(batch[35..], time);
        Seal(batch);
    }

    /// <summary>Writes the CRC of a whole batch.</summary>
    public static void Seal(Span<byte> batch) =>
        BinaryPrimitives.WriteUInt32BigEndian(batch[CrcAt..], Crc32C.Compute(batch[CrcFrom..]));

    /// <summary>A sequence further on; after 2³¹ − 1 comes 0.</summary>
    public static int Sequence(int baseSequence, int delta) => (int)(((long)baseSequence + delta) & int.MaxValue);

    /// <summary>How far a sequence lies beyond another; negative = before it. Modulo 2³¹.</summary>
    public static int SequenceDistance(int from, int to)
    {
        int forward = (to - from) & int.MaxValue;
        return forward < 1 << 30 ? forward : forward - int.MaxValue - 1;
    }
}
