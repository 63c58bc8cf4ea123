using System.Buffers.Binary;
using LogPipeline.Protocol;
using LogPipeline.Protocol.Compression;
using LogPipeline.Protocol.Records;

namespace LogPipeline.Broker.Requests;

/// <summary>
/// What the records field of a produce request must be before any log sees it, with the answers of Apache Kafka 4.2, and of 3.9 for the
/// versions before 3, which 4.2 has given up.
/// </summary>
internal static class ProducedBatch
{
    private const int MagicAt = 16;

    /// <summary>The size that each format's header takes at least, after the length field.</summary>
    private const int LengthMin = 14;

    private const short FirstVersionOfFormat2Alone = 3;
    private const short FirstVersionWithZstd = 7;

    /// <summary>
    /// Checks that the field is exactly one batch of format 2 with a codec that the version knows. Before version 3 it may be empty, or a
    /// message set of an older format, which its conversion checks.
    /// </summary>
    /// <param name="bytes">The records field.</param>
    /// <param name="version">The version of the produce request.</param>
    /// <param name="header">The batch's header, when there is no error; of format 0 for a message set.</param>
    /// <returns>None, InvalidRecord, CorruptMessage or UnsupportedCompressionType, and what is wrong.</returns>
    public static (ErrorCode Error, string? Message) Check(ReadOnlySpan<byte> bytes, short version, out BatchHeader header)
    {
        header = default;
        if (bytes.IsEmpty && version < FirstVersionOfFormat2Alone)
        {
            return (ErrorCode.None, null);
        }
        if (bytes.Length <= MagicAt)
        {
            return (ErrorCode.InvalidRecord, "A produce request must hold one record batch for a partition.");
        }
        int length = BinaryPrimitives.ReadInt32BigEndian(bytes[8..]);
        sbyte magic = (sbyte)bytes[MagicAt];
        if (length < LengthMin || magic is < 0 or > 2)
        {
            return (ErrorCode.CorruptMessage, $"No record batch: a length of {length}, format {magic}.");
        }
        if (length > bytes.Length - RecordBatch.LengthEnd)
        {
            return (ErrorCode.InvalidRecord, $"The record batch is cut: {bytes.Length} bytes of {(long)length + RecordBatch.LengthEnd}.");
        }
        if (magic != 2 && version < FirstVersionOfFormat2Alone)
        {
            return (ErrorCode.None, null);
        }
        if (magic != 2)
        {
            return (ErrorCode.InvalidRecord, $"Record batches of format {magic} are not taken from version 3 on.");
        }
        if (length < RecordBatch.HeaderSize - RecordBatch.LengthEnd)
        {
            return (ErrorCode.CorruptMessage, $"A length of {length} is less than a header takes.");
        }
        if (!BatchHeader.TryParse(bytes, out header) || header.BaseOffset != 0)
        {
            return (ErrorCode.InvalidRecord, "The batch's base offset is not 0, or a count or an offset delta is below 0.");
        }
        if (header.SizeInBytes != bytes.Length)
        {
            return (ErrorCode.InvalidRecord, "A produce request must hold exactly one record batch for a partition.");
        }
        return header.Codec == CompressionCodec.Zstd && version is >= FirstVersionOfFormat2Alone and < FirstVersionWithZstd
            ? (ErrorCode.UnsupportedCompressionType, $"Produce version {version} does not know zstd: {FirstVersionWithZstd} and later do.")
            : (ErrorCode.None, null);
    }
}
