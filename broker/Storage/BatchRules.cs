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
}
