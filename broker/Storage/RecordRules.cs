using LogPipeline.Protocol;
using LogPipeline.Protocol.Records;

namespace LogPipeline.Storage;

/// <summary>
/// What a topic asks of each record of a client, as Apache Kafka's LogValidator does: a timestamp near the broker's clock, and a key where
/// the last record of each key is what is kept. Records are walked for it only where the topic's settings or the batch's largest timestamp
/// say that one of them may be refused.
/// </summary>
/// <param name="options">The log's.</param>
/// <param name="log">Its name, for the reasons.</param>
/// <param name="now">Milliseconds since 1970.</param>
internal readonly struct RecordRules(PartitionLogOptions options, string log, long now)
{
    /// <summary>Records that are told one by one; the answer to a batch of many tiny ones would be larger than the batch.</summary>
    private const int ToldMax = 100;

    /// <summary>What Kafka's clients write where a record has no time; such records are taken.</summary>
    private const long NoTimestamp = -1;

    /// <summary>Checks records that are well formed.</summary>
    /// <param name="records">The records, uncompressed.</param>
    /// <param name="header">Of the same batch.</param>
    /// <param name="maxTimestamp">Their largest timestamp, as it is and not as the header says.</param>
    public BatchFault Check(ReadOnlySpan<byte> records, in BatchHeader header, long maxTimestamp)
    {
        long earliest = options.LogAppendTime ? long.MinValue : now - options.TimestampBeforeMaxMs;
        long latest = options.LogAppendTime || options.TimestampAfterMaxMs > long.MaxValue - now ? long.MaxValue : now + options.TimestampAfterMaxMs;
        // A batch does not say its smallest timestamp: its base is the first record's, as a rule.
        bool mayBeEarly = !options.LogAppendTime && options.TimestampBeforeMaxMs != long.MaxValue;
        return options.KeysRequired || mayBeEarly || maxTimestamp > latest ? Walk(records, in header, earliest, latest) : default;
    }

    private BatchFault Walk(ReadOnlySpan<byte> records, in BatchHeader header, long earliest, long latest)
    {
        List<RefusedRecord>? refused = null;
        (int count, bool areTimes) = (0, false);
        var reader = new RecordReader(records, header with { Attributes = 0 });
        for (int i = 0; reader.Read(); i++)
        {
            bool lacksKey = options.KeysRequired && !reader.HasKey;
            if (!lacksKey && (reader.Timestamp == NoTimestamp || (reader.Timestamp >= earliest && reader.Timestamp <= latest)))
            {
                continue;
            }
            count++;
            areTimes |= !lacksKey;
            if ((refused ??= []).Count < ToldMax)
            {
                refused.Add(new RefusedRecord(i, lacksKey
                    ? $"Compacted topic cannot accept message without key in topic partition {log}"
                    : $"Timestamp {reader.Timestamp} of message with offset {i} is out of range. The timestamp should be within [{earliest}, {latest}]"));
            }
        }
        return refused is null ? default
            : areTimes ? new BatchFault(ErrorCode.InvalidTimestamp, "One or more records have been rejected due to invalid timestamp", refused)
            : new BatchFault(ErrorCode.InvalidRecord, $"One or more records have been rejected due to {count} record errors in total: {refused[0].Reason}", refused);
    }
}

/// <summary>Why a batch is refused; with error None it is not.</summary>
/// <param name="Error">The answer.</param>
/// <param name="Problem">What is wrong, for people; null where the code says all.</param>
/// <param name="Records">The records that are to blame, where the batch is sound and they break a topic's rule.</param>
internal readonly record struct BatchFault(ErrorCode Error, string? Problem = null, IReadOnlyList<RefusedRecord>? Records = null);
