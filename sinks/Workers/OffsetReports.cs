using LogPipeline.Client;
using LogPipeline.Client.Consuming;
using LogPipeline.Sinks.Telemetry;

namespace LogPipeline.Sinks.Workers;

/// <summary>
/// Tells the group how far the ledger is, for lag displays; nothing depends on it, so a failure is noted and the next commit
/// tells all again. At most one commit is under way.
/// </summary>
internal sealed class OffsetReports(string sink, Consumer consumer, string metadata, SinkEnvironment environment)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private Dictionary<TopicPartition, Claim> _told = [];

    /// <summary>Runs until cancelled.</summary>
    /// <param name="partitions">Returns those that the sink has now.</param>
    public async Task RunAsync(Func<IEnumerable<PartitionLoop>> partitions, CancellationToken stop)
    {
        try
        {
            while (true)
            {
                await Task.Delay(Interval, environment.Time, stop);
                await SendAsync(partitions(), stop);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The sink ends, and sends once more what its last flushes stored.
        }
    }

    /// <summary>Tells of the partitions whose ledger row moved, or was claimed, since it was told last. Another member reports for those that went to it.</summary>
    public async Task SendAsync(IEnumerable<PartitionLoop> partitions, CancellationToken cancellation)
    {
        Dictionary<TopicPartition, Claim> now = [];
        SortedDictionary<TopicPartition, CommitPoint> points = [];
        foreach (PartitionLoop partition in partitions)
        {
            // A ledger that stored nothing yet stays unnamed: until then the sink may still be pointed at another store.
            if (partition.Claim is not { Entry.LeaderEpoch: >= 0 } claim)
            {
                continue;
            }
            now.Add(partition.Partition, claim);
            // The last report may have been lost, so a claim is told of although a quiet partition has no flush.
            if (!ReferenceEquals(_told.GetValueOrDefault(partition.Partition), claim))
            {
                points.Add(partition.Partition, new CommitPoint(claim.Entry.NextOffset, claim.Entry.LeaderEpoch, metadata));
            }
        }
        if (points.Count == 0)
        {
            return;
        }
        try
        {
            await consumer.CommitAsync(points, cancellation);
            _told = now;
        }
        catch (Exception error) when (Waits.IsPassing(error) || error is OperationCanceledException)
        {
            SinkLog.OffsetsNotCommitted(environment.Logger, sink, error.Message);
        }
    }
}
