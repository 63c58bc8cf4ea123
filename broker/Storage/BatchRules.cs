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
    /// <param name="decoders">Where a decoder for a compressed batch is taken from.</param>
    /// <param name="header">The batch's header.</param>
    /// <param name="problem">What is wrong, for people, where the code does not say it.</param>
    public static ErrorCode Check(
        Span<byte> bytes, AppendOrigin origin, int bytesMax, BatchDecoders decoders, out BatchHeader header, out string? problem)
    {
        problem = null;
        if (!BatchHeader.TryParse(bytes, out header) || header.SizeInBytes != bytes.Length)
        {
            return ErrorCode.CorruptMessage;
        }
        if (origin == AppendOrigin.Client && bytes.Length > bytesMax)
        {
            return ErrorCode.MessageTooLarge;
        }
        if (!RecordBatch.CrcIsValid(bytes))
        {
            return ErrorCode.CorruptMessage;
        }
        if (header.RecordCount <= 0 || header.RecordCount - 1 != header.LastOffsetDelta)
        {
            problem = $"{header.RecordCount} records, with a last offset delta of {header.LastOffsetDelta}";
            return ErrorCode.InvalidRecord;
        }
        return origin == AppendOrigin.Broker ? ErrorCode.None : CheckClients(bytes, ref header, decoders, out problem);
    }

    private static ErrorCode CheckClients(Span<byte> bytes, ref BatchHeader header, BatchDecoders decoders, out string? problem)
    {
        if (header.IsControl)
        {
            problem = "a client may not write control batches";
            return ErrorCode.InvalidRecord;
        }
        if (header.HasProducer && header.BaseSequence < 0)
        {
            problem = $"producer {header.ProducerId} with a base sequence of {header.BaseSequence}";
            return ErrorCode.InvalidRecord;
        }
        problem = RecordsProblem(bytes, in header, decoders, out long maxTimestamp);
        if (problem is not null)
        {
            return ErrorCode.InvalidRecord;
        }
        if (maxTimestamp != header.MaxTimestamp || header.IsLogAppendTime)
        {
            RecordBatch.SetCreateTime(bytes, maxTimestamp);
            header = header with { Attributes = (short)(header.Attributes & ~BatchHeader.LogAppendTime), MaxTimestamp = maxTimestamp };
        }
        return ErrorCode.None;
    }

    private static string? RecordsProblem(ReadOnlySpan<byte> bytes, in BatchHeader header, BatchDecoders decoders, out long maxTimestamp)
    {
        if (header.Codec == CompressionCodec.None)
        {
            return RecordScan.Problem(bytes[RecordBatch.HeaderSize..], in header, out maxTimestamp);
        }
        BatchDecoder decoder = decoders.Rent();
        try
        {
            return RecordScan.Problem(decoder.Records(bytes, in header, UnpackedBytesMax), in header, out maxTimestamp);
        }
        catch (Exception e) when (e is CorruptRecordException or UnsupportedCompressionException)
        {
            maxTimestamp = -1;
            return e.Message;
        }
        finally
        {
            decoders.Return(decoder);
        }
    }

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
