namespace LogPipeline.Client.Producing;

/// <summary>A record to send. Its memory is copied before the send call's own task (not the delivery) is done.</summary>
public readonly record struct ProducerRecord
{
    /// <summary>Where it goes.</summary>
    public required string Topic { get; init; }

    /// <summary>Null: the producer's partitioner chooses.</summary>
    public int? Partition { get; init; }

    /// <summary>Null is not the same as empty.</summary>
    public ReadOnlyMemory<byte>? Key { get; init; }

    /// <summary>Null marks a deletion on compacted topics.</summary>
    public ReadOnlyMemory<byte>? Value { get; init; }

    /// <summary>Null: now.</summary>
    public DateTimeOffset? Timestamp { get; init; }

    /// <summary>In order; may repeat.</summary>
    public IReadOnlyList<RecordHeader>? Headers { get; init; }
}

/// <summary>One header of a record.</summary>
/// <param name="Key">Its name.</param>
/// <param name="Value">Null is allowed.</param>
public readonly record struct RecordHeader(string Key, ReadOnlyMemory<byte>? Value);

/// <summary>Where an acknowledged record is.</summary>
/// <param name="Partition">The partition it went to.</param>
/// <param name="Offset">-1 where the broker did not say: acks 0, or a repeat that it had forgotten the offset of.</param>
/// <param name="Timestamp">As stored, milliseconds.</param>
public readonly record struct DeliveryResult(TopicPartition Partition, long Offset, long Timestamp);
