using LogPipeline.Protocol;

namespace LogPipeline.Storage;

/// <summary>What became of a batch.</summary>
/// <param name="Error">None: the log has the batch, durable once <see cref="PartitionLog.FlushedAsync"/> of LastOffset + 1 is done.</param>
/// <param name="BaseOffset">Offset of its first record; -1 on error.</param>
/// <param name="LastOffset">Offset of its last record; -1 on error.</param>
/// <param name="LogStartOffset">First offset that the log still has.</param>
/// <param name="Duplicate">The batch was there already, at these offsets; nothing was appended.</param>
public readonly record struct AppendResult(ErrorCode Error, long BaseOffset, long LastOffset, long LogStartOffset, bool Duplicate)
{
    /// <summary>What is wrong with the batch, for people; null where the code says all.</summary>
    public string? Problem { get; init; }

    /// <summary>The records for which the batch was refused, the first hundred of them; null where it was not refused for single records.</summary>
    public IReadOnlyList<RefusedRecord>? RefusedRecords { get; init; }

    /// <summary>The time that the batch's records got, in milliseconds since 1970; -1 where they keep the producer's.</summary>
    public long LogAppendTime { get; init; } = -1;

    internal static AppendResult Refused(ErrorCode error, long logStartOffset) => new(error, -1, -1, logStartOffset, false);
}

/// <summary>A record that breaks a rule of its topic.</summary>
/// <param name="Index">Its place in the batch, from 0.</param>
/// <param name="Reason">What is wrong with it, for people.</param>
public readonly record struct RefusedRecord(int Index, string Reason);

/// <summary>Who appends.</summary>
public enum AppendOrigin
{
    /// <summary>A producer: sequences are checked, control batches refused.</summary>
    Client,

    /// <summary>The broker itself (group offsets, transaction markers): its batches are taken as they are.</summary>
    Broker,
}
