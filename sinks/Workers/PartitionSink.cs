using LogPipeline.Client;
using LogPipeline.Sinks.Rows;

namespace LogPipeline.Sinks.Workers;

/// <summary>
/// One assigned partition. Owned by the worker's loop: only it touches the fields; a flush or a claim under way works on objects
/// handed over to it and posts its end to the loop.
/// </summary>
/// <remarks>
/// Claiming -> Active on a claim; Active -> Claiming on a lost owner, an unknown outcome, or a log that moved. While claiming, the
/// consumer is paused for the partition and nothing is buffered.
/// </remarks>
internal sealed class PartitionSink(TopicPartition partition, CancellationToken stop) : IDisposable
{
    private readonly CancellationTokenSource _released = CancellationTokenSource.CreateLinkedTokenSource(stop);
    private string? _stuckReason;

    public TopicPartition Partition { get; } = partition;

    /// <summary>Null while claiming.</summary>
    public Claim? Claim { get; set; }

    /// <summary>Rows that wait for a flush; null when there are none.</summary>
    public RowBatch? Filling { get; set; }

    public List<UnreadableBatch> Unreadable { get; set; } = [];

    /// <summary>The offset after what is buffered.</summary>
    public long NextOffset { get; set; }

    public int LeaderEpoch { get; set; }

    /// <summary>When the last flush began; a timestamp of the time provider's.</summary>
    public long FlushedAt { get; set; }

    /// <summary>The claim or flush under way; completed when there is none.</summary>
    public Task Work { get; set; } = Task.CompletedTask;

    public bool IsFlushing { get; set; }

    /// <summary>Whether the consumer is paused because a batch cannot be read, or because this partition's buffer, or all of them together, are full.</summary>
    public bool IsHeldBack { get; set; }

    /// <summary>When a batch was met that cannot be read: polling waits a while. A timestamp of the time provider's.</summary>
    public long? StuckSince { get; set; }

    /// <summary>The offset of the last such batch that was told of; -1 for none.</summary>
    public long StuckTold { get; private set; } = -1;

    /// <summary>Why that batch cannot be read; null while the partition goes on.</summary>
    public string? StuckReason => StuckTold == NextOffset ? _stuckReason : null;

    /// <summary>Notes that the batch at <see cref="NextOffset"/> cannot be read; returns whether that is news.</summary>
    public bool HoldUp(string reason, long now)
    {
        bool isNews = StuckTold != NextOffset;
        (StuckSince, StuckTold, _stuckReason) = (now, NextOffset, reason);
        return isNews;
    }

    /// <summary>Flushes in a row that failed.</summary>
    public int Failures { get; set; }

    /// <summary>Cancelled when the partition goes away: claims stop trying.</summary>
    public CancellationToken Released => _released.Token;

    /// <summary>Whether offsets were passed that the ledger does not know yet.</summary>
    public bool HasNews => Claim is not null && NextOffset > Claim.Entry.NextOffset && !IsFlushing;

    public void Release() => _released.Cancel();

    public void Dispose() => _released.Dispose();
}
