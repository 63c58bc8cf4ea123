using LogPipeline.Broker.Telemetry;
using LogPipeline.Broker.Topics;
using LogPipeline.Storage;
using Microsoft.Extensions.Logging;

namespace LogPipeline.Broker.Maintenance;

/// <summary>
/// Partitions whose logs a start could not open, and a later try may: there were no file handles left, or the disk refused. A damaged log
/// stays offline until the next start, and so does one of __consumer_offsets, whose groups only a start reads.
/// </summary>
internal sealed class OfflinePartitions(DataDirectory directory, TopicRegistry topics, ILogger logger)
{
    private readonly List<PartitionLog> _unserved = []; // open, but the metadata log did not take that somebody leads them

    /// <summary>Tries to open each of them once, and serves those that open.</summary>
    public void Retry()
    {
        try
        {
            _unserved.AddRange(directory.RetryOffline(topic => topics.Find(topic) is { IsInternal: false }));
        }
        catch (IOException e)
        {
            logger.RetryRefused(e);
        }
        _unserved.RemoveAll(TryServe);
    }

    private bool TryServe(PartitionLog log)
    {
        try
        {
            topics.TakeReopened(log);
            logger.PartitionReopened(log.Topic, log.Partition);
            return true;
        }
        catch (IOException e)
        {
            logger.ReopeningPostponed(e, log.Topic, log.Partition);
            return false;
        }
    }
}
