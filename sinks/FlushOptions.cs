namespace LogPipeline.Sinks;

/// <summary>When buffered records become a transaction.</summary>
public sealed record FlushOptions
{
    /// <summary>
    /// Once a partition has buffered this much it is flushed, and no more of it is polled while a flush is under way; a flush may be
    /// larger by what the last poll brought. Values count, and a fixed cost for each row.
    /// </summary>
    public int BytesMax { get; init; } = 8 << 20;

    /// <summary>
    /// The least time from one flush of a partition to its next; null for what suits the target: see <see cref="SinkOptions.FlushInterval"/>. After a quiet
    /// time a record is written at once; under load what comes while a flush runs makes the next one larger.
    /// </summary>
    public TimeSpan? Interval { get; init; }
}
