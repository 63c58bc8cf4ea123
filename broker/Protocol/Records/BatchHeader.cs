using System.Buffers.Binary;
using LogPipeline.Protocol.Compression;

namespace LogPipeline.Protocol.Records;

/// <summary>
/// The 61 bytes before the records of a batch, magic 2, big-endian:
/// <code>
///  0 baseOffset i64          12 partitionLeaderEpoch i32   21 attributes i16        43 producerId i64
///  8 batchLength i32         16 magic i8 = 2               23 lastOffsetDelta i32   51 producerEpoch i16
///    (bytes after it)        17 crc u32 (of 21 to the end) 27 baseTimestamp i64     53 baseSequence i32
///                                                          35 maxTimestamp i64      57 recordCount i32
/// </code>
/// </summary>
public readonly record struct BatchHeader(
    long BaseOffset,
    int BatchLength,
    int LeaderEpoch,
    sbyte Magic,
    uint Crc,
    short Attributes,
    int LastOffsetDelta,
    long BaseTimestamp,
    long MaxTimestamp,
    long ProducerId,
    short ProducerEpoch,
    int BaseSequence,
    int RecordCount)
{
    /// <summary>The bit of the attributes that says that record times are the broker's append time.</summary>
    public const short LogAppendTime = 0x08;

    /// <summary>The whole batch in bytes, this header included.</summary>
    public int SizeInBytes => BatchLength + RecordBatch.LengthEnd;

    public long LastOffset => BaseOffset + LastOffsetDelta;

    /// <summary>The offset after the batch's last.</summary>
    public long NextOffset => BaseOffset + LastOffsetDelta + 1;

    public CompressionCodec Codec => (CompressionCodec)(Attributes & 0x07);

    /// <summary>Whether record times are the broker's append time (all equal <see cref="MaxTimestamp"/>).</summary>
    public bool IsLogAppendTime => (Attributes & LogAppendTime) != 0;

    public bool IsTransactional => (Attributes & 0x10) != 0;

    public bool IsControl => (Attributes & 0x20) != 0;

    /// <summary>Whether an idempotent producer wrote it.</summary>
    public bool HasProducer => ProducerId >= 0;

    /// <summary>The sequence of the last record, modulo 2³¹.</summary>
    public int LastSequence => RecordBatch.Sequence(BaseSequence, LastOffsetDelta);

    /// <summary>
    /// Reads a header; false when fewer than 61 bytes are there, the magic is not 2, or a length or count cannot be. Whether the
    /// whole batch is there, and whether its CRC holds, is for the caller.
    /// </summary>
    public static bool TryParse(ReadOnlySpan<byte> bytes, out BatchHeader header)
    {
        if (bytes.Length < RecordBatch.HeaderSize)
        {
            header = default;
            return false;
        }
        header = new BatchHeader(
            BinaryPrimitives.ReadInt64BigEndian(bytes),
            BinaryPrimitives.ReadInt32BigEndian(bytes[8..]),
            BinaryPrimitives.ReadInt32BigEndian(bytes[12..]),
            (sbyte)bytes[16],
            BinaryPrimitives.ReadUInt32BigEndian(bytes[17..]),
            BinaryPrimitives.ReadInt16BigEndian(bytes[21..]),
            BinaryPrimitives.ReadInt32BigEndian(bytes[23..]),
            BinaryPrimitives.ReadInt64BigEndian(bytes[27..]),
            BinaryPrimitives.ReadInt64BigEndian(bytes[35..]),
            BinaryPrimitives.ReadInt64BigEndian(bytes[43..]),
            BinaryPrimitives.ReadInt16BigEndian(bytes[51..]),
            BinaryPrimitives.ReadInt32BigEndian(bytes[53..]),
            BinaryPrimitives.ReadInt32BigEndian(bytes[57..]));
        return header is { Magic: 2, LastOffsetDelta: >= 0, RecordCount: >= 0, BaseOffset: >= 0 }
            && header.BatchLength >= RecordBatch.HeaderSize - RecordBatch.LengthEnd
            && header.BatchLength <= int.MaxValue - RecordBatch.LengthEnd;
    }
}
