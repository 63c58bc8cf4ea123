namespace LogPipeline.Sinks.Workers;

/// <summary>
/// Looks now and then whether ledger and topic are still as the claims left them. A flush or a fetched batch finds that out by
/// itself, but a log without news has none: under it the database may go back to a backup, whose missing rows would wait for the
/// log's next record; and a topic made anew may already hold as much as the old one did.
/// </summary>
internal sealed class LedgerWatch(LedgerClaims claims, Waits waits, TimeProvider time)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    private const string Name = "the ledger";

    /// <summary>Runs until cancelled.</summary>
    /// <param name="partitions">Returns those that the sink has now.</param>
    public async Task RunAsync(Func<IEnumerable<PartitionLoop>> partitions, CancellationToken stop)
    {
        Dictionary<PartitionLoop, Claim> before = [];
        try
        {
            while (true)
            {
                await Task.Delay(Interval, time, stop);
                Dictionary<PartitionLoop, Claim> now = Held(partitions());
                // A claim that is the same as at the last look is quiet: no flush has moved it.
                await LookAsync(now.Where(held => before.GetValueOrDefault(held.Key) == held.Value).ToDictionary(), stop);
                before = now;
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The sink ends.
        }
    }

    private static Dictionary<PartitionLoop, Claim> Held(IEnumerable<PartitionLoop> partitions)
    {
        Dictionary<PartitionLoop, Claim> held = [];
        foreach (PartitionLoop partition in partitions)
        {
            if (partition.Claim is { } claim)
            {
                held.Add(partition, claim);
            }
        }
        return held;
    }

    private async Task LookAsync(Dictionary<PartitionLoop, Claim> quiet, CancellationToken stop)
    {
        if (quiet.Count == 0)
        {
            waits.Over(Name);
            return;
        }
        try
        {
            IReadOnlyList<Claim> changed = await claims.ChangedAsync([.. quiet.Values], stop);
            foreach ((PartitionLoop partition, Claim claim) in quiet)
            {
                if (changed.Contains(claim) && ReferenceEquals(partition.Claim, claim))
                {
                    partition.Feed.Fail(new OwnershipLostException($"the ledger row or the topic of {partition.Partition} is not as it was left"));
                }
            }
            waits.Over(Name);
        }
        catch (Exception error) when (Waits.IsPassing(error))
        {
            waits.Waiting(Name, error, Interval);
        }
    }
}
