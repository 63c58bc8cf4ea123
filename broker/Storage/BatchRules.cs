using LogPipeline.Protocol;
using LogPipeline.Protocol.Compression;
using LogPipeline.Protocol.Records;

namespace LogPipeline.Storage;

/// <summary>What a batch must be to be appended, before any state is asked: what Apache Kafka's LogValidator asks of it.</summary>
internal static class BatchRules
{
    /// <summary>The most that the records of a batch may unpack to, in bytes. Consumers refuse more.</summary>
    private const int UnpackedBytesMax = 64 << 20;

    /// <summary>
    /// Checks a batch. A client's batch is walked record by record; a largest timestamp that lies, or a timestamp type that only the
    /// broker may set, is set right in it.
    /// </summary>
    /// <param name="bytes">The whole batch.</param>
    /// <param name="origin">The broker's own batches are not walked.</param>
    /// <param name="bytesMax">The largest batch taken from a client, as sent, in bytes; what makes the broker's own bounds them.</param>
    /// <param name="rules">What the topic asks of each record of a client.</param>
    /// <param name="decoders">Where a decoder for a compressed batch is taken from.</param>
    /// <param name="header">The batch's header.</param>
    public static BatchFault Check(
        Span<byte> bytes, AppendOrigin origin, int bytesMax, in RecordRules rules, BatchDecoders decoders, out BatchHeader header)
    {
        if (!BatchHeader.TryParse(bytes, out header) || header.SizeInBytes != bytes.Length)
        {
            return new BatchFault(ErrorCode.CorruptMessage);
        }
        if (origin == AppendOrigin.Client && bytes.Length > bytesMax)
        {
            return new BatchFault(ErrorCode.MessageTooLarge);
        }
        if (!RecordBatch.CrcIsValid(bytes))
        {
            return new BatchFault(ErrorCode.CorruptMessage);
        }
        if (header.RecordCount <= 0 || header.RecordCount - 1 != header.LastOffsetDelta)
        {
            return Invalid($"{header.RecordCount} records, with a last offset delta of {header.LastOffsetDelta}");
        }
        return origin == AppendOrigin.Broker ? default : CheckClients(bytes, ref header, in rules, decoders);
    }

    private static BatchFault CheckClients(Span<byte> bytes, ref BatchHeader header, in RecordRules rules, BatchDecoders decoders)
    {
        if (header.IsControl)
        {
            return Invalid("a client may not write control batches");
        }
        if (header.HasProducer && header.BaseSequence < 0)
        {
            return Invalid($"producer {header.ProducerId} with a base sequence of {header.BaseSequence}");
        }
        BatchFault fault = CheckPacked(bytes, in header, in rules, decoders, out long maxTimestamp);
        if (fault.Error == ErrorCode.None && (maxTimestamp != header.MaxTimestamp || header.IsLogAppendTime))
        {
            RecordBatch.SetCreateTime(bytes, maxTimestamp);
            header = header with { Attributes = (short)(header.Attributes & ~BatchHeader.LogAppendTime), MaxTimestamp = maxTimestamp };
        }
        return fault;
    }

    private static BatchFault CheckPacked(ReadOnlySpan<byte> bytes, in BatchHeader header, in RecordRules rules, BatchDecoders decoders, out long maxTimestamp)
    {
        if (header.Codec == CompressionCodec.None)
        {
            return CheckRecords(bytes[RecordBatch.HeaderSize..], in header, in rules, out maxTimestamp);
        }
        BatchDecoder decoder = decoders.Rent();
        try
        {
            return CheckRecords(decoder.Records(bytes, in header, UnpackedBytesMax), in header, in rules, out maxTimestamp);
        }
        catch (Exception e) when (e is CorruptRecordException or UnsupportedCompressionException)
        {
            maxTimestamp = -1;
            return Invalid(e.Message);
        }
        finally
        {
            decoders.Return(decoder);
        }
    }

    private static BatchFault CheckRecords(ReadOnlySpan<byte> records, in BatchHeader header, in RecordRules rules, out long maxTimestamp) =>
        RecordScan.Problem(records, in header, out maxTimestamp) is { } problem ? Invalid(problem) : rules.Check(records, in header, maxTimestamp);

    private static BatchFault Invalid(string problem) => new(ErrorCode.InvalidRecord, problem);

    /// <summary>Whether these are whole batches, one behind the other, each with the right checksum.</summary>
    public static bool AreSound(ReadOnlySpan<byte> batches)
    {
        if (batches.IsEmpty)
        {
            return false;
        }
        while (!batches.IsEmpty)
        {
            if (!BatchHeader.TryParse(batches, out BatchHeader header)
                || header.SizeInBytes > batches.Length
                || !RecordBatch.CrcIsValid(batches[..header.SizeInBytes]))
            {
                return false;
            }
            batches = batches[header.SizeInBytes..];
        }
        return true;
    }

    /// <summary>
    /// Whether sound batches go on where a log ends, in epochs that may follow its own. Up to a clean offset they may leave offsets out.
    /// </summary>
    public static ErrorCode CheckPlace(ReadOnlySpan<byte> batches, long endOffset, long cleanOffset, int latestEpoch, int leaderEpoch)
    {
        for (; BatchHeader.TryParse(batches, out BatchHeader header); batches = batches[header.SizeInBytes..])
        {
            if (header.BaseOffset != endOffset && (header.BaseOffset < endOffset || header.BaseOffset > cleanOffset))
            {
                return ErrorCode.OffsetOutOfRange;
            }
            if (header.LeaderEpoch < latestEpoch || header.LeaderEpoch > leaderEpoch)
            {
                return header.LeaderEpoch < latestEpoch ? ErrorCode.FencedLeaderEpoch : ErrorCode.UnknownLeaderEpoch;
            }
            latestEpoch = header.LeaderEpoch;
            endOffset = header.NextOffset;
        }
        return ErrorCode.None;
    }
}
