namespace LogPipeline.Sinks.Workers;

/// <summary>
/// Looks now and then whether ledger and topic are still as the claims left them. A flush or a fetched batch finds that out by
/// itself, but a log without news has none: under it the database may go back to a backup, whose missing rows would wait for the
/// log's next record; and a topic made anew may already hold as much as the old one did. Owned by the loop; at most one look is
/// under way.
/// </summary>
internal sealed class LedgerWatch(LedgerClaims claims, LoopInbox inbox, TimeProvider time)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    private long _lookedAt = time.GetTimestamp();

    /// <summary>The look under way, or the last one.</summary>
    public Task Looking { get; private set; } = Task.CompletedTask;

    /// <summary>Looks after the quiet partitions when it is time to; the inbox gets those that are not as claimed, or the failure.</summary>
    public void Look(
        IEnumerable<PartitionSink> partitions, Action<PartitionSink, Claim> onChanged, Action<Exception> onFailed, CancellationToken cancellation)
    {
        if (!Looking.IsCompleted || time.GetElapsedTime(_lookedAt) < Interval)
        {
            return;
        }
        _lookedAt = time.GetTimestamp();
        var quiet = new Dictionary<Claim, PartitionSink>();
        foreach (PartitionSink sink in partitions)
        {
            if (sink is { Claim: { } claim, IsFlushing: false } && time.GetElapsedTime(sink.FlushedAt) >= Interval)
            {
                quiet.Add(claim, sink);
            }
        }
        if (quiet.Count > 0)
        {
            Looking = LookAsync(quiet, onChanged, onFailed, cancellation);
        }
    }

    private async Task LookAsync(
        Dictionary<Claim, PartitionSink> quiet, Action<PartitionSink, Claim> onChanged, Action<Exception> onFailed, CancellationToken cancellation)
    {
        try
        {
            foreach (Claim claim in await claims.ChangedAsync([.. quiet.Keys], cancellation))
            {
                inbox.Post(() => onChanged(quiet[claim], claim));
            }
        }
        catch (Exception error) when (error is OperationCanceledException || Patience.IsWorthWaiting(error))
        {
            // The next look, or the next flush, will tell.
        }
        catch (Exception error)
        {
            inbox.Post(() => onFailed(error));
        }
    }
}
