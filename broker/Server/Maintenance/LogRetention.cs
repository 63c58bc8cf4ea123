using LogPipeline.Broker.Partitions;
using LogPipeline.Broker.Settings;
using LogPipeline.Broker.Telemetry;
using LogPipeline.Broker.Topics;
using LogPipeline.Storage;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Broker.Maintenance;

/// <summary>
/// Rolls segments that are due, and removes what retention does not keep. The rules decide; then all new starts become durable at
/// once, and only then files go. Topics that are only compacted, internal topics and the metadata log lose nothing. Not for several
/// threads.
/// </summary>
internal sealed class LogRetention(
    DataDirectory directory, TopicRegistry topics, BrokerSettings settings, TimeProvider time, BrokerTelemetry telemetry, ILogger logger)
{
    private readonly List<(PartitionLog Log, long FirstKept)> _cuts = []; // of the pass under way
    private bool _isBeyondBudget;

    /// <summary>One pass over all partitions.</summary>
    public void Run()
    {
        long now = time.GetUtcNow().ToUnixTimeMilliseconds();
        foreach (Topic topic in topics.All)
        {
            bool mayLose = MayLose(topic);
            foreach (Partition partition in topic.Partitions)
            {
                if (partition.Log is { OfflineReason: null } log)
                {
                    Look(partition, log, mayLose, now);
                }
            }
        }
        Remove(RetentionReason.Limits);
        if (settings.RetentionTotalBytes is { } budget)
        {
            Hold(budget);
        }
    }

    private static bool MayLose(Topic topic) => !topic.IsInternal && topic.Settings.DeletesOldRecords;

    private void Look(Partition partition, PartitionLog log, bool mayLose, long now)
    {
        try
        {
            log.RollWhenDue();
        }
        catch (IOException e)
        {
            logger.RollRefused(e, log.Topic, log.Partition);
        }
        PartitionLogOptions options = log.Options;
        var limits = new RetentionLimits(options.Retention, options.RetentionBytes);
        if (mayLose
            && RetentionRule.FirstKept(log.Segments(), log.SizeBytes, log.LogStartOffset, limits, partition.HighWatermark, now) is { } firstKept)
        {
            _cuts.Add((log, firstKept));
        }
    }

    private void Hold(long budget)
    {
        IEnumerable<BudgetedLog<PartitionLog>> logs =
            from topic in topics.All
            where MayLose(topic)
            from partition in topic.Partitions
            where partition.Log is { OfflineReason: null }
            select new BudgetedLog<PartitionLog>(partition.Log!, partition.Log!.Segments(), partition.HighWatermark);
        long total = directory.Logs.Sum(static log => log.SizeBytes);
        IReadOnlyList<BudgetCut<PartitionLog>> chosen = BudgetRule.Choose(logs, total, budget);
        _cuts.AddRange(chosen.Select(static cut => (cut.Log, cut.FirstKept)));
        Remove(RetentionReason.Budget);
        long left = total - chosen.Sum(static cut => cut.Bytes);
        if (left > budget && !_isBeyondBudget)
        {
            logger.BudgetExceeded(left, budget);
        }
        _isBeyondBudget = left > budget;
    }

    private void Remove(RetentionReason reason)
    {
        if (_cuts.Count == 0)
        {
            return;
        }
        try
        {
            IReadOnlyList<long> freed = directory.DeleteRecords([.. _cuts.Select(cut => (cut.Log, CloseBelow(cut.Log, cut.FirstKept)))]);
            for (int i = 0; i < freed.Count; i++)
            {
                if (freed[i] > 0)
                {
                    Tell(_cuts[i].Log, freed[i], reason);
                }
            }
        }
        catch (IOException e)
        {
            logger.RetentionRefused(e, _cuts.Count);
        }
        finally
        {
            _cuts.Clear();
        }
    }

    // The active segment may have to go as a whole. Where the disk refuses to close it, the closed ones before it go.
    private long CloseBelow(PartitionLog log, long firstKept)
    {
        try
        {
            return log.RollBelow(firstKept);
        }
        catch (IOException e)
        {
            logger.RollRefused(e, log.Topic, log.Partition);
            return Math.Min(firstKept, log.Segments().Last().BaseOffset);
        }
    }

    private void Tell(PartitionLog log, long bytes, RetentionReason reason)
    {
        telemetry.Removed(bytes, reason == RetentionReason.Budget ? "budget" : "limits");
        if (reason == RetentionReason.Budget)
        {
            logger.RemovedByBudget(log.Topic, log.Partition, bytes, log.LogStartOffset);
        }
        else
        {
            logger.RemovedByLimits(log.Topic, log.Partition, bytes, log.LogStartOffset);
        }
    }
}
