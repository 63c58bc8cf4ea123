namespace LogPipeline.Client.Consuming;

/// <summary>A record as consumed. Its memory belongs to the caller.</summary>
public readonly record struct ConsumedRecord
{
    public required TopicPartition Partition { get; init; }

    public required long Offset { get; init; }

    /// <summary>Milliseconds since 1970, UTC.</summary>
    public required long Timestamp { get; init; }

    /// <summary>Whether <see cref="Timestamp"/> is when the broker appended the record, and not its producer's.</summary>
    public bool HasAppendTime { get; init; }

    /// <summary>The leader epoch in which the record was appended; -1 unknown.</summary>
    public int LeaderEpoch { get; init; }

    public ReadOnlyMemory<byte>? Key { get; init; }

    public ReadOnlyMemory<byte>? Value { get; init; }

    public int HeaderCount { get; init; }

    /// <summary>The headers as encoded in the record, back to back.</summary>
    public ReadOnlyMemory<byte> EncodedHeaders { get; init; }
}

/// <summary>A resume point to commit.</summary>
/// <param name="Offset">The next offset to consume.</param>
/// <param name="LeaderEpoch">Of the last record consumed; -1 unknown.</param>
/// <param name="Metadata">Kept with it, up to 4096 bytes.</param>
public readonly record struct CommitPoint(long Offset, int LeaderEpoch = -1, string? Metadata = null);
