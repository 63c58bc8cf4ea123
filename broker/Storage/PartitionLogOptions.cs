namespace LogPipeline.Storage;

/// <summary>How one partition's log is kept. The names in brackets are Kafka's topic settings.</summary>
public sealed record PartitionLogOptions
{
    /// <summary>A segment is closed before it grows beyond this size [segment.bytes].</summary>
    public long SegmentBytes { get; init; } = 1L << 30;

    /// <summary>A segment is closed this long after it was begun, unless it is empty [segment.ms].</summary>
    public TimeSpan SegmentTime { get; init; } = TimeSpan.FromDays(7);

    /// <summary>Bytes of batches between two entries of the offset index [index.interval.bytes].</summary>
    public int IndexIntervalBytes { get; init; } = 4096;

    /// <summary>A segment is closed when one of its indexes would exceed this size [segment.index.bytes].</summary>
    public int IndexBytesMax { get; init; } = 10 << 20;

    /// <summary>The largest record batch taken, as sent [max.message.bytes].</summary>
    public int BatchBytesMax { get; init; } = 1_048_588;

    /// <summary>Whether clients' records get the time at which they are appended instead of their own [message.timestamp.type].</summary>
    public bool LogAppendTime { get; init; }

    /// <summary>Whether clients' records must have keys [cleanup.policy with compact].</summary>
    public bool KeysRequired { get; init; }

    /// <summary>
    /// How far before the broker's clock a client's record may say it was made, in milliseconds; long.MaxValue: any time
    /// [message.timestamp.before.max.ms].
    /// </summary>
    public long TimestampBeforeMaxMs { get; init; } = long.MaxValue;

    /// <summary>How far ahead of the broker's clock it may be, in milliseconds [message.timestamp.after.max.ms, there an hour].</summary>
    public long TimestampAfterMaxMs { get; init; } = long.MaxValue;

    /// <summary>How long records are kept; null = for ever [retention.ms].</summary>
    public TimeSpan? Retention { get; init; } = TimeSpan.FromDays(7);

    /// <summary>Which time of a record counts for <see cref="Retention"/> [retention.clock, not Kafka's].</summary>
    public RetentionClock RetentionClock { get; init; }

    /// <summary>How much of the log is kept; null = all [retention.bytes].</summary>
    public long? RetentionBytes { get; init; }

    /// <summary>How long a producer's state outlives its last batch [producer.id.expiration.ms, there a day].</summary>
    public TimeSpan ProducerIdExpiration { get; init; } = TimeSpan.FromDays(7);

    /// <summary>When appended batches become durable, and so what an acknowledgement means [log.flush].</summary>
    public FlushPolicy Flush { get; init; } = FlushPolicy.Group;

    /// <summary>Time between flushes under <see cref="FlushPolicy.Interval"/> [flush.ms].</summary>
    public TimeSpan FlushInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>After a crash at most about this much of a log is read again: past it a checkpoint is written.</summary>
    public long CheckpointBytes { get; init; } = 64L << 20;
}

/// <summary>When appended batches become durable.</summary>
public enum FlushPolicy
{
    /// <summary>At once, one fsync for all that waits; a batch is acknowledged and shown only afterwards.</summary>
    Group,

    /// <summary>Every <see cref="PartitionLogOptions.FlushInterval"/>; batches are acknowledged and shown before.</summary>
    Interval,

    /// <summary>When the operating system thinks fit, and when a segment is closed.</summary>
    Os,
}

/// <summary>Which time says how old a segment is.</summary>
public enum RetentionClock
{
    /// <summary>The largest timestamp of its records, as in Kafka; one from the far future keeps the segment until then.</summary>
    Record,

    /// <summary>
    /// When the last of its records came in: the time of the last append, after a start the file's modification time. That may be late,
    /// since starts and closing the segment touch the file, but never early; and a segment is closed segment.ms after it was begun. So
    /// records are kept for retention.ms at least, and for segment.ms longer at most.
    /// </summary>
    Arrival,
}
