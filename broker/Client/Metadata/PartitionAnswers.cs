namespace LogPipeline.Client.Metadata;

/// <summary>Which offset of a partition is asked for.</summary>
/// <param name="Timestamp">Milliseconds since 1970, or one of the protocol's negative marks below.</param>
public readonly record struct OffsetSpec(long Timestamp)
{
    /// <summary>The high watermark.</summary>
    public static OffsetSpec Latest { get; } = new(-1);

    /// <summary>The log's start.</summary>
    public static OffsetSpec Earliest { get; } = new(-2);

    /// <summary>The record with the largest timestamp.</summary>
    public static OffsetSpec MaxTimestamp { get; } = new(-3);

    /// <summary>The first record that is not older than the time.</summary>
    public static OffsetSpec At(DateTimeOffset time) => new(time.ToUnixTimeMilliseconds());
}

/// <summary>The offset that an <see cref="OffsetSpec"/> led to.</summary>
/// <param name="Offset">The offset, -1 if no record matches.</param>
/// <param name="Timestamp">Timestamp of the record found in milliseconds; -1 if the question was not about time.</param>
/// <param name="LeaderEpoch">Leader epoch of that offset, -1 if unknown.</param>
public readonly record struct OffsetFound(long Offset, long Timestamp, int LeaderEpoch);

/// <summary>Where a leader epoch ends.</summary>
/// <param name="LeaderEpoch">The largest epoch up to the one asked for, -1 if the leader knows none.</param>
/// <param name="EndOffset">The first offset after it, -1 if unknown.</param>
public readonly record struct EpochEnd(int LeaderEpoch, long EndOffset);

/// <summary>A producer that a partition remembers.</summary>
/// <param name="ProducerId">Producer id.</param>
/// <param name="Epoch">Producer epoch.</param>
/// <param name="LastSequence">Sequence of the last record appended, -1 if there is no such record.</param>
/// <param name="LastTimestamp">Timestamp of the last record appended in milliseconds, -1 if there is no such record.</param>
public readonly record struct ActiveProducer(long ProducerId, int Epoch, int LastSequence, long LastTimestamp);
