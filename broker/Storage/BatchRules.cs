using LogPipeline.Protocol;
using LogPipeline.Protocol.Records;

namespace LogPipeline.Storage;

/// <summary>What a batch must be to be appended, before any state is asked.</summary>
internal static class BatchRules
{
    public static ErrorCode Check(ReadOnlySpan<byte> bytes, AppendOrigin origin, int bytesMax, out BatchHeader header)
    {
        if (!BatchHeader.TryParse(bytes, out header) || header.SizeInBytes != bytes.Length)
        {
            return ErrorCode.CorruptMessage;
        }
        if (bytes.Length > bytesMax)
        {
            return ErrorCode.MessageTooLarge;
        }
        if (!RecordBatch.CrcIsValid(bytes))
        {
            return ErrorCode.CorruptMessage;
        }
        bool isWhole = header.RecordCount > 0 && header.RecordCount - 1 == header.LastOffsetDelta;
        bool isAllowed = origin == AppendOrigin.Broker || (!header.IsControl && (!header.HasProducer || header.BaseSequence >= 0));
        return isWhole && isAllowed ? ErrorCode.None : ErrorCode.InvalidRecord;
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

    /// <summary>Whether sound batches go on where a log ends, in epochs that may follow its own.</summary>
    public static ErrorCode CheckPlace(ReadOnlySpan<byte> batches, long endOffset, int latestEpoch, int leaderEpoch)
    {
        for (; BatchHeader.TryParse(batches, out BatchHeader header); batches = batches[header.SizeInBytes..])
        {
            if (header.BaseOffset != endOffset)
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
